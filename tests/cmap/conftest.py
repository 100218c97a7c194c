"""The drivers that the CMAP scripts are run against."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runners.adapters import load
from runners.adapters.base import Adapter


@pytest.fixture(params=["reference", "reference-async"])
def adapter(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    adapter = load(request.param)
    adapter.open(lambda *_: None)
    yield adapter
    adapter.shutdown()
