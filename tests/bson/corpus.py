"""The official BSON test data, one pytest parameter a case."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.official import SOURCE


def cases(suite: str, kind: str) -> list[Any]:
    """(file, case) for each case in the list `kind` of the suite's files; none without the data."""
    parameters = []
    for path in sorted((SOURCE / suite / "tests").glob("*.json")):
        file = json.loads(path.read_text(encoding="utf-8"))
        parameters += [
            pytest.param(file, case, id=f"{path.stem}: {case['description']}")
            for case in file.get(kind, [])
        ]
    return parameters
