"""What a client published, and how it compares with what a file expects.

An event crosses the seam as the format's event object, with the driver's values for its fields.
Spec: unified-test-format, "expectedEventsForClient".
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from runners.adapters.base import EventSink
from runners.model import JsonObject
from runners.unified import fields
from runners.unified.faults import CaseError, CaseFailed, fail_on
from runners.unified.match import MISSING, Context, Mismatch, Path, Root, match

LOG_MESSAGE: Final = "log"
SPAN: Final = "span"

EVENT_TYPES: Final[dict[str, frozenset[str]]] = {
    "command": frozenset({"commandStartedEvent", "commandSucceededEvent", "commandFailedEvent"}),
    "cmap": frozenset(
        {
            *("poolCreatedEvent", "poolReadyEvent", "poolClearedEvent", "poolClosedEvent"),
            *("connectionCreatedEvent", "connectionReadyEvent", "connectionClosedEvent"),
            *("connectionCheckOutStartedEvent", "connectionCheckOutFailedEvent"),
            *("connectionCheckedOutEvent", "connectionCheckedInEvent"),
        }
    ),
    "sdam": frozenset(
        {
            *("serverDescriptionChangedEvent", "topologyDescriptionChangedEvent"),
            *("serverHeartbeatStartedEvent", "serverHeartbeatSucceededEvent"),
            *("serverHeartbeatFailedEvent", "topologyOpeningEvent", "topologyClosedEvent"),
        }
    ),
}
EVENTS: Final = frozenset().union(*EVENT_TYPES.values())

_SHOWN_EVENTS = 40
_SHOWN_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Event:
    """An event, a log message or a span, as the adapter reported it."""

    name: str
    fields: JsonObject

    def __str__(self) -> str:
        shown = json.dumps(self.fields, ensure_ascii=False)
        if len(shown) > _SHOWN_CHARACTERS:
            shown = f"{shown[:_SHOWN_CHARACTERS]}…"
        return f"{self.name} {shown}"


class EventLog:
    """All that one client published, in order. Written and read on any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []
        self._listening = True

    def add(self, event: Event) -> None:
        """Take an event, unless listening has ended."""
        with self._changed:
            if self._listening:
                self._events.append(event)
                self._changed.notify_all()

    def stop(self) -> None:
        """Take no more events: the operations of the test are over."""
        with self._changed:
            self._listening = False

    def named(self, names: Iterable[str]) -> list[Event]:
        """The events of these names so far."""
        wanted = frozenset(names)
        with self._changed:
            return [event for event in self._events if event.name in wanted]

    def wait_for(self, fits: Callable[[Event], bool], count: int, seconds: float) -> int:
        """Wait until `count` events fit, or the time is over; return how many did."""
        seen = found = 0

        def enough() -> bool:
            nonlocal seen, found
            found += sum(1 for event in self._events[seen:] if fits(event))
            seen = len(self._events)
            return found >= count

        with self._changed:
            self._changed.wait_for(enough, seconds)
        return found

    def wait_for_change(self, seconds: float) -> None:
        """Wait until something is published, or the time is over."""
        with self._changed:
            self._changed.wait(seconds)


class EventRouter:
    """The event sink of an adapter: hands each event to the log of its client.

    Events of clients that no running case has are dropped.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._logs: dict[str, EventLog] = {}
        self.tap: EventSink | None = None
        """Hears everything too."""

    def __call__(self, client: str, name: str, event: JsonObject) -> None:
        """Take what the adapter reports; see EventSink."""
        with self._lock:
            log = self._logs.get(client)
        if (tap := self.tap) is not None:
            tap(client, name, event)
        if log is not None:
            log.add(Event(name, event))

    def attach(self, client: str) -> EventLog:
        """A new log for a client that is about to be created."""
        log = EventLog()
        with self._lock:
            self._logs[client] = log
        return log

    def detach_all(self) -> None:
        """Forget all clients: the end of a case."""
        with self._lock:
            self._logs.clear()


def listing(events: list[Event]) -> str:
    """The events one a line, the last ones if there are many."""
    skipped = len(events) - _SHOWN_EVENTS
    lines = [str(event) for event in events[-_SHOWN_EVENTS:]]
    return "\n".join([f"… {skipped} earlier", *lines] if skipped > 0 else lines)


def expected_event(value: JsonObject, path: Path) -> tuple[str, JsonObject]:
    """The name of an expected event and its assertions."""
    name, assertions = fields.only_pair(value, path)
    if name not in EVENTS:
        raise CaseError(f"there is no event {name!r}", path)
    return name, assertions


def match_event(
    name: str, assertions: JsonObject, event: Event, context: Context, path: Path
) -> Mismatch | None:
    """The first difference between an event and what is expected of it.

    Commands and replies are root-level documents, and so are descriptions, of which only the
    fields that the file names count.
    """
    if event.name != name:
        return Mismatch(f"should be a {name}, but is a {event.name}", path, name, event.name)
    for key, expected in assertions.items():
        actual = event.fields.get(key, MISSING)
        where = (*path, name, key)
        mismatch = match(expected, actual, context, root=Root.YES, path=where)
        if mismatch is not None:
            return mismatch
    return None


def check_events(expected: JsonObject, log: EventLog, context: Context, path: Path) -> None:
    """Raise CaseFailed unless a client's events are the expected ones, in order."""
    kind = fields.text(expected, "eventType", path, "command")
    if kind not in EVENT_TYPES:
        raise CaseError(f"should be one of {', '.join(EVENT_TYPES)}", (*path, "eventType"))
    wanted = fields.tables(expected, "events", path)
    seen = log.named(EVENT_TYPES[kind])
    details = f"{kind} events seen:\n{listing(seen)}" if seen else f"no {kind} events seen"
    for index, item in enumerate(wanted):
        where = (*path, "events", index)
        name, assertions = expected_event(item, where)
        if index == len(seen):
            message = f"should have seen {len(wanted)} {kind} events, but saw {len(seen)}"
            raise CaseFailed(f"{message}: no {name}", where, item, details=details)
        mismatch = match_event(name, assertions, seen[index], context, where)
        fail_on(mismatch, f"{kind} event {index}", details)
    if len(seen) > len(wanted) and not fields.flag(expected, "ignoreExtraEvents", path):
        extra = seen[len(wanted)]
        message = f"should have seen {len(wanted)} {kind} events, but saw {len(seen)}"
        where = (*path, "events")
        raise CaseFailed(
            f"{message}: the first unexpected one is {extra.name}",
            where,
            list(wanted),
            {extra.name: extra.fields},
            details,
        )
