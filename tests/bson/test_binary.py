"""Binary and UUIDs, with the test plan of the bson-binary-uuid specification."""

from __future__ import annotations

import copy
import pickle
from typing import Any
from uuid import UUID

import pytest

from driver.bson import Binary, CodecOptions, InvalidDocument, UuidRepresentation, decode, encode

ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
WRITTEN = [
    (UuidRepresentation.STANDARD, 4, "00112233445566778899aabbccddeeff"),
    (UuidRepresentation.JAVA_LEGACY, 3, "7766554433221100ffeeddccbbaa9988"),
    (UuidRepresentation.CSHARP_LEGACY, 3, "33221100554477668899aabbccddeeff"),
    (UuidRepresentation.PYTHON_LEGACY, 3, "00112233445566778899aabbccddeeff"),
]
LEGACY = [representation for representation, subtype, _ in WRITTEN if subtype == 3]


def test_from_uuid_is_standard() -> None:
    assert Binary.from_uuid(ID) == Binary(ID.bytes, 4)
    assert Binary(ID.bytes, 4).as_uuid() == ID


@pytest.mark.parametrize(("representation", "subtype", "data"), WRITTEN)
def test_explicit_uuid(representation: UuidRepresentation, subtype: int, data: str) -> None:
    binary = Binary(bytes.fromhex(data), subtype)
    assert Binary.from_uuid(ID, representation) == binary
    assert binary.as_uuid(representation) == ID
    with pytest.raises(ValueError, match=f"subtype {7 - subtype}"):
        Binary(binary, 7 - subtype).as_uuid(representation)


def test_unspecified_uuid() -> None:
    with pytest.raises(ValueError, match=r"Binary\.from_uuid"):
        Binary.from_uuid(ID, UuidRepresentation.UNSPECIFIED)
    with pytest.raises(ValueError, match="other than UNSPECIFIED"):
        Binary(ID.bytes, 4).as_uuid(UuidRepresentation.UNSPECIFIED)
    with pytest.raises(InvalidDocument, match=r"UuidRepresentation\.STANDARD.*'a\.b'"):
        encode({"a": {"b": ID}})


@pytest.mark.parametrize(("representation", "subtype", "data"), WRITTEN)
def test_implicit_uuid(representation: UuidRepresentation, subtype: int, data: str) -> None:
    options = CodecOptions(uuid_representation=representation)
    written = encode({"v": ID}, options)
    assert decode(written) == {"v": Binary(bytes.fromhex(data), subtype)}
    assert decode(written, options) == {"v": ID}
    other = Binary(ID.bytes, 7 - subtype)
    assert decode(encode({"v": other}), options) == {"v": other}


def test_a_uuid_of_another_length_stays_binary() -> None:
    options = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
    assert decode(encode({"v": Binary(b"short", 4)}), options) == {"v": Binary(b"short", 4)}


def test_equality_knows_the_subtype() -> None:
    assert Binary(b"a", 1) == Binary(b"a", 1)
    assert Binary(b"a", 1) != Binary(b"a", 2)
    assert Binary(b"a") != b"a"
    assert len({Binary(b"a", 1), Binary(b"a", 1), Binary(b"a", 2)}) == 2


def test_subtype_zero_decodes_to_bytes() -> None:
    for value in (Binary(b"a"), b"a", bytearray(b"a")):
        back = decode(encode({"v": value}))["v"]
        assert type(back) is bytes
        assert back == b"a"


def test_copies_keep_the_subtype() -> None:
    binary = Binary(b"a", 128)
    for copied in (copy.deepcopy(binary), pickle.loads(pickle.dumps(binary))):
        assert copied == binary
        assert copied.subtype == 128


def test_repr() -> None:
    assert repr(Binary(b"a", 5)) == "Binary(b'a', 5)"
    assert "secret" not in repr(Binary(b"secret", 8))


@pytest.mark.parametrize(
    ("data", "subtype", "error"),
    [
        (b"", -1, ValueError),
        (b"", 256, ValueError),
        (b"", "0", TypeError),
        (5, 0, TypeError),
        ("text", 0, TypeError),
    ],
)
def test_refused(data: Any, subtype: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Binary(data, subtype)
