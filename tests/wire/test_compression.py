"""OP_COMPRESSED: what is packed can be unpacked, and nothing unpacks to more than is allowed."""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driver.bson import BSONError, CodecOptions, decode
from driver.errors import ProtocolError
from driver.wire import compression
from driver.wire.compression import Compressor, compress, compressor, expand, negotiate
from driver.wire.message import op_msg, parse_reply
from tests.engine.scripted import op_msg_reply, op_reply

NAMES = ("snappy", "zlib", "zstd")
EVERY = pytest.mark.parametrize("name", NAMES)
IDS = {"noop": 0, "snappy": 1, "zlib": 2, "zstd": 3}
LIMIT = 10_000
MANY_ZEROS = bytes(50_000_000)


def wrapped(packed: bytes, number: int, size: int, op_code: int = 2013) -> bytes:
    """A frame of OP_COMPRESSED with these claims."""
    body = struct.pack("<iiB", op_code, size, number) + packed
    return struct.pack("<iiii", 16 + len(body), 1, 7, 2012) + body


def refused(frame: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(ProtocolError) as caught:
        parse_reply(memoryview(frame), limit)
    return str(caught.value)


@EVERY
@given(st.binary(max_size=3000), st.integers(0, 2**31 - 1))
@settings(max_examples=50)
def test_a_message_is_wrapped_and_unwrapped(name: str, data: bytes, request_id: int) -> None:
    message = b"".join(op_msg(request_id, {"ping": 1, "data": data}, CodecOptions()))
    frame = compress(message, compressor(name))
    length, request, response_to, op_code = struct.unpack_from("<iiii", frame)
    assert (length, request, response_to, op_code) == (len(frame), request_id, 0, 2012)
    original, size, number = struct.unpack_from("<iiB", frame, 16)
    assert (original, size, number) == (2013, len(message) - 16, IDS[name])
    unwrapped, body = expand(memoryview(frame), LIMIT)
    assert (unwrapped, bytes(body)) == (2013, bytes(message[16:]))


@pytest.mark.parametrize("name", [*NAMES, "noop"])
@pytest.mark.parametrize("reply", [op_msg_reply(7, {"ok": 1}), op_reply(7, {"ok": 1})])
def test_replies_of_either_kind_are_unwrapped(name: str, reply: bytes) -> None:
    (op_code,) = struct.unpack_from("<i", reply, 12)
    packed = reply[16:] if name == "noop" else compressor(name).pack(memoryview(reply)[16:])
    frame = wrapped(packed, IDS[name], len(reply) - 16, op_code)
    parsed = parse_reply(memoryview(frame), LIMIT)
    assert decode(parsed.document) == {"ok": 1}
    assert parsed.response_to == 7


def test_the_level_of_zlib_is_used() -> None:
    data = memoryview(bytes(range(256)) * 20)
    assert compressor("zlib", 0).pack(data) == zlib.compress(data, 0)
    assert compressor("zlib", 9).pack(data) == zlib.compress(data, 9)
    assert len(compressor("zlib", 0).pack(data)) > len(data)


# What a peer may not do.


@EVERY
def test_a_bomb_is_not_unpacked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = compressor(name).pack(memoryview(MANY_ZEROS))
    made: list[int] = []

    def measured(number: int) -> Compressor:
        real = compressor(name)

        def unpack(data: memoryview, size: int) -> bytes:
            body = real.unpack(data, size)
            made.append(len(body))
            return body

        return Compressor(number, name, real.pack, unpack)

    monkeypatch.setattr(compression, "_unpacker", measured)
    assert "50000000 bytes; 10000 are allowed" in refused(wrapped(packed, IDS[name], 50_000_000))
    refused(wrapped(packed, IDS[name], 5000))
    assert all(size <= 5001 for size in made)


@EVERY
@pytest.mark.parametrize("wrong", [-1, 1])
def test_the_claimed_size_must_be_the_size(name: str, wrong: int) -> None:
    body = op_msg_reply(7, {"ok": 1})[16:]
    packed = compressor(name).pack(memoryview(body))
    refused(wrapped(packed, IDS[name], len(body) + wrong))


@pytest.mark.parametrize("size", [-1, -(2**31), LIMIT - 15, 2**31 - 1])
def test_a_size_out_of_bounds_is_refused(size: int) -> None:
    assert "are allowed" in refused(wrapped(b"", 2, size))


@pytest.mark.parametrize("number", [4, 255])
def test_an_unknown_compressor_is_refused(number: int) -> None:
    assert f"unknown way {number}" in refused(wrapped(b"", number, 5))


def test_a_wrapping_within_a_wrapping_is_refused() -> None:
    inner = wrapped(b"", 0, 0)[16:]
    assert "op code 2012" in refused(wrapped(inner, 0, len(inner), 2012))


@pytest.mark.parametrize("size", range(9))
def test_a_wrapping_that_ends_too_early_is_refused(size: int) -> None:
    header = struct.pack("<iiii", 16 + size, 1, 7, 2012)
    assert "ends too early" in refused(header + bytes(size))


@settings(max_examples=300)
@given(st.binary(max_size=200), st.integers(0, 5), st.integers(-5, 400))
def test_random_bytes_are_a_protocol_error_or_no_bson(
    packed: bytes, number: int, size: int
) -> None:
    try:
        document = parse_reply(memoryview(wrapped(packed, number, size)), LIMIT).document
    except ProtocolError:
        return
    try:
        decode(document)
    except BSONError:
        return


# Negotiation.


@pytest.mark.parametrize(
    ("theirs", "chosen"),
    [
        (["zlib", "zstd"], "zstd"),
        (["zlib"], "zlib"),
        (["lz4"], None),
        ([], None),
        (None, None),
        ("zstd", None),
        ([1, {}], None),
    ],
)
def test_the_clients_order_decides(theirs: object, chosen: str | None) -> None:
    mine = [compressor("zstd"), compressor("zlib")]
    found = negotiate(mine, theirs)
    assert (found.name if found else None) == chosen


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for package in ("cramjam", "backports", "backports.zstd", "compression", "compression.zstd"):
        monkeypatch.setitem(sys.modules, package, None)
    compressor.cache_clear()
    compression._unpacker.cache_clear()
    yield
    compressor.cache_clear()
    compression._unpacker.cache_clear()


@pytest.mark.usefixtures("no_packages")
@pytest.mark.parametrize("name", ["snappy", "zstd"])
def test_without_the_package_a_message_is_refused(name: str) -> None:
    with pytest.raises(ImportError):
        compressor(name)
    assert "not offered" in refused(wrapped(b"x", IDS[name], 5))
