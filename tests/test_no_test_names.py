"""No verdict depends on which test it is: the code names none of the official ones.

A driver's known failures belong in data; a rule that the specs do not have belongs nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.official import SOURCE, needs_official

ROOT = Path(__file__).parents[1]
LONG = 4
"""A name of so many words is no coincidence wherever it stands; a shorter one as a whole string."""

QUOTED = re.compile(r"""\"([^"\n]*)\"|'([^'\n]*)'""")

Words = tuple[str, ...]


def words(text: str) -> Words:
    """Also across the quotes and line ends that divide a string of the code."""
    return tuple(re.findall(r"\w+", text.casefold()))


def descriptions(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(found := node.get("description"), str):
            yield found
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from descriptions(each)


@cache
def official_names() -> frozenset[Words]:
    """The words of each official test's description, and of each official file's name."""
    found: set[Words] = set()
    for path in SOURCE.glob("*/tests/**/*.json"):
        found.update(map(words, descriptions(json.loads(path.read_text(encoding="utf-8")))))
        if len(name := words(path.stem.replace("_", " "))) >= LONG:
            found.add(name)
    return frozenset(name for name in found if sum(map(str.isalpha, name)) > 2)


def named_in(text: str, names: frozenset[Words]) -> set[Words]:
    """The names that are in a text."""
    quoted = {words("".join(pair)) for pair in QUOTED.findall(text)}
    found = quoted & names
    beginnings: dict[Words, list[Words]] = {}
    for name in names:
        if len(name) >= LONG:
            beginnings.setdefault(name[:LONG], []).append(name)
    all_words = words(text)
    for at in range(len(all_words) - LONG + 1):
        for name in beginnings.get(all_words[at : at + LONG], ()):
            if all_words[at : at + len(name)] == name:
                found.add(name)
    return found


def sources() -> Iterator[Path]:
    for top in ("driver", "runners"):
        for path in (ROOT / top).rglob("*"):
            if path.suffix in {".py", ".json", ".yml", ".in", ".c", ".h", ".toml"}:
                yield path


pytestmark = needs_official


def test_no_official_test_is_named_in_the_code() -> None:
    names = official_names()
    assert len(names) > 3000
    read = {path: path.read_text(encoding="utf-8") for path in sources()}
    assert len(read) > 200
    assert {path: found for path, text in read.items() if (found := named_in(text, names))} == {}


PLANTED = "FindOneAndUpdate is committed on first attempt"


@pytest.mark.parametrize(
    "code",
    [
        f'if case.description == "{PLANTED}":',
        f"SKIPPED = {{{PLANTED.lower()!r}: 'some day'}}",
        'name = "FindOneAndUpdate is committed " \\\n    "on first attempt"',
        f"# {PLANTED}: works around it",
        'if description == "Abort without start":',
        'if path.stem == "change-streams-resume-allowlist":',
    ],
)
def test_a_name_is_found_however_it_is_written(code: str) -> None:
    assert named_in(f"x = 1\n{code}\n    y = 2\n", official_names())


def test_what_only_looks_alike_is_not_a_name() -> None:
    code = '"""Discover an abort without start; FindOneAndUpdate is committed on the first."""'
    assert not named_in(code, official_names())
