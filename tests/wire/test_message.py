"""Messages: what is built can be read, and bytes that are no reply only ever say so."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from driver.bson import BSONError, CodecOptions, decode, encode
from driver.errors import ProtocolError
from driver.wire.header import Bytes
from driver.wire.message import (
    EXHAUST_ALLOWED,
    MORE_TO_COME,
    Reply,
    op_msg,
    op_query,
    parse_reply,
)
from tests.engine.scripted import op_msg_reply, op_reply

CODEC = CodecOptions()
DOCUMENTS = st.dictionaries(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=20),
    max_size=5,
)
IDS = st.integers(0, 2**31 - 1)
A_REPLY = op_msg_reply(7, {"ok": 1.0, "cursor": {"id": 0, "firstBatch": [{"a": "b"}]}})
OLD_REPLY = op_reply(7, {"ok": 1.0, "ismaster": True})
BOTH = pytest.mark.parametrize("whole", [A_REPLY, OLD_REPLY], ids=["OP_MSG", "OP_REPLY"])


def parsed(data: bytes | bytearray) -> Reply:
    return parse_reply(memoryview(data))


def with_length(data: bytes, length: int | None = None) -> bytes:
    """The frame with an honest (or just this) length in its header."""
    return struct.pack("<i", len(data) if length is None else length) + data[4:]


def framed(op_code: int, body: bytes) -> bytes:
    return struct.pack("<iiii", 16 + len(body), 1, 7, op_code) + body


def flagged(flags: int, body: bytes) -> bytes:
    return framed(2013, struct.pack("<I", flags) + body)


EMPTY = b"\0" + encode({})


# Built and read.


@given(DOCUMENTS, IDS)
def test_a_message_reads_as_the_document_it_was_built_of(
    document: dict[str, Any], number: int
) -> None:
    reply = parsed(b"".join(op_msg(number, document, CODEC)))
    assert (reply.request_id, reply.response_to, reply.more_to_come) == (number, 0, False)
    assert decode(reply.document) == document


@given(DOCUMENTS, IDS)
def test_both_kinds_of_replies_name_their_request(document: dict[str, Any], number: int) -> None:
    for make in (op_msg_reply, op_reply):
        reply = parsed(make(number, document))
        assert reply.response_to == number
        assert decode(reply.document) == document


def test_an_op_msg_byte_by_byte() -> None:
    message = b"".join(op_msg(5, {"a": 1}, CODEC, flags=MORE_TO_COME))
    document = encode({"a": 1})
    assert message == struct.pack("<iiiiIB", 33, 5, 0, 2013, 2, 0) + document


MUCH, LITTLE = encode({"x": "x" * 100_000}), b"".join(encode({"x": i}) for i in range(3))


@pytest.mark.parametrize(
    ("some", "other"),
    [(LITTLE, encode({})), (MUCH, LITTLE), (LITTLE, MUCH), (MUCH, MUCH), (memoryview(MUCH), b"")],
)
def test_document_sequences_follow_the_document(some: Bytes, other: Bytes) -> None:
    parts = op_msg(5, {"a": 1}, CODEC, sequences=[("documents", some), ("nsInfo", other)])
    alone = b"".join(op_msg(5, {"a": 1}, CODEC))
    expected = alone[4:]
    for name, documents in ((b"documents", some), (b"nsInfo", other)):
        body = name + b"\0" + documents
        expected += b"\x01" + struct.pack("<i", 4 + len(body)) + body
    assert b"".join(parts) == struct.pack("<i", 4 + len(expected)) + expected


def test_an_op_query_byte_by_byte() -> None:
    document = encode({"isMaster": 1})
    body = struct.pack("<i", 4) + b"admin.$cmd\0" + struct.pack("<ii", 0, -1) + document
    expected = struct.pack("<iiii", 16 + len(body), 9, 0, 2004) + body
    assert op_query(9, {"isMaster": 1}, CODEC) == [expected]


def test_much_data_is_not_copied() -> None:
    parts = op_msg(5, {"a": 1}, CODEC, sequences=[("documents", MUCH)])
    assert [part is MUCH for part in parts] == [False, True]


# Flags.


@pytest.mark.parametrize(("flags", "more"), [(0, False), (1 << 16, False), (MORE_TO_COME, True)])
def test_a_reply_says_whether_more_come(flags: int, more: bool) -> None:
    assert parsed(op_msg_reply(1, {"ok": 1}, flags)).more_to_come is more


def test_a_checksum_is_no_part_of_the_document() -> None:
    reply = parsed(flagged(1, EMPTY + b"\xde\xad\xbe\xef"))
    assert bytes(reply.document) == encode({})


@pytest.mark.parametrize("bit", range(2, 16))
def test_required_flags_that_nobody_knows_are_refused(bit: int) -> None:
    with pytest.raises(ProtocolError, match=f"unknown required flags {1 << bit:#x}"):
        parsed(flagged(1 << bit, EMPTY))


@pytest.mark.parametrize("flags", [EXHAUST_ALLOWED, 1 << 31])
def test_optional_flags_are_ignored(flags: int) -> None:
    assert bytes(parsed(flagged(flags, EMPTY)).document) == encode({})


# What is no reply.


@BOTH
def test_every_truncation_is_a_protocol_error(whole: bytes) -> None:
    for size in range(len(whole)):
        with pytest.raises(ProtocolError):
            parsed(whole[:size])
    for size in range(16, len(whole)):
        with pytest.raises(ProtocolError):
            parsed(with_length(whole[:size]))


@BOTH
def test_bytes_after_the_document_are_a_protocol_error(whole: bytes) -> None:
    with pytest.raises(ProtocolError, match="document claims"):
        parsed(with_length(whole + b"\0"))
    with pytest.raises(ProtocolError, match="in a frame of"):
        parsed(whole + b"\0")


@pytest.mark.parametrize("size", [-1, 0, 4, 6, 2**31 - 1])
def test_a_document_that_lies_about_its_size(size: int) -> None:
    body = struct.pack("<i", size) + b"\0"
    with pytest.raises(ProtocolError, match=f"OP_MSG whose document claims {size} bytes"):
        parsed(flagged(0, b"\0" + body))
    with pytest.raises(ProtocolError, match=f"OP_REPLY whose document claims {size} bytes"):
        parsed(framed(1, struct.pack("<iqii", 8, 0, 0, 1) + body))


def test_four_bytes_are_no_document() -> None:
    body = struct.pack("<i", 4)
    with pytest.raises(ProtocolError, match="OP_MSG whose document claims 4 bytes"):
        parsed(flagged(0, b"\0" + body))
    with pytest.raises(ProtocolError, match="OP_REPLY whose document claims 4 bytes"):
        parsed(framed(1, struct.pack("<iqii", 8, 0, 0, 1) + body))


@pytest.mark.parametrize("count", [-1, 0, 2])
def test_an_op_reply_has_one_document(count: int) -> None:
    body = struct.pack("<iqii", 8, 0, 0, count) + encode({})
    with pytest.raises(ProtocolError, match=f"{count} documents"):
        parsed(framed(1, body))


def test_a_section_of_another_kind_is_refused() -> None:
    section = b"\x01" + struct.pack("<i", 4 + 2 + 5) + b"d\0" + encode({})
    with pytest.raises(ProtocolError, match="section of kind 1"):
        parsed(flagged(0, section))


@pytest.mark.parametrize("flags", [0, 1])
def test_a_message_without_sections_is_refused(flags: int) -> None:
    with pytest.raises(ProtocolError, match="without sections"):
        parsed(flagged(flags, b"\0" * 4 * flags))


@pytest.mark.parametrize("op_code", [0, 2004, 2014, -1])
def test_another_op_code_is_refused(op_code: int) -> None:
    with pytest.raises(ProtocolError, match=f"op code {op_code};"):
        parsed(framed(op_code, struct.pack("<I", 0) + EMPTY))


@BOTH
@settings(max_examples=300)
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6)
)
@example(changes=[(21, 0xFF), (22, 0xFF), (23, 0xFF), (24, 0x7F)])
def test_corrupt_bytes_are_a_protocol_error_or_no_bson(
    whole: bytes, changes: list[tuple[int, int]]
) -> None:
    corrupt = bytearray(whole)
    for place, value in changes:
        corrupt[place % len(corrupt)] = value
    frames_document_or_raises(bytes(corrupt))


@settings(max_examples=300)
@given(st.binary(max_size=80), st.sampled_from([1, 2013]))
def test_random_bytes_are_a_protocol_error_or_no_bson(body: bytes, op_code: int) -> None:
    frames_document_or_raises(framed(op_code, body))


def frames_document_or_raises(frame: bytes) -> None:
    """A frame is refused with ProtocolError, or gives bytes that only the codec can judge."""
    try:
        document = parsed(frame).document
    except ProtocolError:
        return
    assert bytes(document) in frame
    try:
        decode(document)
    except BSONError:
        return
