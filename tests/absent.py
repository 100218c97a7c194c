"""When what a live test needs is not there."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

REQUIRED = os.environ.get("MONGOSPEC_REQUIRE_LIVE") == "1"
"""Whether live tests have to run, as in CI."""


def absent(reason: object) -> NoReturn:
    """Skip the test and say why; fail it where live tests are required."""
    if REQUIRED:
        pytest.fail(f"MONGOSPEC_REQUIRE_LIVE is set, but: {reason}")
    pytest.skip(f"not run: {reason}")
