"""From a Python type to what handles its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from driver.bson.errors import InvalidDocument

_ADVICE: dict[type[Any], str] = {
    date: "use a datetime, since BSON has no dates without a time of day",
    Decimal: "wrap it into a Decimal128",
    set: "use a list, since BSON has no sets",
    frozenset: "use a list, since BSON has no sets",
}


class TypeTable(dict[type[Any], Callable[..., Any]]):
    """Handlers by exact type, else by the nearest base class; any mapping counts as a Mapping.

    It must have a handler for `object`, which gets what nothing else handles.
    """

    def __missing__(self, cls: type[Any]) -> Callable[..., Any]:
        for base in cls.__mro__[:-1]:
            if base in self:
                return self[base]
        return self[Mapping if issubclass(cls, Mapping) else object]


def no_type_for(value: object) -> InvalidDocument:
    """The error for a value whose type BSON lacks."""
    advice = (text for cls, text in _ADVICE.items() if isinstance(value, cls))
    what = f"BSON has no type for {type(value).__module__}.{type(value).__qualname__}"
    return InvalidDocument(": ".join((what, *advice)))
