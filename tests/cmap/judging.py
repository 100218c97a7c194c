"""What the runner says of a CMAP file."""

from __future__ import annotations

from typing import Any

from runners import cmap
from runners.adapters.base import Adapter
from runners.load import SpecFile, cases
from runners.model import Verdict


def judged(spec: SpecFile, adapter: Adapter, place: Any = None) -> Verdict:
    """The verdict of the file's only case."""
    (case,) = cases(spec)
    return cmap.run_case(spec, case, adapter, place)
