"""ObjectId (bson-objectid): 4 bytes of seconds, 5 random bytes a process, a 3-byte counter."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, NoReturn

from driver.bson.codec import COMPILED
from driver.bson.errors import InvalidId

_LENGTH = 12


class Generator:
    """Makes unique ids; begins anew in a forked child, so that it never repeats its parent's."""

    def __init__(self) -> None:
        self.restart()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.restart)

    def restart(self, start: int | None = None) -> None:
        """Draw a new random part, and a new start of the counter if `start` is not given."""
        self.random = os.urandom(5)
        self.counter = count(int.from_bytes(os.urandom(3), "big") if start is None else start)

    def next(self) -> bytes:
        """The 12 bytes of a new id; `next` on a count is atomic, so no lock is needed."""
        seconds = int(time.time()) & 0xFFFFFFFF
        serial = next(self.counter) & 0xFFFFFF
        return seconds.to_bytes(4, "big") + self.random + serial.to_bytes(3, "big")


generator = Generator()


class ObjectId:
    """A 12-byte identifier, ordered by its bytes and so roughly by the time it was made."""

    __slots__ = ("_bytes",)

    _bytes: bytes

    def __init__(self, oid: str | bytes | ObjectId | None = None) -> None:
        """Make a new id, or one from 24 hexadecimal digits, 12 bytes or another ObjectId.

        Raises InvalidId for a malformed value, TypeError for any other type.
        """
        if type(oid) is bytes and len(oid) == _LENGTH:
            self._bytes = oid
        elif oid is None:
            self._bytes = generator.next()
        else:
            self._bytes = _parse(oid)

    @classmethod
    def from_datetime(cls, generation_time: datetime) -> ObjectId:
        """The smallest id made at `generation_time` (naive: UTC), for range queries by time.

        It is not unique: never store it. Raises OverflowError outside the years 1970 to 2106.
        """
        if generation_time.utcoffset() is None:
            generation_time = generation_time.replace(tzinfo=UTC)
        return cls(int(generation_time.timestamp()).to_bytes(4, "big") + bytes(8))

    @classmethod
    def is_valid(cls, oid: Any) -> bool:
        """Whether `ObjectId(oid)` would succeed for this (not None) value."""
        if oid is None:
            return False
        try:
            cls(oid)
        except (InvalidId, TypeError):
            return False
        return True

    @property
    def binary(self) -> bytes:
        """The 12 bytes."""
        return self._bytes

    @property
    def generation_time(self) -> datetime:
        """When it was made: aware, in UTC, to the second."""
        return datetime.fromtimestamp(int.from_bytes(self._bytes[:4], "big"), UTC)

    def __str__(self) -> str:
        return self._bytes.hex()

    def __repr__(self) -> str:
        return f"ObjectId('{self}')"

    def __reduce__(self) -> tuple[type[ObjectId], tuple[bytes]]:
        return ObjectId, (self._bytes,)

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __eq__(self, other: object) -> bool:
        return self._bytes == other._bytes if isinstance(other, ObjectId) else NotImplemented

    def __lt__(self, other: object) -> bool:
        return self._bytes < other._bytes if isinstance(other, ObjectId) else NotImplemented

    def __le__(self, other: object) -> bool:
        return self._bytes <= other._bytes if isinstance(other, ObjectId) else NotImplemented

    def __gt__(self, other: object) -> bool:
        return self._bytes > other._bytes if isinstance(other, ObjectId) else NotImplemented

    def __ge__(self, other: object) -> bool:
        return self._bytes >= other._bytes if isinstance(other, ObjectId) else NotImplemented


def _parse(oid: object) -> bytes:
    if isinstance(oid, ObjectId):
        return oid.binary
    if isinstance(oid, bytes):
        if len(oid) == _LENGTH:
            return bytes(oid)
        _refuse(oid)
    if not isinstance(oid, str):
        raise TypeError(
            f"an ObjectId is made from str, bytes or ObjectId, not {type(oid).__name__}"
        )
    if len(oid) != 2 * _LENGTH:
        _refuse(oid)
    try:
        binary = bytes.fromhex(oid)
    except ValueError:
        _refuse(oid)
    if len(binary) != _LENGTH:  # fromhex skips blanks
        _refuse(oid)
    return binary


def _refuse(oid: str | bytes) -> NoReturn:
    raise InvalidId(f"{oid!r} is not an ObjectId: it takes 12 bytes or 24 hexadecimal digits")


if COMPILED and not TYPE_CHECKING:
    from driver.bson.compiled.objectid import ObjectId, generator
