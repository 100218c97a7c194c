"""Callbacks of with_transaction, the same for both shells."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any


def calling(shell: str, body: Callable[[Any], Coroutine[Any, Any, Any]]) -> Callable[[Any], Any]:
    """The callback that runs a coroutine function, as the shell takes it."""
    if shell != "sync":
        return body

    def call(session: Any) -> Any:
        try:
            body(session).send(None)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("a sync client's calls do not suspend")

    return call
