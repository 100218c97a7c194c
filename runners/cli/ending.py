"""SIGTERM ends a command as Ctrl-C does: what runs is stopped, and what is known is reported."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_heard: set[int] = set()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Within it, SIGINT and the first SIGTERM are a KeyboardInterrupt; a later SIGTERM is nothing.

    When the context has ended, a SIGTERM that came ends the process as if it had come then.
    """
    _heard.clear()

    def hear(number: int, _: object) -> None:
        repeated = number in _heard
        _heard.add(number)
        if number == signal.SIGINT or not repeated:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        terminated = signal.SIGTERM in _heard
        if terminated:
            before[signal.SIGTERM] = signal.SIG_DFL
        for number, handler in before.items():
            signal.signal(number, handler)
        if terminated:
            os.kill(os.getpid(), signal.SIGTERM)


def end_if_asked() -> None:
    """Raise KeyboardInterrupt if a signal came; Python drops one that met a finalizer."""
    if _heard:
        raise KeyboardInterrupt
