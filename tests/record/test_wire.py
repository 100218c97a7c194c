"""Frames of bytes and what is in them; whatever cannot be read passes."""

from __future__ import annotations

import asyncio

import pytest

from runners.adapters.reference_bson import from_json
from runners.record.wire import (
    BIGGEST,
    CHECKSUM,
    HEADER,
    OP_MSG,
    OP_QUERY,
    OP_REPLY,
    Message,
    NoMessage,
    answer,
    parse,
    read_frame,
)
from tests.record.messages import op_query, request

ONE = {"$numberInt": "1"}


def framed(op: int, rest: bytes) -> bytes:
    return HEADER.pack(HEADER.size + len(rest), 7, 0, op) + rest


def test_a_command_with_a_sequence_and_a_checksum() -> None:
    document, item = from_json({"insert": "c", "$db": "d"}), from_json({"_id": 1})
    section = b"documents\0" + item + item
    size = (4 + len(section)).to_bytes(4, "little")
    flags = CHECKSUM.to_bytes(4, "little")
    found = parse(framed(OP_MSG, flags + b"\1" + size + section + b"\0" + document + b"abcd"))
    assert found.body == {"insert": "c", "$db": "d", "documents": [{"_id": ONE}, {"_id": ONE}]}
    assert (found.command, found.document, found.flags) == ("insert", document, CHECKSUM)


def test_a_first_hello_and_its_reply() -> None:
    asked = parse(op_query({"isMaster": 1}, 5))
    assert asked.body == {"isMaster": ONE, "$db": "admin"}
    told = parse(answer(asked, from_json({"ok": 1}), 9, 5))
    assert (told.op, told.id, told.response_to, told.body) == (OP_REPLY, 9, 5, {"ok": ONE})


@pytest.mark.parametrize(
    "frame",
    [
        framed(OP_MSG, b""),
        framed(OP_MSG, b"\0\0\0\0\0\xff\0\0\0"),
        framed(OP_MSG, b"\0\0\0\0\2\5\0\0\0\0"),
        framed(OP_MSG, b"\0\0\0\0\1\xff\xff\xff\xff"),
        framed(OP_MSG, b"\0\0\0\0\0\6\0\0\0\x42\0"),
        framed(OP_QUERY, b"\0\0\0\0no end"),
        framed(OP_REPLY, b"short"),
        framed(2012, b"compressed"),
    ],
)
def test_what_cannot_be_read_has_no_body(frame: bytes) -> None:
    assert parse(frame).body is None
    assert parse(frame).command == ""


def read(data: bytes) -> bytes | None:
    async def reading() -> bytes | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_frame(reader)

    return asyncio.run(reading())


def test_frames_end_with_the_connection() -> None:
    frame = request({"ping": 1})
    assert read(frame + b"rest") == frame
    assert read(b"") is None
    assert read(frame[:-1]) is None


@pytest.mark.parametrize("size", [-1, 0, 15, BIGGEST + 1])
def test_a_length_that_cannot_be(size: int) -> None:
    with pytest.raises(NoMessage, match=str(size)):
        read(size.to_bytes(4, "little", signed=True) + bytes(12))


def test_answers_say_what_they_answer() -> None:
    told = parse(answer(Message(OP_MSG, 3, 0), from_json({"ok": 1}), 8, 3, 2))
    assert (told.op, told.id, told.response_to, told.flags) == (OP_MSG, 8, 3, 2)
