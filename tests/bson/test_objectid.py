"""ObjectId, with the test plan of the bson-objectid specification."""

from __future__ import annotations

import copy
import os
import pickle
from datetime import UTC, datetime, timedelta, timezone

import pytest

from driver.bson import InvalidId, ObjectId, objectid
from tests.bson.samples import OID

HEX = "0123456789abcdef01234567"


def test_forms() -> None:
    assert str(ObjectId(HEX)) == HEX
    assert ObjectId(HEX.upper()) == OID
    assert ObjectId(bytes.fromhex(HEX)).binary == bytes.fromhex(HEX)
    assert ObjectId(OID) == OID
    assert repr(OID) == f"ObjectId('{HEX}')"


@pytest.mark.parametrize("value", ["", "x" * 24, HEX[:-1], HEX + "0", "00 " * 8, b"", b"x" * 13])
def test_malformed(value: str | bytes) -> None:
    with pytest.raises(InvalidId, match="24 hexadecimal digits"):
        ObjectId(value)
    assert not ObjectId.is_valid(value)


def test_wrong_type() -> None:
    with pytest.raises(TypeError, match="not int"):
        ObjectId(5)  # type: ignore[arg-type]
    assert not ObjectId.is_valid(5)
    assert not ObjectId.is_valid(None)
    assert ObjectId.is_valid(HEX)


@pytest.mark.parametrize(
    ("seconds", "when"),
    [
        ("00000000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("7fffffff", datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC)),
        ("80000000", datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC)),
        ("ffffffff", datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)),
    ],
)
def test_generation_time(seconds: str, when: datetime) -> None:
    assert ObjectId(seconds + "0" * 16).generation_time == when
    assert ObjectId.from_datetime(when) == ObjectId(seconds + "0" * 16)
    assert ObjectId.from_datetime(when.replace(tzinfo=None)) == ObjectId(seconds + "0" * 16)


def test_from_datetime_knows_offsets() -> None:
    east = timezone(timedelta(hours=1))
    assert ObjectId.from_datetime(datetime(1970, 1, 1, 1, tzinfo=east)).binary == bytes(12)
    with pytest.raises(OverflowError):
        ObjectId.from_datetime(datetime(1969, 1, 1))


def test_new_ids_count_up() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    first, second = ObjectId().binary, ObjectId().binary
    assert ObjectId(first).generation_time >= before
    assert first[4:9] == second[4:9]
    step = int.from_bytes(second[9:], "big") - int.from_bytes(first[9:], "big")
    assert step % (1 << 24) == 1


def test_counter_wraps() -> None:
    objectid.generator.restart(0xFFFFFF)
    assert ObjectId().binary[9:] == b"\xff\xff\xff"
    assert ObjectId().binary[9:] == b"\0\0\0"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_draws_anew() -> None:
    mine = ObjectId().binary[4:9]
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, ObjectId().binary)
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reader, 12)[4:9]
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 5
    assert theirs != mine


def test_order_hash_and_copies() -> None:
    low, high = ObjectId("0" * 24), ObjectId("f" * 24)
    assert low < high
    assert low <= high
    assert high > low
    assert high >= low
    assert {low, ObjectId("0" * 24)} == {low}
    assert low != "0" * 24
    assert pickle.loads(pickle.dumps(OID)) == copy.deepcopy(OID) == OID
    with pytest.raises(TypeError):
        assert low < 5
