"""The official BSON corpus: what decodes, encodes, parses and prints to what, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from driver.bson import (
    CodecOptions,
    DatetimeConversion,
    Decimal128,
    InvalidBSON,
    InvalidExtendedJSON,
    decode,
    encode,
)
from driver.bson.extended_json import dumps, loads
from tests.bson.corpus import cases
from tests.official import needs_official

pytestmark = needs_official

OPTIONS = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)


def normal(text: str) -> Any:
    """JSON without the freedom in how numbers are written: 1.0E+1 is 10.0."""

    def floats(value: dict[str, Any]) -> dict[str, Any]:
        if isinstance(value.get("$numberDouble"), str):
            return {"$numberDouble": repr(float(value["$numberDouble"]))}
        return value

    return json.loads(text, object_hook=floats)


@pytest.mark.parametrize(("file", "case"), cases("bson-corpus", "valid"))
def test_valid(file: dict[str, Any], case: dict[str, Any]) -> None:
    canonical = bytes.fromhex(case["canonical_bson"])
    json_text, lossy = case["canonical_extjson"], case.get("lossy", False)
    document = decode(canonical, OPTIONS)

    assert encode(document) == canonical
    assert normal(dumps(document, relaxed=False)) == normal(json_text)
    assert normal(dumps(loads(json_text, OPTIONS), relaxed=False)) == normal(json_text)
    if not lossy:
        assert encode(loads(json_text, OPTIONS)) == canonical

    if "relaxed_extjson" in case:
        relaxed = case["relaxed_extjson"]
        assert normal(dumps(document)) == normal(relaxed)
        assert normal(dumps(loads(relaxed, OPTIONS))) == normal(relaxed)
    if "degenerate_bson" in case:
        assert encode(decode(bytes.fromhex(case["degenerate_bson"]), OPTIONS)) == canonical
    if "degenerate_extjson" in case:
        degenerate = loads(case["degenerate_extjson"], OPTIONS)
        assert normal(dumps(degenerate, relaxed=False)) == normal(json_text)
        if not lossy:
            assert encode(degenerate) == canonical


@pytest.mark.parametrize(("file", "case"), cases("bson-corpus", "decodeErrors"))
def test_decode_error(file: dict[str, Any], case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["bson"])
    with pytest.raises(InvalidBSON) as caught:
        decode(data, OPTIONS)
    assert 0 <= caught.value.offset <= len(data)
    assert str(caught.value.offset) in str(caught.value)


@pytest.mark.parametrize(("file", "case"), cases("bson-corpus", "parseErrors"))
def test_parse_error(file: dict[str, Any], case: dict[str, Any]) -> None:
    if file["bson_type"] == "0x13":
        with pytest.raises(ValueError, match=r"decimal number|beyond Decimal128"):
            Decimal128(case["string"])
    else:
        json.loads(case["string"])  # it is JSON; only the Extended JSON in it is wrong
        with pytest.raises(InvalidExtendedJSON):
            loads(case["string"], OPTIONS)
