"""BSON's Binary type, its subtypes, and UUIDs in it (bson-binary-uuid)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any
from uuid import UUID

from driver.bson.vector import BinaryVector, BinaryVectorDtype

BINARY_SUBTYPE = 0
FUNCTION_SUBTYPE = 1
OLD_BINARY_SUBTYPE = 2
OLD_UUID_SUBTYPE = 3
UUID_SUBTYPE = 4
MD5_SUBTYPE = 5
ENCRYPTED_SUBTYPE = 6
COLUMN_SUBTYPE = 7
SENSITIVE_SUBTYPE = 8
VECTOR_SUBTYPE = 9
USER_DEFINED_SUBTYPE = 128


class UuidRepresentation(IntEnum):
    """How a UUID becomes bytes: the subtype and the order of its bytes."""

    UNSPECIFIED = 0
    STANDARD = UUID_SUBTYPE
    PYTHON_LEGACY = OLD_UUID_SUBTYPE
    JAVA_LEGACY = 5
    CSHARP_LEGACY = 6

    @property
    def subtype(self) -> int:
        """The Binary subtype that this representation writes and reads."""
        return UUID_SUBTYPE if self is UuidRepresentation.STANDARD else OLD_UUID_SUBTYPE


class Binary(bytes):
    """Bytes with a subtype (0 to 255). Bytes of subtype 0 decode to plain `bytes`."""

    subtype: int

    def __new__(cls, data: bytes | bytearray | memoryview, subtype: int = BINARY_SUBTYPE) -> Binary:
        """Raises TypeError or ValueError for a subtype that is not an int from 0 to 255."""
        if not isinstance(subtype, int):
            raise TypeError(f"a Binary subtype is an int, not {type(subtype).__name__}")
        if not 0 <= subtype <= 255:
            raise ValueError(f"a Binary subtype is from 0 to 255, not {subtype}")
        self = super().__new__(cls, memoryview(data))
        self.subtype = subtype
        return self

    @classmethod
    def from_uuid(
        cls, uuid: UUID, uuid_representation: UuidRepresentation = UuidRepresentation.STANDARD
    ) -> Binary:
        """Write a UUID; raises ValueError for UuidRepresentation.UNSPECIFIED."""
        if not isinstance(uuid, UUID):
            raise TypeError(f"from_uuid takes a uuid.UUID, not {type(uuid).__name__}")
        if uuid_representation is UuidRepresentation.UNSPECIFIED:
            raise ValueError(
                "how to write a uuid.UUID is not specified: convert it with Binary.from_uuid(), "
                "or set uuid_representation, for new data to UuidRepresentation.STANDARD"
            )
        return cls(_reorder(uuid.bytes, uuid_representation), uuid_representation.subtype)

    def as_uuid(
        self, uuid_representation: UuidRepresentation = UuidRepresentation.STANDARD
    ) -> UUID:
        """Read a UUID; raises ValueError if the subtype is not the representation's."""
        if uuid_representation is UuidRepresentation.UNSPECIFIED:
            raise ValueError("as_uuid needs a representation other than UNSPECIFIED")
        if self.subtype != uuid_representation.subtype:
            raise ValueError(f"subtype {self.subtype} is not a {uuid_representation.name} UUID")
        return UUID(bytes=_reorder(self, uuid_representation))

    @classmethod
    def from_vector(
        cls,
        vector: BinaryVector | Sequence[float],
        dtype: BinaryVectorDtype | None = None,
        padding: int = 0,
    ) -> Binary:
        """Pack a BinaryVector, or numbers of the type `dtype`; ValueError if they do not fit."""
        if not isinstance(vector, BinaryVector):
            if dtype is None:
                raise TypeError("from_vector needs a dtype for plain numbers")
            vector = BinaryVector(vector, dtype, padding)
        elif dtype is not None or padding:
            raise TypeError("a BinaryVector brings its own dtype and padding")
        return cls(vector.pack(), VECTOR_SUBTYPE)

    def as_vector(self) -> BinaryVector:
        """Unpack a vector; ValueError if the subtype is not 9 or the payload is malformed."""
        if self.subtype != VECTOR_SUBTYPE:
            raise ValueError(f"subtype {self.subtype} is not a vector ({VECTOR_SUBTYPE})")
        return BinaryVector.unpack(self)

    def __eq__(self, other: object) -> bool:
        # Plain bytes differ from every Binary: after a round trip they would not be the same type.
        return (
            isinstance(other, Binary)
            and self.subtype == other.subtype
            and bytes(self) == bytes(other)
        )

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((bytes(self), self.subtype))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return bytes(self), self.subtype

    def __repr__(self) -> str:
        secret = self.subtype == SENSITIVE_SUBTYPE
        return f"Binary({'<redacted>' if secret else repr(bytes(self))}, {self.subtype})"


def binary_value(
    data: bytes, subtype: int, representation: UuidRepresentation
) -> bytes | UUID | Binary:
    """What BSON binary decodes to: bytes for subtype 0, a UUID where `representation` says so."""
    if subtype == BINARY_SUBTYPE:
        return data
    binary = Binary(data, subtype)
    specified = representation is not UuidRepresentation.UNSPECIFIED
    if specified and subtype == representation.subtype and len(data) == 16:
        return binary.as_uuid(representation)
    return binary


def _reorder(data: bytes, representation: UuidRepresentation) -> bytes:
    """Bytes of a UUID from RFC 4122's order to the representation's, or back: it undoes itself."""
    if representation is UuidRepresentation.JAVA_LEGACY:
        return data[7::-1] + data[:7:-1]
    if representation is UuidRepresentation.CSHARP_LEGACY:
        return data[3::-1] + data[5:3:-1] + data[7:5:-1] + data[8:]
    return bytes(data)
