"""The 16 bytes before every message (wire protocol, "Standard Message Header")."""

from __future__ import annotations

from struct import Struct
from typing import TypeAlias

from driver.errors import ProtocolError

HEADER = Struct("<iiii")
HEADER_SIZE = 16
MAX_MESSAGE_SIZE = 48_000_000  # until the server says otherwise
_LENGTH = Struct("<i")

Bytes: TypeAlias = bytes | bytearray | memoryview

OP_REPLY = 1
OP_QUERY = 2004
OP_COMPRESSED = 2012
OP_MSG = 2013


def frame_length(buffer: bytes | bytearray | memoryview, offset: int, limit: int) -> int:
    """The length that a frame announces, checked: the peer's bytes are not trusted."""
    length: int = _LENGTH.unpack_from(buffer, offset)[0]
    if length < HEADER_SIZE:
        raise ProtocolError(f"a message cannot be {length} bytes long: its header alone is 16")
    if length > limit:
        raise ProtocolError(f"the server announced a message of {length} bytes; {limit} is allowed")
    return length
