"""Vectors: the prose tests of bson-binary-vector, and our own."""

from __future__ import annotations

import pytest

from driver.bson import Binary, BinaryVector, BinaryVectorDtype

INT8, FLOAT32, PACKED_BIT = (
    BinaryVectorDtype.INT8,
    BinaryVectorDtype.FLOAT32,
    BinaryVectorDtype.PACKED_BIT,
)


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
