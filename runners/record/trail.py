"""What happens while a case runs, as it is seen from outside of the driver."""

from __future__ import annotations

import base64
import threading
import time
from typing import Final

from runners.adapters.base import Reply
from runners.model import Json, JsonObject
from runners.record import secrets
from runners.record.wire import Message
from runners.unified.state import report_json

MOST_BYTES: Final = 16 << 20
"""Of messages; a case with more is not recorded."""


class Trail:
    """Lists that grow as a case runs; times are seconds since it began. Safe on many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._bytes = 0
        self._connections = 0
        self.operations: list[Json] = []
        self.control: list[Json] = []
        self.events: list[Json] = []
        self.messages: list[Json] = []

    def now(self) -> float:
        """Seconds since the case began."""
        return round(time.monotonic() - self._began, 6)

    @property
    def too_long(self) -> bool:
        """Whether messages were left out."""
        return self._bytes > MOST_BYTES

    def connection(self) -> int:
        """The number of a new connection."""
        with self._lock:
            self._connections += 1
            return self._connections

    def message(
        self, server: str, connection: int, sender: str, command: str, message: Message, raw: bytes
    ) -> None:
        """A message went by; `command` is the name of the one that it asks or answers."""
        body, secret = secrets.without(command, message.body)
        entry: JsonObject = {
            "at": self.now(),
            "server": server,
            "connection": connection,
            "from": sender,
            "header": {
                "opCode": message.op,
                "requestId": message.id,
                "responseTo": message.response_to,
                "flags": message.flags,
            },
            "body": body,
            "raw": None if secret else base64.b64encode(raw).decode(),
        }
        with self._lock:
            self._bytes += len(raw)
            if self._bytes <= MOST_BYTES:
                self.messages.append(entry)

    def closed(self, server: str, connection: int, by: str) -> None:
        """A connection ended."""
        entry: JsonObject = {"at": self.now(), "server": server, "connection": connection}
        with self._lock:
            self.messages.append({**entry, "from": by, "closed": True})

    def call(
        self,
        calls: list[Json],
        began: float,
        entity: str,
        name: str,
        arguments: JsonObject,
        reply: Reply,
    ) -> None:
        """A call of an adapter has ended, which began at that time."""
        entry: JsonObject = {
            "at": began,
            "seconds": round(self.now() - began, 6),
            "entity": entity,
            "name": name,
            "arguments": secrets.without_in_arguments(arguments),
        }
        entry |= {"result": reply.result} if reply.error is None else {}
        entry |= {"error": report_json(reply.error)} if reply.error is not None else {}
        with self._lock:
            calls.append(entry)

    def event(self, client: str, name: str, event: JsonObject) -> None:
        """The driver published something; see EventSink."""
        entry: JsonObject = {"at": self.now(), "client": client, "name": name}
        with self._lock:
            self.events.append({**entry, "event": secrets.without_in_event(event)})
