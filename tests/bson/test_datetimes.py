from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from driver.bson import (
    CodecOptions,
    DatetimeConversion,
    DatetimeMS,
    InvalidBSON,
    decode,
    encode,
)

EAST = timezone(timedelta(hours=5))
WEST = timezone(timedelta(hours=-5))
FIRST_MILLIS = -62_135_596_800_000
LAST_MILLIS = 253_402_300_799_999
LAST = datetime(9999, 12, 31, 23, 59, 59, 999000)
BEYOND = [FIRST_MILLIS - 1, LAST_MILLIS + 1, -(2**63), 2**63 - 1]


def stored(millis: int) -> bytes:
    return struct.pack("<iB2sqB", 16, 9, b"d\0", millis, 0)


def read(millis: int, **options: Any) -> Any:
    return decode(stored(millis), CodecOptions(**options))["d"]


@pytest.mark.parametrize(
    ("value", "millis"),
    [
        (datetime(1970, 1, 1), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 1999), 1),
        (datetime(1969, 12, 31, 23, 59, 59, 999999), -1),
        (datetime(1970, 1, 1, 5, tzinfo=EAST), 0),
        (datetime.min, FIRST_MILLIS),
        (datetime.max, LAST_MILLIS),
        (datetime.min.replace(tzinfo=EAST), FIRST_MILLIS - 5 * 3_600_000),
        (DatetimeMS(2**63 - 1), 2**63 - 1),
    ],
)
def test_written(value: datetime | DatetimeMS, millis: int) -> None:
    assert encode({"d": value}) == stored(millis)


def test_a_tzinfo_without_offset_is_utc() -> None:
    class Nowhere(tzinfo):
        def utcoffset(self, when: datetime | None) -> None:
            return None

        dst = tzname = utcoffset

    assert encode({"d": datetime(1970, 1, 1, tzinfo=Nowhere())}) == stored(0)


def test_naive_and_aware() -> None:
    naive = read(-1)
    assert naive == datetime(1969, 12, 31, 23, 59, 59, 999000)
    assert naive.tzinfo is None
    assert read(0, tz_aware=True).tzinfo is UTC
    local = read(0, tz_aware=True, tzinfo=EAST)
    assert local == datetime(1970, 1, 1, 5, tzinfo=EAST)
    assert local.tzinfo is EAST


@pytest.mark.parametrize("millis", BEYOND)
def test_beyond_datetime(millis: int) -> None:
    with pytest.raises(InvalidBSON, match=r"DATETIME_AUTO.*at offset 7"):
        read(millis)
    assert read(millis, datetime_conversion=DatetimeConversion.DATETIME_AUTO) == DatetimeMS(millis)
    clamped = read(millis, datetime_conversion=DatetimeConversion.DATETIME_CLAMP)
    assert clamped == (datetime.min if millis < 0 else LAST)


def test_conversions_within_range() -> None:
    assert read(5, datetime_conversion=DatetimeConversion.DATETIME_MS) == DatetimeMS(5)
    for conversion in (DatetimeConversion.DATETIME_AUTO, DatetimeConversion.DATETIME_CLAMP):
        assert read(LAST_MILLIS, datetime_conversion=conversion) == LAST


@pytest.mark.parametrize(
    ("millis", "zone", "clamped"), [(FIRST_MILLIS, WEST, datetime.min), (LAST_MILLIS, EAST, LAST)]
)
def test_an_offset_may_leave_the_range(millis: int, zone: tzinfo, clamped: datetime) -> None:
    with pytest.raises(InvalidBSON):
        read(millis, tz_aware=True, tzinfo=zone)
    value = read(
        millis,
        tz_aware=True,
        tzinfo=zone,
        datetime_conversion=DatetimeConversion.DATETIME_CLAMP,
    )
    assert value == clamped.replace(tzinfo=zone)


def test_datetime_ms() -> None:
    value = DatetimeMS(datetime(1970, 1, 1, 5, tzinfo=EAST))
    assert value == DatetimeMS(0)
    assert int(value) == 0
    assert DatetimeMS(1) > value
    assert value.as_datetime() == datetime(1970, 1, 1)
    assert value.as_datetime(CodecOptions(tz_aware=True)) == datetime(1970, 1, 1, tzinfo=UTC)
    assert repr(value) == "DatetimeMS(0)"
    with pytest.raises(OverflowError):
        DatetimeMS(2**63 - 1).as_datetime()
