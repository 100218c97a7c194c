"""SIGTERM ends a command as Ctrl-C does: what runs is stopped, and what is known is reported."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Within it, the first SIGTERM is a KeyboardInterrupt, and later ones do nothing.

    When the context has ended, a SIGTERM that came ends the process as if it had come then.
    """
    heard = False

    def hear(*_: object) -> None:
        nonlocal heard
        heard = True
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL if heard else before)
        if heard:
            os.kill(os.getpid(), signal.SIGTERM)
