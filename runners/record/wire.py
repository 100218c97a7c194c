"""Messages as a proxy sees them: frames of bytes, and what is in them.

Specs: wire protocol, "OP_MSG"; OP_QUERY and OP_REPLY for a connection's first hello. What cannot be
read has no body, and passes all the same: a driver under test may send anything.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass
from struct import Struct
from typing import Final

from runners.adapters.reference_bson import to_json
from runners.model import Json, JsonObject

HEADER: Final = Struct("<iiii")
BIGGEST: Final = 48_000_000 + 16_384
"""Bytes of a message: what servers accept, and its header."""
OP_REPLY: Final = 1
OP_QUERY: Final = 2004
OP_MSG: Final = 2013
CHECKSUM: Final = 1
MORE_TO_COME: Final = 1 << 1
EXHAUST_ALLOWED: Final = 1 << 16

_INT: Final = Struct("<i")
_UINT: Final = Struct("<I")
_REPLY: Final = Struct("<iqii")
_KIND_DOCUMENT, _KIND_SEQUENCE = 0, 1


class NoMessage(ValueError):
    """The bytes are no message of the wire protocol."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message; `body` is its command or reply, with document sequences as lists, None if unread.

    `document` is the BSON of its main document.
    """

    op: int
    id: int
    response_to: int
    flags: int = 0
    body: JsonObject | None = None
    document: bytes = b""

    @property
    def command(self) -> str:
        """The command's name, in a request; empty where it was not read."""
        return next(iter(self.body), "") if self.body else ""


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next message's bytes; None at the end. Raises NoMessage for a length that cannot be."""
    try:
        header = await reader.readexactly(HEADER.size)
        (size,) = _INT.unpack_from(header)
        if not HEADER.size <= size <= BIGGEST:
            raise NoMessage(f"a message cannot have {size} bytes")
        return header + await reader.readexactly(size - HEADER.size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def parse(frame: bytes) -> Message:
    """What is in a frame that `read_frame` gave, as far as it can be read."""
    _, id_, response_to, op = HEADER.unpack_from(frame)
    try:
        if op == OP_MSG:
            return _op_msg(frame, id_, response_to)
        if op == OP_QUERY:
            start = frame.index(b"\0", HEADER.size + _INT.size) + 1 + 2 * _INT.size
            document = _document(frame, start)
            database = frame[HEADER.size + _INT.size : start].partition(b".")[0].decode()
            return Message(op, id_, 0, 0, {**to_json(document), "$db": database}, document)
        if op == OP_REPLY:
            document = _document(frame, HEADER.size + _REPLY.size)
            return Message(op, id_, response_to, 0, to_json(document), document)
    except (ValueError, struct.error, RecursionError):
        pass  # the record has the bytes
    return Message(op, id_, response_to)


def _op_msg(frame: bytes, id_: int, response_to: int) -> Message:
    (flags,) = _UINT.unpack_from(frame, HEADER.size)
    end = len(frame) - (_UINT.size if flags & CHECKSUM else 0)
    position = HEADER.size + _UINT.size
    document, sequences = b"", dict[str, Json]()
    while position < end:
        kind, position = frame[position], position + 1
        (size,) = _INT.unpack_from(frame, position)
        if size < _INT.size or position + size > end:
            raise NoMessage(f"a section cannot have {size} bytes")
        if kind == _KIND_DOCUMENT:
            document = frame[position : position + size]
        elif kind == _KIND_SEQUENCE:
            name, documents = _sequence(frame[position + _INT.size : position + size])
            sequences[name] = documents
        else:
            raise NoMessage(f"there is no section of kind {kind}")
        position += size
    return Message(OP_MSG, id_, response_to, flags, {**to_json(document), **sequences}, document)


def _sequence(section: bytes) -> tuple[str, list[Json]]:
    name, _, rest = section.partition(b"\0")
    documents: list[Json] = []
    position = 0
    while position < len(rest):
        document = _document(rest, position)
        documents.append(to_json(document))
        position += len(document)
    return name.decode(), documents


def _document(data: bytes, start: int) -> bytes:
    (size,) = _INT.unpack_from(data, start)
    if size < 5 or start + size > len(data):
        raise NoMessage(f"a document cannot have {size} bytes")
    return data[start : start + size]


def answer(request: Message, document: bytes, id_: int, response_to: int, flags: int = 0) -> bytes:
    """A reply of one BSON document, in the kind of message that the request came in."""
    if request.op == OP_QUERY:
        body = _REPLY.pack(8, 0, 0, 1) + document
        return HEADER.pack(HEADER.size + len(body), id_, response_to, OP_REPLY) + body
    body = _UINT.pack(flags) + bytes((_KIND_DOCUMENT,)) + document
    return HEADER.pack(HEADER.size + len(body), id_, response_to, OP_MSG) + body
