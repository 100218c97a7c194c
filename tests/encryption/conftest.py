"""Encryption needs its library."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from tests.absent import absent


@pytest.fixture(autouse=True)
def _library() -> None:
    if find_spec("pymongocrypt") is None:
        absent("pymongocrypt is not installed (extra `encryption`)")
