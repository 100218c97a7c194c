"""OP_MSG, and OP_QUERY/OP_REPLY for the first hello of an old server.

Spec: message/OP_MSG. A message is a list of parts to be sent one after the other, so that much data
need not be copied into it; a reply is read from one view of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct, error
from typing import Any

from driver.bson import CodecOptions, write_document
from driver.errors import ProtocolError
from driver.wire.compression import expand
from driver.wire.header import (
    HEADER,
    HEADER_SIZE,
    MAX_MESSAGE_SIZE,
    OP_COMPRESSED,
    OP_MSG,
    OP_QUERY,
    OP_REPLY,
    Bytes,
)

CHECKSUM_PRESENT = 1
MORE_TO_COME = 1 << 1
EXHAUST_ALLOWED = 1 << 16
_REQUIRED_FLAGS = 0xFFFF
_KNOWN_FLAGS = CHECKSUM_PRESENT | MORE_TO_COME

_MUCH = 64 * 1024  # bytes that are rather sent by themselves than copied

_UINT = Struct("<I")
_INT = Struct("<i")
_OP_MSG_START = Struct("<iiiiIB")
_QUERY_START = Struct("<iiiii")
_REPLY_START = Struct("<iqii")


@dataclass(slots=True)
class Reply:
    """A reply as it came: `document` is BSON, valid as long as the frame it was cut from.

    With `more_to_come`, the peer sends another reply without being asked.
    """

    request_id: int
    response_to: int
    more_to_come: bool
    document: memoryview


def op_msg(
    request_id: int,
    document: Mapping[str, Any],
    options: CodecOptions,
    *,
    sequences: Sequence[tuple[str, Bytes]] = (),
    flags: int = 0,
) -> list[Bytes]:
    """An OP_MSG: the command's document, and its document sequences (already encoded)."""
    head = part = bytearray(_OP_MSG_START.pack(0, request_id, 0, OP_MSG, flags, 0))
    write_document(head, document, options)
    parts: list[Bytes] = [head]
    for identifier, documents in sequences:
        name = identifier.encode() + b"\0"
        size = _INT.size + len(name) + len(documents)
        part += b"\1" + _INT.pack(size) + name
        if len(documents) < _MUCH:
            part += documents
            continue
        part = bytearray()
        parts += (documents, part)
    if not part:
        parts.pop()
    _INT.pack_into(head, 0, sum(map(len, parts)))
    return parts


def op_query(request_id: int, document: Mapping[str, Any], options: CodecOptions) -> list[Bytes]:
    """An OP_QUERY of one document against admin.$cmd: the legacy hello."""
    message = bytearray(HEADER.pack(0, request_id, 0, OP_QUERY))
    message += _INT.pack(4)  # secondaryOk
    message += b"admin.$cmd\0"
    message += _INT.pack(0) + _INT.pack(-1)
    write_document(message, document, options)
    _INT.pack_into(message, 0, len(message))
    return [message]


def parse_reply(frame: memoryview, limit: int = MAX_MESSAGE_SIZE) -> Reply:
    """Cut a reply out of a frame, which unpacked may have `limit` bytes.

    Raises ProtocolError where the bytes are no reply.
    """
    try:
        length, request_id, response_to, op_code = HEADER.unpack_from(frame)
        if length != len(frame):
            raise ProtocolError(f"a message of {length} bytes came in a frame of {len(frame)}")
        body = frame[HEADER_SIZE:]
        if op_code == OP_COMPRESSED:
            op_code, body = expand(frame, limit)
        if op_code == OP_MSG:
            return _parse_op_msg(body, request_id, response_to)
        if op_code == OP_REPLY:
            return _parse_op_reply(body, request_id, response_to)
    except error as short:
        raise ProtocolError(f"the server sent a message that ends too early: {short}") from None
    raise ProtocolError(f"the server sent op code {op_code}; OP_MSG ({OP_MSG}) was expected")


def _parse_op_msg(body: memoryview, request_id: int, response_to: int) -> Reply:
    flags: int = _UINT.unpack_from(body)[0]
    if flags & _REQUIRED_FLAGS & ~_KNOWN_FLAGS:
        raise ProtocolError(f"the server sent an OP_MSG with unknown required flags {flags:#x}")
    end = len(body) - (4 if flags & CHECKSUM_PRESENT else 0)
    start = _UINT.size
    if start >= end:
        raise ProtocolError("the server sent an OP_MSG without sections")
    if body[start] != 0:
        raise ProtocolError(f"the server sent an OP_MSG with a section of kind {body[start]}")
    size: int = _INT.unpack_from(body, start + 1)[0]
    if size < 5 or start + 1 + size != end:
        raise ProtocolError(f"the server sent an OP_MSG whose document claims {size} bytes")
    return Reply(request_id, response_to, bool(flags & MORE_TO_COME), body[start + 1 : end])


def _parse_op_reply(body: memoryview, request_id: int, response_to: int) -> Reply:
    _, _, _, count = _REPLY_START.unpack_from(body)
    start = _REPLY_START.size
    if count != 1:
        raise ProtocolError(f"the server sent an OP_REPLY of {count} documents to a command")
    size: int = _INT.unpack_from(body, start)[0]
    if size < 5 or start + size != len(body):
        raise ProtocolError(f"the server sent an OP_REPLY whose document claims {size} bytes")
    return Reply(request_id, response_to, False, body[start:])
