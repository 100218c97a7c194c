"""Small classes for the BSON types that Python lacks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import total_ordering
from typing import Any

from driver.bson.objectid import ObjectId

_RE_FLAGS = {
    "i": re.IGNORECASE,
    "l": re.LOCALE,
    "m": re.MULTILINE,
    "s": re.DOTALL,
    "u": re.UNICODE,
    "x": re.VERBOSE,
}


class Int64(int):
    """An int that is written as a BSON int64 even where an int32 would do."""

    __slots__ = ()


class Code(str):
    """JavaScript, with a scope of variables or without (None)."""

    __slots__ = ("scope",)

    scope: Mapping[str, Any] | None

    def __new__(cls, code: str, scope: Mapping[str, Any] | None = None, **variables: Any) -> Code:
        """`variables` are added to the scope; a Code as `code` brings its own scope along."""
        self = super().__new__(cls, code)
        if scope is None and isinstance(code, Code):
            scope = code.scope
        self.scope = {**(scope or {}), **variables} if variables else scope
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return str(self), self.scope

    def __eq__(self, other: object) -> bool:
        # A plain str differs: after a round trip it would not be the same type.
        return isinstance(other, Code) and (str(self), self.scope) == (str(other), other.scope)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        return f"Code({str(self)!r}, {self.scope!r})"


class Symbol(str):
    """A string of the deprecated BSON type symbol; plain str serves as well."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Symbol({super().__repr__()})"


@dataclass(frozen=True, slots=True, init=False)
class Regex:
    """A regular expression as the server knows it; Python may understand it differently.

    `options` are the server's letters, sorted and each once; letters that Python's `re` lacks are
    kept.
    """

    pattern: str
    options: str

    def __init__(self, pattern: str, flags: int | str = 0) -> None:
        """`flags` are those of `re`, or the server's letters; ValueError for a NUL in either."""
        if isinstance(flags, int):
            flags = "".join(letter for letter, flag in _RE_FLAGS.items() if flags & flag)
        for what, text in (("pattern", pattern), ("flags", flags)):
            if not isinstance(text, str):
                raise TypeError(f"a Regex's {what} are text, not {type(text).__name__}")
            if "\0" in text:
                raise ValueError(f"a Regex's {what} cannot hold NUL: {text!r}")
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "options", "".join(sorted(set(flags))))

    @property
    def flags(self) -> int:
        """The options that `re` has, as its flags."""
        return sum(_RE_FLAGS.get(letter, 0) for letter in self.options)

    @classmethod
    def from_native(cls, regex: re.Pattern[Any]) -> Regex:
        """From a compiled pattern of str or UTF-8 bytes; its syntax is not translated."""
        pattern = regex.pattern
        if isinstance(pattern, bytes):
            pattern = pattern.decode()
        return cls(pattern, regex.flags)

    def try_compile(self) -> re.Pattern[str]:
        """Compile with `re`; re.error or ValueError where Python does not understand it."""
        return re.compile(self.pattern, self.flags)


@dataclass(frozen=True, slots=True, order=True, init=False)
class Timestamp:
    """MongoDB's internal timestamp: seconds since the epoch and a counter, 32 bits each."""

    time: int
    inc: int

    def __init__(self, time: int | datetime, inc: int) -> None:
        """`time`: seconds, or a datetime (naive: UTC). ValueError beyond 32 bits."""
        if isinstance(time, datetime):
            aware = time if time.utcoffset() is not None else time.replace(tzinfo=UTC)
            time = int(aware.timestamp())
        for what, number in (("time", time), ("inc", inc)):
            if not isinstance(number, int):
                raise TypeError(f"a Timestamp's {what} is an int, not {type(number).__name__}")
            if not 0 <= number < 1 << 32:
                raise ValueError(f"a Timestamp's {what} has 32 bits without sign, not {number}")
        object.__setattr__(self, "time", time)
        object.__setattr__(self, "inc", inc)

    def as_datetime(self) -> datetime:
        """`time` as an aware datetime in UTC."""
        return datetime.fromtimestamp(self.time, UTC)

    def __repr__(self) -> str:
        return f"Timestamp({self.time}, {self.inc})"


class _Valueless:
    """A type that has one value; all its instances are equal."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


@total_ordering
class MinKey(_Valueless):
    """Less than everything else."""

    __slots__ = ()

    def __lt__(self, other: object) -> bool:
        return not isinstance(other, MinKey)


@total_ordering
class MaxKey(_Valueless):
    """Greater than everything else."""

    __slots__ = ()

    def __gt__(self, other: object) -> bool:
        return not isinstance(other, MaxKey)


class Undefined(_Valueless):
    """The deprecated BSON type undefined; None serves as well."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class DBPointer:
    """The deprecated BSON type DBPointer; a DBRef serves as well."""

    collection: str
    id: ObjectId


class DBRef:
    """A reference to a document of another collection (dbref): a convention, not a BSON type."""

    __slots__ = ("collection", "database", "extra", "id")

    def __init__(
        self,
        collection: str,
        id: Any,  # noqa: A002 - PyMongo's name
        database: str | None = None,
        _extra: Mapping[str, Any] | None = None,
        **extra: Any,
    ) -> None:
        """`extra` fields follow `$ref`, `$id` and `$db`; TypeError if a name is not str."""
        if not isinstance(collection, str):
            raise TypeError(f"a DBRef's collection is a str, not {type(collection).__name__}")
        if not isinstance(database, (str, type(None))):
            raise TypeError(f"a DBRef's database is a str, not {type(database).__name__}")
        self.collection = collection
        self.id = id
        self.database = database
        self.extra = {**(_extra or {}), **extra}

    @classmethod
    def from_doc(cls, document: Mapping[str, Any]) -> DBRef | None:
        """The DBRef that a document stands for, or None if it is not one."""
        rest = dict(document)
        collection, database = rest.pop("$ref", None), rest.pop("$db", None)
        if not isinstance(collection, str) or "$id" not in rest:
            return None
        if not isinstance(database, str) and "$db" in document:
            return None
        return cls(collection, rest.pop("$id"), database, rest)

    def as_doc(self) -> dict[str, Any]:
        """The document that stands for it."""
        database = {} if self.database is None else {"$db": self.database}
        return {"$ref": self.collection, "$id": self.id, **database, **self.extra}

    def __eq__(self, other: object) -> bool:
        return self.as_doc() == other.as_doc() if isinstance(other, DBRef) else NotImplemented

    def __hash__(self) -> int:
        return hash((self.collection, self.database))

    def __repr__(self) -> str:
        extra = "".join(f", {key}={value!r}" for key, value in self.extra.items())
        database = "" if self.database is None else f", {self.database!r}"
        return f"DBRef({self.collection!r}, {self.id!r}{database}{extra})"
