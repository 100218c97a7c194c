"""What is observed of one client: its events for the sink, and its connections."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from runners.adapters.base import EventSink
from runners.adapters.pymongo_api.binding import Binding, address_text
from runners.adapters.pymongo_api.events import LISTENERS, SENSITIVE_COMMANDS, EventKind

_COUNTED = "ConnectionPoolListener"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events of a client its entity asks for; command names are lower case."""

    events: frozenset[str] = frozenset()
    ignored_commands: frozenset[str] = frozenset()
    sensitive_commands: bool = False

    def command(self, event: Any) -> bool:
        """Whether a command event is to be observed.

        A redacted body (empty: no command and no reply is) means a sensitive command.
        """
        name = event.command_name.lower()
        if name in self.ignored_commands or name == "configurefailpoint":
            return False
        body = getattr(event, "command", getattr(event, "reply", None))
        return self.sensitive_commands or (name not in SENSITIVE_COMMANDS and body != {})


@dataclass(slots=True)
class Observer:
    """Hears a client's events, converts those that are wanted, and counts connections.

    Drivers swallow what a listener raises, so failed conversions are kept in `faults`. What a
    client still publishes after `stop` goes nowhere: its id may be another client's by then.
    """

    client: str
    wanted: Wanted
    binding: Binding
    sink: EventSink
    faults: list[Exception]
    listening: bool = True
    checked_out: int = 0
    _established: set[tuple[str, int]] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _giving: threading.RLock = field(default_factory=threading.RLock)

    def listeners(self) -> list[Any]:
        """A listener of each of the driver's classes that is of use, for the client to be made.

        Drivers do more for clients with listeners: PyMongo keeps a thread for topology events,
        which each client waits for as it closes.
        """
        return [self._listener(name) for name in LISTENERS if self._of_use(name)]

    def stop(self) -> None:
        """Give no more events to the sink; one that is on its way there arrives before."""
        with self._giving:
            self.listening = False

    def _of_use(self, class_name: str) -> bool:
        if class_name == _COUNTED:
            return True
        return any(kind.name in self.wanted.events for kind in LISTENERS[class_name].values())

    def _listener(self, class_name: str) -> Any:
        base = getattr(self.binding.monitoring, class_name)
        methods = {
            method: self._hearing(method, kind) for method, kind in LISTENERS[class_name].items()
        }
        return type(f"Observing{class_name}", (base,), methods)()

    def _hearing(self, method: str, kind: EventKind) -> Callable[[Any, Any], None]:
        def hear(_listener: Any, event: Any) -> None:
            try:
                self._count(method, event)
                if self._wants(kind.name, event):
                    self._give(kind, event)
            except Exception as error:
                self.faults.append(error)
                raise

        return hear

    def _give(self, kind: EventKind, event: Any) -> None:
        with self._giving:
            if self.listening:
                self.sink(self.client, kind.name, kind.convert(self.binding, event))

    def _wants(self, name: str, event: Any) -> bool:
        if name not in self.wanted.events:
            return False
        return not name.startswith("command") or self.wanted.command(event)

    def _count(self, method: str, event: Any) -> None:
        with self._changed:
            match method:
                case "connection_checked_out":
                    self.checked_out += 1
                case "connection_checked_in":
                    self.checked_out -= 1
                case "connection_ready":
                    self._established.add((address_text(event.address), event.connection_id))
                case "connection_closed":  # also of one that never became ready
                    self._established.discard((address_text(event.address), event.connection_id))
            self._changed.notify_all()

    def await_pools(
        self, size: int, addresses: Callable[[], Iterable[str]], seconds: float
    ) -> bool:
        """Wait until each of `addresses` has `size` connections; False if they don't in time."""

        def populated() -> bool:
            known = list(addresses())
            sizes = Counter(address for address, _ in self._established)
            return bool(known) and all(sizes[each] >= size for each in known)

        with self._changed:
            return self._changed.wait_for(populated, seconds)
