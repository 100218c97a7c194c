"""The official specification data beside the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "shared" / "specifications" / "source"

needs_official = [
    pytest.mark.shared,
    pytest.mark.skipif(
        not SOURCE.is_dir(), reason="not run: no official data in ../shared/specifications"
    ),
]
"""The marks of a module that reads official files."""
