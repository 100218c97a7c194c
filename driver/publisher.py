"""Hands events to listeners: in order, never under a lock, and only when somebody listens."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from driver.errors import ConfigurationError
from driver.events import (
    CommandListener,
    ConnectionPoolListener,
    ServerHeartbeatListener,
    ServerListener,
    TopologyListener,
)

_KINDS = (
    CommandListener,
    ConnectionPoolListener,
    ServerHeartbeatListener,
    ServerListener,
    TopologyListener,
)
_log = logging.getLogger("mongospec.listeners")


class Publisher:
    """Listeners by kind, and a queue that keeps the order of events made under locks.

    `enqueue` while a lock is held, `drain` after it was released.
    """

    def __init__(self, listeners: Sequence[Any], lock: AbstractContextManager[Any]) -> None:
        for listener in listeners:
            if not isinstance(listener, _KINDS):
                raise ConfigurationError(
                    f"event_listeners: {listener!r} is of no listener class; subclass one of "
                    + ", ".join(kind.__name__ for kind in _KINDS)
                )
        self.command = [x for x in listeners if isinstance(x, CommandListener)]
        self.pool = [x for x in listeners if isinstance(x, ConnectionPoolListener)]
        self.heartbeat = [x for x in listeners if isinstance(x, ServerHeartbeatListener)]
        self.server = [x for x in listeners if isinstance(x, ServerListener)]
        self.topology = [x for x in listeners if isinstance(x, TopologyListener)]
        self._queue: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._lock = lock

    def enqueue(self, listeners: Sequence[Any], method: str, event: Any) -> None:
        """Keep an event for the next `drain`."""
        for listener in listeners:
            self._queue.append((getattr(listener, method), event))

    def drain(self) -> None:
        """Deliver what was kept, in order, whichever thread kept it."""
        while self._queue:
            with self._lock:
                try:
                    hear, event = self._queue.popleft()
                except IndexError:
                    return  # another thread delivered it
                _deliver(hear, event)

    def publish(self, listeners: Sequence[Any], method: str, event: Any) -> None:
        """Deliver at once; the caller holds no lock."""
        self.enqueue(listeners, method, event)
        self.drain()

    def command_event(self, method: str, event: Any) -> None:
        """Deliver a command event on the operation's own thread; its order is its own."""
        for listener in self.command:
            _deliver(getattr(listener, method), event)


def _deliver(hear: Callable[[Any], None], event: Any) -> None:
    try:
        hear(event)
    except Exception:  # noqa: BLE001 - a listener's mistake must not break the driver
        _log.exception("an event listener raised on %s", type(event).__name__)
