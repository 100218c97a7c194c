"""What servers answered, as a script for peers: which recorded reply belongs to which request."""

from __future__ import annotations

import base64
import binascii
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from runners.model import Json, JsonObject
from runners.record.secrets import HELLO
from runners.record.wire import MORE_TO_COME, Message, parse
from runners.unified.values import number

_OF_A_RUN: Final = frozenset({"lsid", "$clusterTime", "txnNumber", "maxTimeMS", "topologyVersion"})
"""Fields of a command that differ from run to run."""
_GENERATED: Final = frozenset({"$oid", "$uuid", "$date"})
_ABSENT: Final = object()


@dataclass(slots=True)
class Exchange:
    """A recorded request, and what came of it: replies, each so long after the request.

    `closed` is when the server closed the connection instead of a further reply; `left` when the
    driver did.
    """

    name: str
    fields: JsonObject
    at: float
    replies: list[tuple[float, Message]] = field(default_factory=list)
    closed: float | None = None
    left: float | None = None


class Script:
    """The exchanges of a record. Each is taken once, the nearest and earliest one first."""

    def __init__(self, messages: Iterable[Any]) -> None:
        self._left: dict[tuple[str, ...], list[Exchange]] = {}
        self._lock = threading.Lock()
        self._hellos: dict[str, Message] = {}
        self._substituted: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        connections: dict[int, _Connection] = {}
        for message in messages:
            number, server = message["connection"], message["server"]
            connection = connections.setdefault(number, _Connection())
            if message.get("closed"):
                connection.end(message["at"], message["from"])
            elif message["from"] == "driver":
                request = connection.request(message)
                if request is not None:
                    key = key_of(server, request.fields)
                    self._left.setdefault(key, []).append(request)
            else:
                reply = connection.reply(message)
                if reply is not None and reply[0].name in HELLO and is_news(reply[1]):
                    self._hellos.setdefault(server, reply[1])

    def take(self, server: str, fields: JsonObject) -> Exchange | None:
        """What is recorded of a request with these fields (see `fields_of`); None if nothing."""
        name = next(iter(fields))
        with self._lock:
            left = self._left.get(key_of(server, fields), [])
            nearest = min(left, key=lambda each: len(differing(each.fields, fields)), default=None)
            if nearest is not None:
                left.remove(nearest)
                if name not in HELLO and (others := differing(nearest.fields, fields)):
                    self._substituted[f"{name}: {', '.join(others)}"] += 1
            return nearest

    def hello(self, server: str) -> Message | None:
        """What a server said of itself last, in the order that this script was taken in."""
        with self._lock:
            return self._hellos.get(server)

    def said(self, server: str, hello: Message) -> None:
        """A server says this of itself from now on, unless it is an error."""
        if is_news(hello):
            with self._lock:
                self._hellos[server] = hello

    def miss(self, name: str) -> None:
        """A request could not be answered from the record."""
        with self._lock:
            self._missing[name] += 1

    @property
    def missing(self) -> list[str]:
        """The commands that the record has no reply for, and how often they were sent."""
        return _listed(self._missing)

    @property
    def substituted(self) -> list[str]:
        """The commands that differ from those whose replies they got, and in which fields."""
        return _listed(self._substituted)


class _Connection:
    """A recorded connection, while its messages are read in order."""

    def __init__(self) -> None:
        self._application = ""
        self._waiting: dict[int, Exchange] = {}

    def request(self, message: Any) -> Exchange | None:
        """What the driver asked; None where that could not be read."""
        if not message["body"]:
            return None
        fields = fields_of(message["body"], self._application)
        name = next(iter(message["body"]))
        if name in HELLO:
            self._application = str(fields.get("application", ""))
        exchange = Exchange(name, fields, message["at"])
        if not message["header"]["flags"] & MORE_TO_COME:
            self._waiting[message["header"]["requestId"]] = exchange
        return exchange

    def reply(self, message: Any) -> tuple[Exchange, Message] | None:
        """What the server said, and to what; None where a record cannot say."""
        header = message["header"]
        exchange = self._waiting.pop(header["responseTo"], None)
        if exchange is None:
            return None
        if header["flags"] & MORE_TO_COME:
            self._waiting[header["requestId"]] = exchange
        if message["raw"] is None:
            return None
        reply = parse(raw(message))
        exchange.replies.append((message["at"] - exchange.at, reply))
        return exchange, reply

    def end(self, at: float, by: str) -> None:
        """The connection ended."""
        for exchange in self._waiting.values():
            if by == "server":
                exchange.closed = at - exchange.at
            else:
                exchange.left = at - exchange.at


def is_news(hello: Message) -> bool:
    """Whether a reply to hello is none that a fail point made."""
    return hello.body is not None and number(hello.body.get("ok")) == 1


def raw(message: Any) -> bytes:
    """The bytes of a recorded message. Raises ValueError where they are none."""
    data = base64.b64decode(message["raw"], validate=True)
    if len(data) < 16:
        raise binascii.Error("a message is shorter than its header")
    return data


def fields_of(body: JsonObject, application: str) -> JsonObject:
    """What tells a request from others: its body without what differs from run to run.

    A hello has the name of the application that its connection is of.
    """
    fields: JsonObject = {
        name: _steady(value) for name, value in body.items() if name not in _OF_A_RUN
    }
    if next(iter(body)) in HELLO:
        client = body.get("client")
        about = client.get("application") if isinstance(client, dict) else None
        named = about.get("name") if isinstance(about, dict) else None
        fields["application"] = named if isinstance(named, str) else application
        fields["awaited"] = "topologyVersion" in body
    return fields


def key_of(server: str, fields: JsonObject) -> tuple[str, ...]:
    """What has to be the same: command and database; of a hello the server, and whether it waits.

    Other requests get replies in the order of the record, whichever server they went to: drivers
    choose among servers at random.
    """
    name = next(iter(fields))
    if name in HELLO:
        return "hello", server, str(fields["awaited"])
    return name, str(fields.get("$db"))


def differing(one: JsonObject, other: JsonObject) -> list[str]:
    """The fields in which two requests differ."""
    names = dict.fromkeys((*one, *other))
    return [name for name in names if one.get(name, _ABSENT) != other.get(name, _ABSENT)]


def _steady(value: Json) -> Json:
    """A value without what drivers generate: ObjectIds, UUIDs, the present time."""
    if isinstance(value, list):
        return [_steady(each) for each in value]
    if isinstance(value, dict):
        if _GENERATED & value.keys() or _is_uuid(value.get("$binary")):
            return "generated"
        return {name: _steady(each) for name, each in value.items()}
    return value


def _is_uuid(binary: Json) -> bool:
    return isinstance(binary, dict) and binary.get("subType") == "04"


def _listed(counts: Counter[str]) -> list[str]:
    return [f"{what} ({times} times)" if times > 1 else what for what, times in counts.items()]
