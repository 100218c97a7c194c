"""Extended JSON where the official corpus is silent: errors, limits, dates, UUIDs, options."""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from driver.bson import (
    MAX_DEPTH,
    Binary,
    CodecOptions,
    DatetimeMS,
    Int64,
    InvalidDocument,
    InvalidExtendedJSON,
    RawBSONDocument,
    Regex,
    UuidRepresentation,
    decode,
    encode,
)
from driver.bson.extended_json import dumps, from_extended, loads, to_extended
from tests.bson.samples import EVERY_TYPE, OID, nested, wide

ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
STANDARD = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


def test_values_on_their_own() -> None:
    assert dumps(OID) == f'{{"$oid": "{OID}"}}'
    assert loads(dumps(OID)) == OID
    assert loads("[1, null]") == [1, None]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("1", 1, int),
        ("2147483647", 2**31 - 1, int),
        ("2147483648", 2**31, Int64),
        ("-9223372036854775808", -(2**63), Int64),
        ("9223372036854775808", 2.0**63, float),
        ("1" + "0" * 30, 1e30, float),
        ("1.0", 1.0, float),
        ("1E2", 100.0, float),
    ],
)
def test_the_type_of_a_number(text: str, value: float, kind: type[Any]) -> None:
    back = loads(text)
    assert type(back) is kind
    assert back == value


@pytest.mark.parametrize(
    ("value", "relaxed", "canonical"),
    [
        (5, 5, {"$numberInt": "5"}),
        (2**31, 2**31, {"$numberLong": "2147483648"}),
        (Int64(5), 5, {"$numberLong": "5"}),
        (1e22, 1e22, {"$numberDouble": "1E+22"}),
        (-0.0, -0.0, {"$numberDouble": "-0.0"}),
        (True, True, True),
        ((1,), [1], [{"$numberInt": "1"}]),
    ],
)
def test_written(value: Any, relaxed: Any, canonical: Any) -> None:
    assert repr(to_extended(value, relaxed=True)) == repr(relaxed)
    assert repr(to_extended(value, relaxed=False)) == repr(canonical)


def test_native_patterns_and_raw_documents() -> None:
    assert loads(dumps(re.compile("a"))) == Regex("a", "u")
    assert dumps(RawBSONDocument(encode({"a": {"b": 1}}))) == '{"a": {"b": 1}}'


@pytest.mark.parametrize(
    ("millis", "relaxed"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (-1, {"$numberLong": "-1"}),
        (253_402_300_800_000, {"$numberLong": "253402300800000"}),
    ],
)
def test_dates_written(millis: int, relaxed: Any) -> None:
    value = DatetimeMS(millis)
    assert to_extended(value, relaxed=True) == {"$date": relaxed}
    assert to_extended(value, relaxed=False) == {"$date": {"$numberLong": str(millis)}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2012-12-24T12:15:30.501Z", datetime(2012, 12, 24, 12, 15, 30, 501000)),
        ("2012-12-24T12:15:30Z", datetime(2012, 12, 24, 12, 15, 30)),
        ("2012-12-24T12:15:30.5+01:30", datetime(2012, 12, 24, 10, 45, 30, 500000)),
        ("2012-12-24T12:15:30.123456789-0100", datetime(2012, 12, 24, 13, 15, 30, 123000)),
    ],
)
def test_dates_read(text: str, value: datetime) -> None:
    assert from_extended({"$date": text}) == value
    aware = from_extended({"$date": text}, CodecOptions(tz_aware=True))
    assert aware == value.replace(tzinfo=UTC)


def test_uuids() -> None:
    assert to_extended(ID, relaxed=True, options=STANDARD) == {
        "$binary": {"base64": "ABEiM0RVZneImaq7zN3u/w==", "subType": "04"}
    }
    for text in (str(ID), ID.hex, str(ID).upper(), f"urn:uuid:{ID}"):
        assert from_extended({"$uuid": text}) == Binary(ID.bytes, 4)
        assert from_extended({"$uuid": text}, STANDARD) == ID
    with pytest.raises(InvalidDocument, match=r"Binary\.from_uuid.*'a'"):
        dumps({"a": ID})


def test_document_class() -> None:
    back = loads('{"a": {"$code": "", "$scope": {}}, "b": {}}', CodecOptions(OrderedDict))
    assert type(back) is type(back["b"]) is type(back["a"].scope) is OrderedDict
    assert type(loads("{}", CodecOptions(RawBSONDocument))) is dict


@pytest.mark.parametrize(
    "text",
    [
        '{"$regex": "a", "$options": "i"}',
        '{"$regex": {"$x": 1}}',
        '{"$type": 2}',
        '{"$type": "string"}',
        '{"a": {"$unknown": 1}}',
        '{"base64": "", "subType": "00"}',
    ],
)
def test_other_dollar_keys_stay(text: str) -> None:
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize(
    ("wrapper", "why"),
    [
        ({"$oid": "x" * 24}, "24 hexadecimal digits"),
        ({"$oid": OID.binary.hex(), "$date": ""}, "other keys beside $oid: '$date'"),
        ({"$numberInt": "2147483648"}, "32 bits"),
        ({"$numberInt": "1.0"}, "an integer"),
        ({"$numberInt": " 1"}, "an integer"),
        ({"$numberInt": "1_0"}, "an integer"),
        ({"$numberLong": "9223372036854775808"}, "64 bits"),
        ({"$numberLong": "1" * 5000}, "an integer"),
        ({"$numberDouble": "1e400"}, "range of a double"),
        ({"$numberDouble": "inf"}, "a number"),
        ({"$numberDouble": "0x1"}, "a number"),
        ({"$numberDecimal": "1e"}, "decimal number"),
        ({"$numberDecimal": "1e7000"}, "beyond Decimal128"),
        ({"$binary": {"base64": "AA=", "subType": "00"}}, "padding"),
        ({"$binary": {"base64": "A A==", "subType": "00"}}, "$binary"),
        ({"$binary": {"base64": "\u00e4", "subType": "00"}}, "ASCII"),
        ({"$binary": {"base64": "", "subType": "100"}}, "hexadecimal"),
        ({"$binary": {"base64": "", "subType": "-1"}}, "hexadecimal"),
        ({"$binary": "AA==", "$type": "00"}, "other keys beside $binary"),
        ({"$uuid": "c8edabc3f738-4ca3-b68d-ab92a91478a3"}, "a UUID"),
        ({"$uuid": "{00112233-4455-6677-8899-aabbccddeeff}"}, "a UUID"),
        ({"$date": "2012-12-24"}, "a date such as"),
        ({"$date": "2012-13-24T12:15:30Z"}, "month"),
        ({"$date": "2012-12-24T12:15:30"}, "a date such as"),
        ({"$date": {"$numberLong": "9" * 18}}, "DATETIME_AUTO"),
        ({"$date": {"$numberInt": "1"}}, "$numberLong"),
        ({"$timestamp": {"t": -1, "i": 0}}, "32 bits"),
        ({"$timestamp": {"t": True, "i": 0}}, "an integer, not True"),
        ({"$timestamp": {"t": 1.0, "i": 0}}, "an integer, not 1.0"),
        ({"$undefined": False}, "takes true"),
        ({"$minKey": 1.0}, "an integer, not 1.0"),
        ({"$scope": {}}, "$code and $scope"),
        ({"$dbPointer": {"$ref": "c", "$id": "0" * 24}}, "an object"),
        ({"$regularExpression": {"pattern": "a\0", "options": ""}}, "NUL"),
        (1e400, "range of a double"),
        (10**400, "range of a double"),
    ],
)
def test_malformed(wrapper: Any, why: str) -> None:
    with pytest.raises(InvalidExtendedJSON) as caught:
        from_extended({"a": [0, wrapper]})
    assert why in str(caught.value)
    assert caught.value.path == ("a", "1")
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", r"not JSON: .* \(line 1 column 1\)"),
        ('{\n "a": }', r"not JSON: .* \(line 2 column 7\)"),
        ("NaN", r'\{"\$numberDouble": "NaN"\}'),
        ("[-Infinity]", "-Infinity"),
        ("9" * 5000, "range of a double"),
        ("[" * 100_000, "too deep"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "deeper than 200"),
        ('{"a\\u0000": 1}', "NUL"),
    ],
)
def test_refused_text(text: str, why: str) -> None:
    with pytest.raises(InvalidExtendedJSON, match=why):
        loads(text)


def test_depth() -> None:
    deepest = nested(MAX_DEPTH)
    assert loads(dumps(deepest)) == deepest
    with pytest.raises(InvalidDocument, match="deeper than 200 levels"):
        dumps(nested(MAX_DEPTH + 1))
    assert loads(dumps(wide())) == wide()
    wrapped = {"$oid": str(OID)}
    assert loads("[" * MAX_DEPTH + json.dumps(wrapped) + "]" * MAX_DEPTH)


def test_what_json_cannot_hold() -> None:
    with pytest.raises(InvalidDocument, match=r"no type for builtins\.object.*'a\.1\.b'"):
        dumps({"a": [1, {"b": object()}]})
    with pytest.raises(InvalidDocument, match=r"keys are str, not int.*'5'"):
        dumps({5: 1})
    with pytest.raises(InvalidDocument, match="beyond 64 bits"):
        dumps(2**63)
    with pytest.raises(InvalidExtendedJSON, match=r"JSON has no ObjectId.*'a'"):
        from_extended({"a": OID})  # type: ignore[dict-item]


def test_every_type_by_way_of_bytes() -> None:
    text = dumps(decode(encode(EVERY_TYPE)), relaxed=False)
    assert encode(loads(text)) == encode(EVERY_TYPE)
