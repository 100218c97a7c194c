"""The `$$` operators in the values of a test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from runners.checks.names import OPERATORS
from runners.checks.versions import Version, parse_version
from runners.hints import did_you_mean
from runners.load import SpecFile
from runners.model import Problem
from runners.unified.values import TYPE_ALIASES

_HEX = re.compile(r"([0-9a-fA-F]{2})*")
_TYPES: Final = TYPE_ALIASES | {"number"}
_ENTITIES: Final = {"$$matchesEntity": "value", "$$sessionLsid": "session"}


@dataclass(frozen=True, slots=True)
class Reference:
    """An entity that an operator names, and the kind that it must have."""

    entity: str
    kind: str
    path: tuple[str | int, ...]


def check_operators(
    spec: SpecFile, value: Any, path: tuple[str | int, ...], declared: Version
) -> Iterator[Problem | Reference]:
    """Check all operators in a value; yield the entities they name, for the caller to check."""
    stack = [(path, value)]
    while stack:
        here, node = stack.pop()
        if isinstance(node, list):
            stack += [((*here, index), item) for index, item in enumerate(node)]
        elif isinstance(node, dict):
            stack += [((*here, key), item) for key, item in node.items()]
            for key in node:
                if key.startswith("$$"):
                    yield from _check(spec, (*here, key), node, declared)


def _check(
    spec: SpecFile, path: tuple[str | int, ...], node: Any, declared: Version
) -> Iterator[Problem | Reference]:
    operator = str(path[-1])
    operand = node[operator]
    if operator not in OPERATORS:
        mend = did_you_mean(operator, OPERATORS)
        yield spec.problem(path, "unknown-operator", f"no operator `{operator}`", mend, key=True)
        return
    if len(node) > 1:
        message = f"`{operator}` must be the only key of its mapping"
        yield spec.problem(path, "operator", message, key=True)
    if parse_version(OPERATORS[operator]) > declared:
        needed = OPERATORS[operator]
        message = f"`{operator}` needs schemaVersion {needed}"
        yield spec.problem(path, "newer-version", message, f'declare "{needed}"', key=True)
    if operator in _OPERANDS:
        fits, wanted = _OPERANDS[operator]
        if not fits(operand):
            yield spec.problem(path, "operator", f"`{operator}` takes {wanted}")
        elif operator in _ENTITIES:
            yield Reference(operand, _ENTITIES[operator], path)


def _is_hex(operand: Any) -> bool:
    return isinstance(operand, str) and _HEX.fullmatch(operand) is not None


def _is_number(operand: Any) -> bool:
    wrapped = isinstance(operand, dict) and any(key.startswith("$number") for key in operand)
    return wrapped or (isinstance(operand, int | float) and not isinstance(operand, bool))


def _is_types(operand: Any) -> bool:
    names = operand if isinstance(operand, list) else [operand]
    return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)


def _is_string(operand: Any) -> bool:
    return isinstance(operand, str)


_OPERANDS: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "$$exists": (lambda operand: isinstance(operand, bool), "true or false"),
    "$$hexBytes": (_is_hex, "pairs of hexadecimal digits"),
    "$$lte": (_is_number, "a number"),
    "$$matchesEntity": (_is_string, "the id of an entity"),
    "$$matchesHexBytes": (_is_hex, "pairs of hexadecimal digits"),
    "$$sessionLsid": (_is_string, "the id of a session"),
    "$$type": (_is_types, "BSON types as the query operator $type names them"),
}
"""What an operator takes, where not everything."""
