"""Vectors: the official suite of bson-binary-vector, its prose tests, and our own."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from driver.bson import Binary, BinaryVector, BinaryVectorDtype, decode, encode
from driver.bson.extended_json import from_extended
from tests.bson.corpus import cases
from tests.official import needs_official

INT8, FLOAT32, PACKED_BIT = (
    BinaryVectorDtype.INT8,
    BinaryVectorDtype.FLOAT32,
    BinaryVectorDtype.PACKED_BIT,
)


def as_stored(vector: list[float], dtype: BinaryVectorDtype) -> list[float]:
    """What is left of Python's floats in 32 bits."""
    if dtype is not FLOAT32:
        return vector
    return [struct.unpack("<f", struct.pack("<f", number))[0] for number in vector]


def write(file: dict[str, Any], case: dict[str, Any]) -> bytes:
    dtype = BinaryVectorDtype(bytes.fromhex(case["dtype_hex"][2:]))
    vector = from_extended(case["vector"])
    return encode({file["test_key"]: Binary.from_vector(vector, dtype, case.get("padding", 0))})


@pytest.mark.parametrize(("file", "case"), cases("bson-binary-vector", "tests"))
@pytest.mark.shared
@needs_official[1]
def test_official(file: dict[str, Any], case: dict[str, Any]) -> None:
    data = bytes.fromhex(case.get("canonical_bson", ""))
    if case["valid"]:
        assert write(file, case) == data
        vector = decode(data)[file["test_key"]].as_vector()
        expected = as_stored(from_extended(case["vector"]), vector.dtype)
        assert (vector.data, vector.padding) == (expected, case["padding"])
        assert vector.dtype.name == case["dtype_alias"]
        return
    if "vector" in case:
        with pytest.raises(ValueError, match=r"padding|not a vector of"):
            write(file, case)
    if data:
        binary = decode(data)[file["test_key"]]
        with pytest.raises(ValueError, match=r"padding|do not hold"):
            binary.as_vector()


def test_ignored_bits_must_be_zero() -> None:
    with pytest.raises(ValueError, match="7 padding bits"):
        Binary.from_vector([0b11111111], PACKED_BIT, padding=7)
    with pytest.raises(ValueError, match="7 padding bits"):
        Binary(b"\x10\x07\xff", 9).as_vector()


def test_equality() -> None:
    written = Binary.from_vector([0b10000000], PACKED_BIT, padding=7)
    assert written == Binary(b"\x10\x07\x80", 9)
    assert written.as_vector() == BinaryVector([0b10000000], PACKED_BIT, 7)
    assert Binary.from_vector(written.as_vector()) == written


@pytest.mark.parametrize("payload", [b"", b"\x03", b"\x77\0", b"\x03\x01a", b"\x10\x08a"])
def test_malformed(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"begins with|not a valid|padding"):
        Binary(payload, 9).as_vector()


def test_misuse() -> None:
    with pytest.raises(ValueError, match="subtype 0 is not a vector"):
        Binary(b"\x03\0").as_vector()
    with pytest.raises(TypeError, match="needs a dtype"):
        Binary.from_vector([1])
    with pytest.raises(TypeError, match="brings its own"):
        Binary.from_vector(BinaryVector([1], INT8), INT8)
