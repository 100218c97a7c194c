"""BSON and Extended JSON: one value in all its forms, and bytes and texts that have no value.

Format: bson-corpus/tests. The adapter is asked for `bson-corpus` with one form of a document,
`{"bson": hexadecimal}` or `{"extended_json": text}`, and answers all of them: `{"bson",
"canonical", "relaxed"}`, the latter two as texts; or `{"error": message}`. For a `{"decimal128":
text}` it answers `{}` or an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.judging import Node, accepted, ask, judge, unlike
from runners.model import Case, JsonObject, Verdict
from runners.unified.match import BadExpectation, Mismatch

_CANONICAL = ("canonical_bson", "canonical_extjson")
_OTHERS = ("relaxed_extjson", "degenerate_bson", "degenerate_extjson")
_CONVERTED = ("converted_bson", "converted_extjson")
_VALID = ("description", "lossy", *_CANONICAL, *_OTHERS, *_CONVERTED)
_DECIMAL128: Final = "0x13"


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge one test of one of the file's lists."""
    kind = Node(spec.value).need("bson_type")
    return judge(spec, case, lambda test: _CHECKS[str(test.path[0])](test, kind.text(), adapter))


def _check_valid(test: Node, _: str, adapter: Adapter) -> Iterator[Mismatch]:
    """Hold the answers to each form against those that the corpus document asks for.

    That is for codecs with values of their own between BSON and JSON; for others it means the same.
    A codec may also make other values of deprecated types, as long as it does so of every form.
    """
    test.refuse_keys_beyond(_VALID)
    forms = test.fields()
    mismatches = list(_check_forms(forms, _Expected.of(test, *_CANONICAL), adapter))
    if mismatches and forms.keys() >= set(_CONVERTED):
        converted = _Expected.of(test, *_CONVERTED)
        if not list(_check_forms(forms, converted, adapter)):
            return
    yield from mismatches


class _Expected(NamedTuple):
    """The forms of the value that is to come out."""

    bson: Node
    canonical: Node
    relaxed: Node | None

    @classmethod
    def of(cls, test: Node, bson: str, canonical: str) -> _Expected:
        relaxed = None if bson in _CONVERTED else test.fields().get("relaxed_extjson")
        return cls(test.need(bson), test.need(canonical), relaxed)


def _check_forms(
    forms: Mapping[str, Node], expected: _Expected, adapter: Adapter
) -> Iterator[Mismatch]:
    bson, canonical, relaxed = expected
    exact = None if "lossy" in forms and forms["lossy"].flag() else bson
    for name, given in forms.items():
        match name:
            case "canonical_bson":
                yield from _check_form(
                    given, "bson", adapter, bson=bson, canonical=canonical, relaxed=relaxed
                )
            case "degenerate_bson":
                yield from _check_form(given, "bson", adapter, bson=bson)
            case "canonical_extjson" | "degenerate_extjson":
                yield from _check_form(
                    given, "extended_json", adapter, bson=exact, canonical=canonical
                )
            case "relaxed_extjson":
                yield from _check_form(given, "extended_json", adapter, relaxed=relaxed)


def _check_form(
    given: Node, form: str, adapter: Adapter, **expected: Node | None
) -> Iterator[Mismatch]:
    """Ask for one form of a value, and compare the forms that are expected of it."""
    answer = ask(adapter, "bson-corpus", {form: given.text()})
    yield from accepted(given, answer, valid=True)
    if "error" in answer:
        return
    for name, node in expected.items():
        if node is None:
            continue
        actual = answer.get(name)
        same = _same_bytes if name == "bson" else _same_json
        if not isinstance(actual, str) or not same(node, actual):
            yield unlike(f"{given.path[-1]} becomes other {_NAMES[name]}", node, actual)


_NAMES: Final = {
    "bson": "BSON",
    "canonical": "canonical Extended JSON",
    "relaxed": "relaxed Extended JSON",
}


def _same_bytes(expected: Node, actual: str) -> bool:
    return expected.text().upper() == actual.upper()


def _same_json(expected: Node, actual: str) -> bool:
    try:
        wanted = _Comparable().decode(expected.text())
    except ValueError as error:
        raise BadExpectation(f"should be JSON: {error}", expected.path) from None
    try:
        return bool(wanted == _Comparable().decode(actual))
    except ValueError:
        return False


class _Comparable(json.JSONDecoder):
    """Reads JSON into values that are equal where the texts mean the same.

    How a number is written does not count, except for the sign of a zero; nor does the order of
    keys.
    """

    def __init__(self) -> None:
        super().__init__(parse_int=_number, parse_float=_number, object_pairs_hook=_object)


def _number(digits: str) -> tuple[str, str]:
    value: float = int(digits) if digits.lstrip("-").isdigit() else float(digits)
    whole = isinstance(value, int) or (value.is_integer() and str(value) != "-0.0")
    return "number", str(int(value)) if whole else str(value)


def _object(pairs: list[tuple[str, Any]]) -> Any:
    match pairs:
        case [("$numberDouble", str(digits))] if digits not in ("NaN", "Infinity", "-Infinity"):
            return "$numberDouble", _number(digits)
        case _:
            return sorted(pairs, key=lambda pair: pair[0])


def _check_decode_error(test: Node, _: str, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(("description", "bson"))
    bson = test.need("bson")
    yield from accepted(bson, ask(adapter, "bson-corpus", {"bson": bson.text()}), valid=False)


def _check_parse_error(test: Node, kind: str, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(("description", "string"))
    text = test.need("string")
    form: JsonObject = {"decimal128" if kind == _DECIMAL128 else "extended_json": text.text()}
    yield from accepted(text, ask(adapter, "bson-corpus", form), valid=False)


_CHECKS: Final = {
    "valid": _check_valid,
    "decodeErrors": _check_decode_error,
    "parseErrors": _check_parse_error,
}
