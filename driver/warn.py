"""Warnings that point at the caller's line, not into the driver."""

from __future__ import annotations

import sys
import warnings


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn as if the nearest frame outside this package had issued the warning."""
    level = 1
    frame = sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("driver."):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)
