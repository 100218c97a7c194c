"""Parsers of option values (connection-string spec, "Values").

Each takes the text of a connection string, already percent-decoded, or the Python value of a
keyword argument, and returns one kind of value. They raise ValueError with the rest of a sentence
that began with the option's name. A message repeats the value only where it can be no secret.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from driver.bson.binary import UuidRepresentation
from driver.errors import ConfigurationError
from driver.read_preferences import TagSet
from driver.tracing import TracingOptions
from driver.warn import warn

Parser: TypeAlias = Callable[[Any], Any]

INT32_MAX = 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

COMPRESSORS = ("snappy", "zlib", "zstd")

LEGACY_BOOLEANS = {
    **dict.fromkeys(("1", "yes", "y", "t"), "true"),
    **dict.fromkeys(("0", "-1", "no", "n", "f"), "false"),
}

_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_UUID_REPRESENTATIONS = {
    "unspecified": UuidRepresentation.UNSPECIFIED,
    "standard": UuidRepresentation.STANDARD,
    "pythonLegacy": UuidRepresentation.PYTHON_LEGACY,
    "javaLegacy": UuidRepresentation.JAVA_LEGACY,
    "csharpLegacy": UuidRepresentation.CSHARP_LEGACY,
}


def boolean(value: object) -> bool:
    """`true` or `false`."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ValueError(f"must be true or false, not {value!r}")


def integer(least: int, most: int = INT32_MAX) -> Parser:
    """A whole number within bounds."""

    def parse(value: object) -> int:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        bounds = f"from {least} to {most}" if most != INT32_MAX else f"of at least {least}"
        raise ValueError(f"must be a whole number {bounds}, not {value!r}")

    return parse


def milliseconds(least: int) -> Parser:
    """A duration: whole in a connection string, perhaps with a fraction in a keyword."""
    whole = integer(least)

    def parse(value: object) -> float:
        if isinstance(value, float) and least <= value < math.inf:
            return value
        number: int = whole(value)
        return number

    return parse


def string(value: object) -> str:
    """Any text that UTF-8 can encode."""
    if not isinstance(value, str):
        raise ValueError(f"must be a string, not {type(value).__name__}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError("must not contain surrogates, which UTF-8 cannot encode")
    return value


def text(value: object) -> str:
    """Text that is not empty."""
    if not string(value):
        raise ValueError("must not be empty")
    return string(value)


def application_name(value: object) -> str:
    """Text of at most 128 bytes (mongodb-handshake, "Limitations")."""
    size = len(string(value).encode())
    if size > 128:
        raise ValueError(f"must have at most 128 bytes of UTF-8, not {size}")
    return string(value)


def service_name(value: object) -> str:
    """A service name as RFC 6335 section 5.1 has them, 15 characters or up to 62 of them."""
    name = string(value)
    letters = re.fullmatch(r"(?!-)(?!.*--)[A-Za-z0-9-]{1,62}(?<!-)", name, re.ASCII)
    if letters is None or not re.search("[A-Za-z]", name):
        raise ValueError("must be letters, digits and single hyphens, such as mongodb")
    return name


def choice(*names: str) -> Parser:
    """One of some words, spelled exactly so."""

    def parse(value: object) -> str:
        if value in names:
            return string(value)
        raise ValueError(f"must be one of {', '.join(names)}, not {value!r}")

    return parse


def count_or_mode(value: object) -> int | str:
    """A write concern's w: digits are a number, everything else a mode's name."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        return text(value)
    number: int = integer(-INT32_MAX - 1)(value)
    return number


def compressors(value: object) -> tuple[str, ...]:
    """Names in order of preference; unknown ones are left out with a warning."""
    names = value.split(",") if isinstance(value, str) else _sequence(value)
    known = tuple(dict.fromkeys(name for name in names if name in COMPRESSORS))
    for name in names:
        if name not in COMPRESSORS:
            warn(f"unknown compressor {name!r} is ignored; known are {', '.join(COMPRESSORS)}")
    return known


def properties(value: object) -> Mapping[str, Any]:
    """Mechanism properties; `NAME:value` pairs in a connection string.

    There, a value may hold colons but no comma; such a value must come as a keyword.
    """
    pairs = _pairs(value) if isinstance(value, str) else value
    if not isinstance(pairs, Mapping) or not all(isinstance(name, str) for name in pairs):
        raise ValueError("must map names of properties to values")
    if isinstance(value, str) and any(name.upper() == "ALLOWED_HOSTS" for name in pairs):
        # Whoever writes the connection string must not widen what the program allows.
        raise ConfigurationError("ALLOWED_HOSTS cannot be part of a connection string")
    return dict(pairs)


def tag_sets(value: object) -> tuple[TagSet, ...]:
    """Tag sets in order; each `key:value` pairs in a connection string, empty for any server."""
    sets = (value,) if isinstance(value, str | Mapping) else _sequence(value)
    return tuple(_tag_set(each) for each in sets)


def uuid_representation(value: object) -> UuidRepresentation:
    """PyMongo's names, or the enumeration's members."""
    if isinstance(value, int) and value in _UUID_REPRESENTATIONS.values():
        return UuidRepresentation(value)
    name: str = choice(*_UUID_REPRESENTATIONS)(value)
    return _UUID_REPRESENTATIONS[name]


def instance(kind: type[Any]) -> Parser:
    """A keyword's value of a certain class."""

    def parse(value: object) -> Any:
        if isinstance(value, kind):
            return value
        raise ValueError(f"must be of class {kind.__name__}, not {type(value).__name__}")

    return parse


def tracing(value: object) -> TracingOptions:
    """A keyword's settings of tracing, completed from the environment."""
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping such as {{'enabled': True}}, not {value!r}")
    return TracingOptions.of(value)


def each(kind: tuple[type[Any], ...]) -> Parser:
    """A keyword's sequence of instances of certain classes, as a tuple."""

    def parse(value: object) -> tuple[Any, ...]:
        items = tuple(_sequence(value))
        for item in items:
            if not isinstance(item, kind):
                names = ", ".join(known.__name__ for known in kind)
                raise ValueError(f"must hold instances of {names}, not {type(item).__name__}")
        return items

    return parse


def _tag_set(value: object) -> TagSet:
    tags = _pairs(value) if isinstance(value, str) else value
    if not isinstance(tags, Mapping) or not all(
        isinstance(word, str) for item in tags.items() for word in item
    ):
        raise ValueError("must be sets of key:value pairs, such as dc:ny,rack:1")
    return tags


def _pairs(value: str) -> dict[str, str]:
    pairs = {}
    for pair in value.split(",") if value else ():
        name, colon, rest = pair.partition(":")
        if not name or not colon:
            raise ValueError("must be key:value pairs with commas between them and none within")
        pairs[name] = rest
    return pairs


def _sequence(value: object) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise ValueError(f"must be a list, not {type(value).__name__}")
    return value
