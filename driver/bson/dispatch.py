"""From a Python type to what handles its values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class TypeTable(dict[type[Any], Callable[..., Any]]):
    """Handlers by exact type, else by the nearest base class; any mapping counts as a Mapping.

    It must have a handler for `object`, which gets what nothing else handles.
    """

    def __missing__(self, cls: type[Any]) -> Callable[..., Any]:
        for base in cls.__mro__[:-1]:
            if base in self:
                return self[base]
        return self[Mapping if issubclass(cls, Mapping) else object]
