"""Adapters around adapters: one that notes what is called, one that answers from what was noted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from runners.adapters.base import (
    Adapter,
    AdapterError,
    Callback,
    DriverInfo,
    ErrorReport,
    EventSink,
    Reply,
)
from runners.model import Json, JsonObject
from runners.record import secrets
from runners.record.trail import Trail


class Watched:
    """An adapter whose calls are noted in one of the trail's lists; it is opened by somebody else.

    `uri` makes of a client's URI the one that the adapter is given.
    """

    def __init__(
        self,
        adapter: Adapter,
        trail: Trail,
        calls: list[Json],
        uri: Callable[[str], str] = str,
    ) -> None:
        self.info: DriverInfo = adapter.info
        self._adapter = adapter
        self._trail = trail
        self._calls = calls
        self._uri = uri

    def open(self, sink: EventSink) -> None:
        """See Adapter."""
        self._adapter.open(sink)

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        """See Adapter. What could let somebody in is left out of the record."""
        began = self._trail.now()
        reply = Reply()
        try:
            at = {"uri": self._uri(str(spec["uri"]))} if "uri" in spec else {}
            self._adapter.create(kind, entity_id, {**spec, **at})
        except AdapterError as error:
            reply = Reply(error=ErrorReport(str(error), type(error).__name__))
            raise
        finally:
            noted = secrets.without_in_entity(spec)
            self._trail.call(self._calls, began, entity_id, f"create {kind}", noted, reply)

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        """See Adapter."""
        began = self._trail.now()
        reply = self._adapter.run(entity_id, operation, arguments, save_as, callback)
        self._trail.call(self._calls, began, entity_id, operation, arguments, reply)
        return reply

    def close(self, entity_id: str) -> None:
        """See Adapter."""
        self._adapter.close(entity_id)

    def reset(self) -> None:
        """See Adapter."""
        self._adapter.reset()

    def shutdown(self) -> None:
        """See Adapter."""
        self._adapter.shutdown()

    def logic(self, name: str, arguments: JsonObject) -> Json:
        """See Adapter."""
        return self._adapter.logic(name, arguments)


_END_SESSIONS: Final = "killAllSessions"
"""What the harness does after every failure; peers have no sessions that could be left over."""


class Unrecorded(AdapterError):
    """A record has no answer to a call."""


class Answering:
    """The adapter of a control, without servers: it answers as it is recorded, call by call.

    Where a call was made more often than it is recorded, its last answer holds. `real` gives a
    call as it is recorded, with the servers' own addresses. Safe on many threads.
    """

    def __init__(self, calls: Sequence[Any], real: Callable[[Json], Json]) -> None:
        self.info = DriverInfo("record", "1", "none", frozenset())
        self._real = real
        self._lock = threading.Lock()
        self._answers: dict[str, list[Any]] = {}
        self.missing: list[str] = []
        """What was called and is not recorded."""
        for call in calls:
            for key in self._keys(call["entity"], call["name"], call["arguments"]):
                self._answers.setdefault(key, []).append(call)

    def open(self, sink: EventSink) -> None:
        """Nothing is published."""

    def create(self, kind: str, entity_id: str, spec: JsonObject) -> None:
        """Nothing has to be made."""

    def run(
        self,
        entity_id: str,
        operation: str,
        arguments: JsonObject,
        save_as: str | None = None,
        callback: Callback | None = None,
    ) -> Reply:
        """The recorded reply. Raises Unrecorded."""
        with self._lock:
            for key in self._keys(entity_id, operation, arguments):
                if calls := self._answers.get(key):
                    return _reply(calls.pop(0) if len(calls) > 1 else calls[0])
            command = arguments.get("commandName", operation)
            if command == _END_SESSIONS:
                return Reply({"ok": 1})
            what = f"the harness's own {command}"
            self.missing.append(what)
        raise Unrecorded(f"the record has no reply to {what}")

    def close(self, entity_id: str) -> None:
        """Nothing is open."""

    def reset(self) -> None:
        """Nothing is open."""

    def shutdown(self) -> None:
        """Nothing is open."""

    def logic(self, name: str, arguments: JsonObject) -> Json:
        """No control asks."""
        raise Unrecorded(name)

    def _keys(self, entity: str, name: str, arguments: JsonObject) -> tuple[str, str]:
        """What has to agree: all; or all but which server was asked."""
        what = json.dumps(self._real([name, arguments]), sort_keys=True)
        return f"{self._real(entity)} {what}", what


def _reply(call: Any) -> Reply:
    error = call.get("error")
    if error is None:
        return Reply(call.get("result"))
    return Reply(error=ErrorReport(error["message"], error["kind"], code=error.get("code")))
