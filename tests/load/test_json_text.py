"""JSON made strict, and the places of its nodes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.parse import MAX_DEPTH, Spot, TextError, json_text

TEXT = """{
  "a": [1, {"b": "x, y: {z}"}],
  "ä" : {
    "c": null
  }
}
"""


@pytest.mark.parametrize(
    ("path", "key", "spot"),
    [
        ((), False, (1, 1)),
        (("a",), False, (2, 8)),
        (("a",), True, (2, 3)),
        (("a", 1), False, (2, 12)),
        (("a", 1, "b"), False, (2, 18)),
        (("a", 1, "b"), True, (2, 13)),
        (("ä", "c"), False, (4, 10)),
        (("ä", "missing", "deeper"), False, (3, 9)),
        (("ä", "missing"), True, (3, 9)),
        (("a", 7), False, (2, 8)),
        (("a", 0, "within a scalar"), False, (2, 9)),
    ],
)
def test_places(path: tuple[str | int, ...], key: bool, spot: Spot) -> None:
    _, places = json_text.parse(TEXT)

    assert places.at(path, key=key) == spot


@pytest.mark.parametrize(
    ("text", "rule", "spot"),
    [
        ('{"a": 1,\n "b": {"c": 1, "c": 2}}', "duplicate-key", (2, 16)),
        ('[{"a": 1, "a": 2}, [}', "not-json", (1, 21)),
        ('[{"a": 1, "a": 2}', "not-json", (1, 18)),
        ('{"a": "NaN",\n "b": NaN}', "not-finite", (2, 7)),
        ("[1, -Infinity]", "not-finite", (1, 5)),
        ("[1e400]", "not-finite", (1, 2)),
        (f"[7, {'9' * 5000}]", "not-finite", (1, 5)),
        ('{"a": "\\uD834"}', "bad-string", (1, 8)),
        ('{"a" 1}', "not-json", (1, 6)),
        ("{} {}", "not-json", (1, 4)),
        ("", "not-json", (1, 1)),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "too-deep", (1, 1)),
        ("[" * 100_000, "too-deep", (1, 1)),
        ('[{"a": 1, "a": 2},' + "[" * 100_000, "too-deep", (1, 1)),
    ],
)
def test_refusals(text: str, rule: str, spot: Spot) -> None:
    with pytest.raises(TextError) as caught:
        json_text.parse(text)

    assert (caught.value.rule, caught.value.spot) == (rule, spot)


def test_the_deepest_allowed_document_is_read() -> None:
    value, _ = json_text.parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)

    assert value is not None


def test_an_escaped_pair_of_surrogates_is_a_character() -> None:
    assert json_text.parse('["\\ud834\\udd1e"]')[0] == ["\U0001d11e"]


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
def test_every_node_is_found_where_it_stands(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    parsed, places = json_text.parse(text)
    lines = text.split("\n")
    nodes: list[tuple[tuple[str | int, ...], Any]] = [((), value)]

    assert parsed == value
    while nodes:
        path, node = nodes.pop()
        line, column = places.at(path)
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == node
        if isinstance(node, dict):
            nodes += [((*path, step), child) for step, child in node.items()]
        elif isinstance(node, list):
            nodes += [((*path, step), child) for step, child in enumerate(node)]
