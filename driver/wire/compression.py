"""OP_COMPRESSED: messages in a smaller wrapping (compression spec).

What is unpacked is bounded before it is unpacked: a wrapping of a kilobyte may claim, or hide, any
number of bytes. snappy needs the package cramjam, and zstd before Python 3.14 backports.zstd.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from struct import Struct
from typing import Any, TypeAlias

from driver.errors import ProtocolError
from driver.wire.header import HEADER, HEADER_SIZE, OP_COMPRESSED

_START = Struct("<iiB")  # original op code, size when unpacked, compressor
_WRAPPED = HEADER_SIZE + _START.size

PACKAGES = {"snappy": "cramjam", "zstd": "backports.zstd"}
"""What has to be installed for which compressor, where the standard library has none."""

Pack: TypeAlias = "Callable[[memoryview], bytes]"
Unpack: TypeAlias = "Callable[[memoryview, int], bytes]"


@dataclass(frozen=True, slots=True)
class Compressor:
    """One way to pack. `unpack` takes the size to expect and never makes much more than that."""

    id: int
    name: str
    pack: Pack
    unpack: Unpack


def _noop() -> Compressor:
    return Compressor(0, "noop", bytes, lambda data, size: bytes(data[: size + 1]))


def _snappy() -> Compressor:
    import cramjam  # noqa: PLC0415 - optional

    def unpack(data: memoryview, size: int) -> bytes:
        if cramjam.snappy.decompress_raw_len(data) != size:
            raise ValueError("the snappy data claim another size than the message")
        return bytes(cramjam.snappy.decompress_raw(data))

    return Compressor(1, "snappy", lambda data: bytes(cramjam.snappy.compress_raw(data)), unpack)


def _zlib(level: int = -1) -> Compressor:
    def unpack(data: memoryview, size: int) -> bytes:
        return zlib.decompressobj().decompress(data, size + 1)

    return Compressor(2, "zlib", lambda data: zlib.compress(data, level), unpack)


def _zstd() -> Compressor:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415 - optional

    def unpack(data: memoryview, size: int) -> bytes:
        return zstd.ZstdDecompressor().decompress(data, max_length=size + 1)

    return Compressor(3, "zstd", zstd.compress, unpack)


_BY_ID: tuple[Callable[[], Compressor], ...] = (_noop, _snappy, _zlib, _zstd)


@cache
def compressor(name: str, zlib_level: int = -1) -> Compressor:
    """A compressor by its name in the handshake; ImportError without its package."""
    if name == "zlib":
        return _zlib(zlib_level)
    return {"snappy": _snappy, "zstd": _zstd}[name]()


@cache
def _unpacker(number: int) -> Compressor:
    return _BY_ID[number]()


def negotiate(mine: Sequence[Compressor], theirs: Any) -> Compressor | None:
    """The first of the client's compressors that the server named too."""
    named = theirs if isinstance(theirs, list) else []
    return next((each for each in mine if each.name in named), None)


def compress(message: bytes | bytearray, compressor: Compressor) -> bytes:
    """A whole message, wrapped."""
    _, request_id, response_to, op_code = HEADER.unpack_from(message)
    with memoryview(message) as view:
        packed = compressor.pack(view[HEADER_SIZE:])
    header = HEADER.pack(_WRAPPED + len(packed), request_id, response_to, OP_COMPRESSED)
    size = len(message) - HEADER_SIZE
    return b"".join((header, _START.pack(op_code, size, compressor.id), packed))


def expand(frame: memoryview, limit: int) -> tuple[int, memoryview]:
    """The op code and the body of a wrapped message; at most `limit` bytes with its header."""
    op_code, size, number = _START.unpack_from(frame, HEADER_SIZE)
    if not 0 <= size <= limit - HEADER_SIZE:
        raise ProtocolError(
            f"the server sent a compressed message of {size} bytes; {limit} are allowed"
        )
    if number >= len(_BY_ID):
        raise ProtocolError(f"the server sent a message compressed in the unknown way {number}")
    try:
        unpacker = _unpacker(number)
        body = unpacker.unpack(frame[_WRAPPED:], size)
    except ImportError:
        raise ProtocolError(
            f"the server compressed a message in a way ({number}) that was not offered"
        ) from None
    except Exception as error:
        raise ProtocolError(
            f"the server sent a message that cannot be decompressed: {error}"
        ) from error
    if len(body) != size:
        raise ProtocolError(f"a compressed message claims {size} bytes and has others")
    return op_code, memoryview(body)
