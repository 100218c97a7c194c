"""What all logic formats share: reading the file, asking the adapter, the verdict.

A format's check yields every place where the driver's answer is not the expected one; none is a
pass. An expectation that no check knows makes the case an `error`, so nothing goes unchecked.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from runners.adapters.base import Adapter, AdapterError, Unsupported
from runners.load import SpecFile, place_of
from runners.model import Case, Failure, Json, JsonObject, State, Verdict
from runners.unified.faults import CaseUnmet
from runners.unified.match import MISSING, BadExpectation, Mismatch, Path, match, render


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the spec file and the way to it; what the file lacks raises BadExpectation."""

    value: Json
    path: Path = ()

    def fields(self) -> dict[str, Node]:
        """The members of an object."""
        if not isinstance(self.value, dict):
            raise BadExpectation("should be an object", self.path)
        return {key: Node(value, (*self.path, key)) for key, value in self.value.items()}

    def items(self) -> list[Node]:
        """The items of an array."""
        if not isinstance(self.value, list):
            raise BadExpectation("should be an array", self.path)
        return [Node(value, (*self.path, index)) for index, value in enumerate(self.value)]

    def need(self, key: str) -> Node:
        """The member `key` of an object."""
        if key not in (fields := self.fields()):
            raise BadExpectation(f"`{key}` is missing", self.path)
        return fields[key]

    def text(self) -> str:
        """The value of a string."""
        if not isinstance(self.value, str):
            raise BadExpectation("should be a string", self.path)
        return self.value

    def number(self) -> float:
        """The value of a number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise BadExpectation("should be a number", self.path)
        return self.value

    def flag(self) -> bool:
        """The value of a boolean."""
        if not isinstance(self.value, bool):
            raise BadExpectation("should be true or false", self.path)
        return self.value

    def refuse_keys_beyond(self, known: Iterable[str]) -> None:
        """Raise BadExpectation where the object has a key that nothing here reads."""
        for key, node in self.fields().items():
            if key not in known:
                raise BadExpectation(
                    f"nothing reads this key here; known are {', '.join(sorted(known))}", node.path
                )


Rule: TypeAlias = Callable[[Node, Json], Iterator[Mismatch]]
"""Holds an expected node against the driver's value; null stands for what it did not name."""


def against(expected: Node, actual: Json, rules: Mapping[str, Rule]) -> Iterator[Mismatch]:
    """Check each key that the file expects by its rule; other keys of the answer may be there."""
    expected.refuse_keys_beyond(rules)
    if not isinstance(actual, dict):
        yield unlike("is not an object", expected, actual)
        return
    for key, node in expected.fields().items():
        yield from rules[key](node, actual.get(key))


def equal(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """Check that both are the same value; numbers compare by value."""
    mismatch = match(expected.value, actual, _NO_ENTITIES, path=expected.path)
    if mismatch is not None:
        yield mismatch


def same_set(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """Check that two arrays of strings have the same items in any order."""
    wanted = [item.text() for item in expected.items()]
    if not isinstance(actual, list) or sorted(wanted) != sorted(map(str, actual)):
        yield unlike("is another set", expected, actual)


def unlike(message: str, expected: Node, actual: Json) -> Mismatch:
    """The mismatch of a node."""
    return Mismatch(message, expected.path, expected.value, actual)


def accepted(expected: Node, answer: JsonObject, *, valid: bool) -> Iterator[Mismatch]:
    """Check that the driver accepts what is valid, and answers `error` for what is not."""
    refused = answer.get("error")
    if valid != (refused is None):
        verb = "accepts" if refused is None else "refuses"
        yield unlike(f"the driver {verb} this", expected, refused)


def ask(adapter: Adapter, name: str, arguments: JsonObject) -> JsonObject:
    """The adapter's answer; raises AdapterError where it is no object, or there is none."""
    answer = adapter.logic(name, arguments)
    if not isinstance(answer, dict):
        raise AdapterError(f"the answer to {name} is {answer!r}, not an object")
    return answer


def judge(spec: SpecFile, case: Case, check: Callable[[Node], Iterator[Mismatch]]) -> Verdict:
    """Run a format's check of the case's node and turn what it found into the case's verdict."""
    start = time.perf_counter()
    state, reason, failure = State.PASS, "", None
    try:
        place = place_of(spec, case)
        mismatches = list(check(Node(spec.at(place), place)))
    except Unsupported as error:
        state, reason = State.UNSUPPORTED, str(error)
    except CaseUnmet as error:
        state, reason = State.UNMET, str(error)
    except BadExpectation as error:
        line = spec.locate(error.path).line
        state, reason = State.ERROR, str(error)
        failure = Failure(reason, path=render(error.path), line=line)
    except Exception as error:  # noqa: BLE001 - an adapter may raise anything; it is an `error`
        state, reason = State.ERROR, f"{type(error).__name__}: {error}"
        failure = Failure(reason, line=case.line, details=traceback.format_exc())
    else:
        if mismatches:
            state, failure = State.FAIL, _failure(spec, mismatches)
    return Verdict(case, state, reason, time.perf_counter() - start, failure=failure)


def _failure(spec: SpecFile, mismatches: list[Mismatch]) -> Failure:
    """The first mismatch, with the places of the others."""
    first, *others = mismatches
    return Failure(
        first.message,
        path=render(first.path),
        expected=first.expected,
        actual=None if first.actual is MISSING else first.actual,
        line=spec.locate(first.path).line,
        details="\n".join(f"{render(m.path)} {m.message}" for m in others),
    )


class _NoEntities:
    """Logic formats have no entities to match against."""

    def entity_value(self, name: str, path: Path) -> Json:
        """See match.Context."""
        raise BadExpectation(f"there is no entity {name}", path)

    def session_lsid(self, name: str, path: Path) -> JsonObject:
        """See match.Context."""
        raise BadExpectation(f"there is no session {name}", path)


_NO_ENTITIES = _NoEntities()
