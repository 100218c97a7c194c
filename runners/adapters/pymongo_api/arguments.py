"""From the unified format's arguments to the keywords and values that a driver's method takes.

Which arguments a driver has is read off its signatures, so that nothing is dropped silently and
no list of a driver's gaps has to be kept.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from runners.adapters.base import AdapterError, Unsupported
from runners.adapters.pymongo_api.binding import Binding
from runners.model import Json, JsonObject

_NO_KEYWORDS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a callable takes by keyword.

    `open` if it hands unknown keywords to the server; those in `withheld` must not get there.
    """

    names: frozenset[str]
    required: frozenset[str]
    open: bool = False
    withheld: frozenset[str] = frozenset()

    def keyword(self, argument: str) -> str | None:
        """The keyword for an argument of the format; None if there is none."""
        name = snake(argument)
        if name in self.names:
            return name
        if argument in self.names or (self.open and argument not in self.withheld):
            return argument
        return None


def snake(name: str) -> str:
    """`maxTimeMS` as Python spells it: `max_time_ms`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def parameters_of(binding: Binding, function: Any) -> Parameters:
    """What a function, method or class of the driver takes."""
    function = getattr(function, "__func__", function)  # a bound method would keep its object
    found = _parameters(function)
    target = binding.forwards.get(function)
    if target is not None:
        names = found.names | _parameters(target).names
        found = replace(found, names=names, open=_parameters(target).open)
    return replace(found, withheld=binding.withheld)


@cache
def _parameters(function: Callable[..., Any]) -> Parameters:
    kinds = inspect.Parameter
    parameters = dict(inspect.signature(function).parameters)
    parameters.pop("self", None)
    named = {
        name: parameter
        for name, parameter in parameters.items()
        if parameter.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)
    }
    return Parameters(
        names=frozenset(named),
        required=frozenset(name for name, p in named.items() if p.default is kinds.empty),
        open=any(p.kind is kinds.VAR_KEYWORD for p in parameters.values()),
    )


def keywords(
    name: str,
    parameters: Parameters,
    values: Mapping[str, Any],
    renamed: Mapping[str, str] = _NO_KEYWORDS,
) -> dict[str, Any]:
    """`values` under the keywords of a callable.

    Raises Unsupported (`name` and the argument) where it has no such parameter.
    """
    found = {}
    for argument, value in values.items():
        keyword = parameters.keyword(renamed.get(argument, argument))
        if keyword is None:
            raise Unsupported(f"{name}.{argument}", "the driver has no such parameter")
        found[keyword] = value
    return found


def call_complete(
    name: str, function: Callable[..., Any], parameters: Parameters, named: Mapping[str, Any]
) -> Any:
    """Call with keywords; AdapterError where a required one is missing, not the driver's error."""
    if missing := parameters.required - named.keys():
        raise AdapterError(f"{name} needs {', '.join(sorted(missing))}")
    return function(**named)


def build(binding: Binding, factory: Any, values: Mapping[str, Any], name: str) -> Any:
    """An object of a class of the driver, with the format's names for its parameters."""
    parameters = parameters_of(binding, factory)
    return call_complete(name, factory, parameters, keywords(name, parameters, values))


def text(value: Json, what: str) -> str:
    """A string of a spec file; AdapterError if it is none."""
    if not isinstance(value, str):
        raise AdapterError(f"{what} should be a string, not {value!r}")
    return value


def table(value: Json, what: str) -> JsonObject:
    """An object of a spec file; AdapterError if it is none."""
    if not isinstance(value, dict):
        raise AdapterError(f"{what} should be an object, not {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class Converter:
    """Makes the driver's values of a file's; `session` finds a session by its entity's id."""

    binding: Binding
    session: Callable[[str], Any]

    def __call__(self, argument: str, value: Json, name: str) -> Any:
        """The value of one argument; `name` is what it belongs to, for errors."""
        convert = _CONVERSIONS.get(argument)
        where = f"{name}.{argument}"
        return convert(self, value, where) if convert else self.binding.from_json(value)

    def all(self, values: JsonObject, name: str) -> dict[str, Any]:
        """The values of all arguments, by the format's names."""
        return {argument: self(argument, value, name) for argument, value in values.items()}


def _session(to: Converter, value: Json, where: str) -> Any:
    return to.session(text(value, where))


def _read_concern(to: Converter, value: Json, where: str) -> Any:
    return to.binding.read_concern(**_options(value, where, {"level": "level"}))


def _write_concern(to: Converter, value: Json, where: str) -> Any:
    names = {"w": "w", "journal": "j", "wtimeoutMS": "wtimeout_ms"}
    return to.binding.write_concern(**_options(to.binding.from_json(value), where, names))


def _read_preference(to: Converter, value: Json, where: str) -> Any:
    names = {
        "mode": "mode",
        "tagSets": "tag_sets",
        "maxStalenessSeconds": "max_staleness",
        "hedge": "hedge",
    }
    return to.binding.read_preference(**_options(to.binding.from_json(value), where, names))


def _options(value: Json, where: str, names: Mapping[str, str]) -> dict[str, Any]:
    options = table(value, where)
    for option in options:
        if option not in names:
            raise Unsupported(f"{where}.{option}", f"known are {', '.join(names)}")
    return {names[option]: given for option, given in options.items()}


def _transaction_options(to: Converter, value: Json, where: str) -> Any:
    factory = to.binding.public("TransactionOptions")
    return build(to.binding, factory, to.all(table(value, where), where), where)


def _return_document(to: Converter, value: Json, where: str) -> Any:
    choice = text(value, where).lower()
    if choice not in ("before", "after"):
        raise AdapterError(f"{where} should be Before or After, not {value!r}")
    return getattr(to.binding.public("ReturnDocument"), choice.upper())


def _cursor_type(to: Converter, value: Json, where: str) -> Any:
    names = {
        "nonTailable": "NON_TAILABLE",
        "tailable": "TAILABLE",
        "tailableAwait": "TAILABLE_AWAIT",
    }
    choice = text(value, where)
    if choice not in names:
        raise AdapterError(f"{where} should be one of {', '.join(names)}, not {value!r}")
    return getattr(to.binding.public("CursorType"), names[choice])


_CONVERSIONS: dict[str, Callable[[Converter, Json, str], Any]] = {
    "session": _session,
    "readConcern": _read_concern,
    "writeConcern": _write_concern,
    "readPreference": _read_preference,
    "defaultTransactionOptions": _transaction_options,
    "returnDocument": _return_document,
    "cursorType": _cursor_type,
}
