"""Messages as drivers and servers send them, and as records have them; a driver's connection."""

from __future__ import annotations

import socket
from typing import Any, Final

from runners.adapters.reference_bson import from_json
from runners.model import Json, JsonObject
from runners.record.trail import Trail
from runners.record.wire import HEADER, OP_MSG, OP_QUERY, Message, answer, parse

TIMEOUT: Final = 30
HELLO: JsonObject = {
    "ok": 1,
    "isWritablePrimary": True,
    "hosts": ["a:1", "b:2"],
    "me": "a:1",
    "primary": "b:2",
    "compression": ["zlib"],
}


def request(body: JsonObject, id_: int = 1, flags: int = 0) -> bytes:
    """A command as OP_MSG."""
    return answer(Message(OP_MSG, id_, 0), from_json(body), id_, 0, flags)


def reply(body: JsonObject, to: int, id_: int = 100, flags: int = 0) -> bytes:
    """A reply as OP_MSG."""
    return answer(Message(OP_MSG, to, 0), from_json(body), id_, to, flags)


def op_query(body: JsonObject, id_: int = 1) -> bytes:
    """A command as OP_QUERY."""
    rest = b"\0\0\0\0admin.$cmd\0" + b"\0\0\0\0" + b"\xff\xff\xff\xff" + from_json(body)
    return HEADER.pack(HEADER.size + len(rest), id_, 0, OP_QUERY) + rest


class Client:
    """A driver's end of a connection."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)), TIMEOUT)

    def send(self, frame: bytes) -> None:
        self._socket.sendall(frame)

    def receive(self) -> Message | None:
        """The next message; None where the peer closed the connection."""
        header = self._exactly(HEADER.size)
        if header is None:
            return None
        rest = self._exactly(HEADER.unpack(header)[0] - HEADER.size)
        assert rest is not None
        return parse(header + rest)

    def ask(self, body: JsonObject, id_: int = 1, flags: int = 0) -> JsonObject | None:
        """The reply to a command."""
        self.send(request(body, id_, flags))
        told = self.receive()
        assert told is None or told.response_to == id_
        return None if told is None else told.body

    def close(self) -> None:
        self._socket.close()

    def _exactly(self, size: int) -> bytes | None:
        found = b""
        while len(found) < size:
            more = self._socket.recv(size - len(found))
            if not more:
                return None
            found += more
        return found


class Scene:
    """Makes the messages of a record, in order of time."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._at = 0.0
        self._id = 0

    def asked(
        self, body: JsonObject, *replies: JsonObject, server: str = "a:1", connection: int = 1
    ) -> Scene:
        """The driver sent a command, and got these replies."""
        self._id += 1
        name, asked = next(iter(body)), self._id
        self._add(server, connection, "driver", name, request(body, asked))
        to = asked
        for number, each in enumerate(replies):
            self._id += 1
            more = 2 if number < len(replies) - 1 else 0
            self._add(server, connection, "server", name, reply(each, to, self._id, more))
            to = self._id
        return self

    def closed(self, by: str, server: str = "a:1", connection: int = 1) -> Scene:
        """The connection ended."""
        self._at += 0.01
        ended: JsonObject = {"at": self._at, "server": server, "connection": connection}
        self.messages.append({**ended, "from": by, "closed": True})
        return self

    def _add(self, server: str, connection: int, by: str, name: str, frame: bytes) -> None:
        trail = Trail()
        trail.message(server, connection, by, name, parse(frame), frame)
        (entry,) = trail.messages
        assert isinstance(entry, dict)
        self._at += 0.01
        self.messages.append({**entry, "at": self._at})


def find(value: Json, **more: Json) -> JsonObject:
    """A command to tell from others by its filter."""
    return {"find": "coll", "filter": {"_id": value}, "$db": "db", **more}
