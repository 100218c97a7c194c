"""The official specification data beside the checkout, for tests marked `shared`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3] / "shared" / "specifications" / "source"


def official_cases(pattern: str) -> list[Any]:
    """One pytest parameter for every test of the JSON files that `pattern` finds.

    Without the data there is one parameter, skipped with the reason.
    """
    files = sorted(ROOT.glob(pattern))
    if not files:
        reason = f"not run: there is no {pattern} in {ROOT.name} of ../shared/specifications"
        marks = (pytest.mark.shared, pytest.mark.skip(reason=reason))
        return [pytest.param({}, id=pattern, marks=marks)]
    return [
        pytest.param(test, id=f"{file.stem}: {test['description']}", marks=pytest.mark.shared)
        for file in files
        for test in json.loads(file.read_text("utf-8"))["tests"]
    ]
