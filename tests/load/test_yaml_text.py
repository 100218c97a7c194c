"""YAML read by the core schema of 1.2, bounded, with the places of its nodes."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runners.parse import MAX_DEPTH, Spot, TextError, yaml_text

TEXT = """# a comment
a: &anchor
  - 1
  - {b: "x: y"}
other:
  <<: {merged: 1}
  again: *anchor
"""


@pytest.mark.parametrize(
    ("path", "key", "spot"),
    [
        ((), False, (2, 1)),
        (("a",), True, (2, 1)),
        (("a",), False, (2, 4)),
        (("a", 1, "b"), True, (4, 6)),
        (("a", 1, "b"), False, (4, 9)),
        (("other", "merged"), False, (6, 16)),
        (("other", "again"), False, (7, 10)),
        (("other", "again", 0), False, (3, 5)),
        (("other", "missing", 0), False, (6, 3)),
        (("other", "missing"), True, (6, 3)),
    ],
)
def test_places(path: tuple[str | int, ...], key: bool, spot: Spot) -> None:
    _, places = yaml_text.parse(TEXT)

    assert places.at(path, key=key) == spot


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("2020-01-01", "2020-01-01"),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1.", 1.0),
        ("-.5e3", -500.0),
        (".", "."),
        ("-", [None]),
        ("~", None),
        ("Null", None),
        ("nULL", "nULL"),
        ("TRUE", True),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("! 5", "5"),
        ("'<<'", "<<"),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    parsed, _ = yaml_text.parse(text)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("<<: {a: 1, b: 2}\na: 3", {"a": 3, "b": 2}),
        ("a: 3\n<<: {a: 1, b: 2}", {"a": 3, "b": 2}),
        ("<<: [{a: 1}, {a: 2, b: 3}]", {"a": 1, "b": 3}),
        ("<<: {a: 1}\n<<: {a: 2, b: 2}", {"a": 1, "b": 2}),
        ("'<<': {a: 1}", {"<<": {"a": 1}}),
        ("0: {1: a}", {"0": {"1": "a"}}),
        ("a: &x 1\nb: &x 2\nc: *x", {"a": 1, "b": 2, "c": 2}),
    ],
)
def test_merges_keys_and_anchors(text: str, value: Any) -> None:
    assert yaml_text.parse(text)[0] == value


def test_merged_keys_keep_their_order() -> None:
    keys = [f"key{number}" for number in range(20)]
    inline = ", ".join(f"{key}: 1" for key in keys)

    assert list(yaml_text.parse(f"<<: {{{inline}}}")[0]) == keys  # type: ignore[arg-type]


def test_an_alias_shares_nothing_with_its_anchor() -> None:
    value: Any = yaml_text.parse("a: &x {list: []}\nb: *x")[0]
    value["a"]["list"].append(1)

    assert value["b"] == {"list": []}


BILLION_LAUGHS = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
DEEP_ALIASES = f"a: &a0 [{'[' * 49}{']' * 49}, &shallow 1]\n" + "".join(
    f"b{n}: &a{n} {'[' * 40}*a{n - 1}{']' * 40}\n" for n in range(1, 200)
)


@pytest.mark.parametrize(
    ("text", "rule", "spot"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2", "duplicate-key", (4, 3)),
        ("{a: 1, <<: {b: 1}, b: 2, b: 3}", "duplicate-key", (1, 26)),
        ("", "empty", (1, 1)),
        ("# nothing\n", "empty", (1, 1)),
        ("a: 1\n---\nb: 2", "not-one-document", (2, 1)),
        ("a: [1\nb: 2", "not-yaml", (2, 2)),
        ("a: 1\n\tb: 2", "not-yaml", (2, 1)),
        ("a: {b:, c: 1}", "not-yaml", (1, 6)),
        ("a: 1\nb: \x01", "not-yaml", (2, 4)),
        ("a: *b", "undefined-alias", (1, 4)),
        ("a: &b [1, *b]", "recursive-alias", (1, 11)),
        ("a: 1\n<<: 3", "bad-merge", (2, 5)),
        ("<<: [{a: 1}, 3]", "bad-merge", (1, 14)),
        ("a: !!binary aGk=", "bad-tag", (1, 4)),
        ("a: !thing {}", "bad-tag", (1, 4)),
        ("a: !!python/object/apply:os.getcwd []", "bad-tag", (1, 4)),
        ("true: 1", "bad-key", (1, 1)),
        ("? [a]\n: 1", "bad-key", (1, 3)),
        ("1.5: 1", "bad-key", (1, 1)),
        ("a: .nan", "not-finite", (1, 4)),
        ("a: -.inf", "not-finite", (1, 4)),
        ("a: 1e400", "not-finite", (1, 4)),
        (f"a: {'9' * 5000}", "not-finite", (1, 4)),
        ("[" * 5000, "too-deep", (1, MAX_DEPTH + 1)),
        (BILLION_LAUGHS, "too-large", (6, 45)),
        (DEEP_ALIASES, "too-deep", (3, 49)),
    ],
)
def test_refusals(text: str, rule: str, spot: Spot) -> None:
    with pytest.raises(TextError) as caught:
        yaml_text.parse(text)

    assert (caught.value.rule, caught.value.spot) == (rule, spot)


def test_the_deepest_allowed_document_is_read() -> None:
    value, _ = yaml_text.parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)

    assert value is not None


def test_the_python_parser_serves_where_the_c_parser_is_absent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = yaml_text.parse(TEXT)
    monkeypatch.setattr(yaml_text, "_LOADER", yaml.SafeLoader)

    assert yaml_text.parse(TEXT) == expected
    with pytest.raises(TextError, match="not allowed"):
        yaml_text.parse("a: \x01")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc:{'\" ", min_size=1), inner, max_size=4)
    ),
)


@given(VALUES)
def test_json_is_read_as_yaml(value: Any) -> None:
    assert yaml_text.parse(json.dumps(value, ensure_ascii=False))[0] == value


@given(st.text())
def test_any_text_gives_data_or_an_error_of_our_own(text: str) -> None:
    with contextlib.suppress(TextError):
        yaml_text.parse(text)
