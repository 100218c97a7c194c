"""A listener of everything: what a client told, in order."""

from __future__ import annotations

import threading
from typing import Any

from driver import events


class Recorder(
    events.CommandListener,
    events.ConnectionPoolListener,
    events.ServerHeartbeatListener,
    events.ServerListener,
    events.TopologyListener,
):
    """Keeps all events in `heard`."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self._changed = threading.Condition()

    def hear(self, event: Any) -> None:
        with self._changed:
            self.heard.append(event)
            self._changed.notify_all()

    started = succeeded = failed = opened = closed = description_changed = hear
    pool_created = pool_ready = pool_cleared = pool_closed = hear
    connection_created = connection_ready = connection_closed = connection_checked_in = hear
    connection_check_out_started = connection_check_out_failed = connection_checked_out = hear

    def of(self, *kinds: type) -> list[Any]:
        """The events of these kinds."""
        with self._changed:
            return [event for event in self.heard if isinstance(event, kinds)]

    def wait_for(self, kind: type, count: int = 1, seconds: float = 5.0) -> list[Any]:
        """The events of a kind, once there are `count`."""

        def enough() -> bool:
            return sum(isinstance(event, kind) for event in self.heard) >= count

        with self._changed:
            assert self._changed.wait_for(enough, seconds), (kind.__name__, self.heard)
        return self.of(kind)
