"""What can go wrong between Python values, BSON bytes and Extended JSON."""

from __future__ import annotations

from typing import Self

from driver.errors import MongoError


class BSONError(MongoError):
    """Base of this package's errors."""


class InvalidBSON(BSONError):
    """Bytes that are not BSON; `offset` is where in the given buffer it shows."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"invalid BSON: {reason} (at offset {offset})")
        self.args = (reason, offset)
        self.reason = reason
        self.offset = offset


class _Misplaced(BSONError):
    """An error somewhere inside a document; `path` leads to it, from the outermost key."""

    def __init__(self, reason: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(f"{reason} (at {'.'.join(path)!r})" if path else reason)
        self.args = (reason, path)
        self.reason = reason
        self.path = path

    def within(self, key: object) -> Self:
        """The same error as seen from one level further out, where `key` leads to it."""
        return type(self)(self.reason, (str(key), *self.path))


class InvalidDocument(_Misplaced):
    """A Python value that BSON cannot hold."""


class InvalidExtendedJSON(_Misplaced):
    """Text that is not JSON, or a malformed type wrapper such as `{"$oid": 42}`."""


class InvalidId(BSONError):
    """Not a valid ObjectId: it takes 12 bytes or 24 hexadecimal digits."""
