"""What the linter knows of BSON corpus files beyond their shape."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.linting import problems, problems_at_mark

FILE = """\
description: whole numbers
bson_type: "0x10"
valid:
  - description: one
    canonical_bson: 0C000000106E000100000000
    canonical_extjson: '{"n": {"$numberInt": "1"}}'
decodeErrors:
  - description: nothing
    bson: "00"
parseErrors:
  - description: a letter
    string: '{"n": {"$numberInt": "a"}}'
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0C0000", "¶0D0000", "[length] `canonical_bson` says that it has 13 bytes, but has 12"),
        ("0C0000", "¶0C000", "[value] `canonical_bson` cannot be"),
        ("""'{"n": {"$numberInt": "1"}}'""", "¶'{n: 1}'", "[not-json] `canonical_extjson` is not"),
        ("""'{"n": {"$numberInt": "a"}}'""", "¶'{'", "[not-json] `string` is not JSON"),
        ('"0x10"', '¶"int"', "[value] `bson_type` cannot be 'int'"),
    ],
)
def test_a_problem_and_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert FILE.count(old) == 1
    (problem,) = problems_at_mark(tmp_path, FILE.replace(old, new))
    assert problem.startswith(message)


def test_the_text_of_a_decimal_is_not_json(tmp_path: Path) -> None:
    text = FILE.replace("0x10", "0x13").replace("""'{"n": {"$numberInt": "a"}}'""", "1E")
    assert problems(tmp_path, text) == []
