"""The schemas themselves: sound, and of one mind with the runner's tables."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from runners.checks.names import OPERATORS, TEST_RUNNER_OPERATIONS
from runners.checks.versions import parse_version
from runners.formats import FORMATS
from runners.lint import lint
from runners.load import load
from runners.new import SUITES, new_case
from runners.schema import read
from runners.unified.events import EVENT_TYPES, EVENTS
from runners.unified.operations.execute import SPECIAL

NAMES = [*(known.schema for known in FORMATS), "topology.json"]


def subschemas(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for item in schema.values():
            yield from subschemas(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from subschemas(item)


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_a_schema(name: str) -> None:
    Draft7Validator.check_schema(read(name))


@pytest.mark.parametrize("name", NAMES)
def test_each_error_has_one_cause(name: str) -> None:
    for schema in subschemas(read(name)):
        assert not {"anyOf", "oneOf"} & set(schema)
        assert schema.get("not", {}) == {}
        assert "$ref" not in schema or len(schema) == 1, "draft-07 ignores what is beside $ref"


def test_ages_are_versions() -> None:
    ages = {s["since"] for s in subschemas(read("unified.json")) if isinstance(s.get("since"), str)}

    assert len(ages) > 10
    for age in ages | set(OPERATORS.values()):
        assert (1, 0, 0) <= parse_version(age) <= (1, 28, 0)


def test_the_runner_knows_the_same_names() -> None:
    definitions: Any = read("unified.json")["definitions"]

    assert set(definitions["eventName"]["enum"]) == EVENTS
    assert set(definitions["commandEvent"]["properties"]) == EVENT_TYPES["command"]
    assert set(definitions["cmapEvent"]["properties"]) == EVENT_TYPES["cmap"]
    assert set(definitions["sdamEvent"]["properties"]) == EVENT_TYPES["sdam"]
    assert set(TEST_RUNNER_OPERATIONS) == set(SPECIAL)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from nodes(value[key], (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nodes(item, (*path, index))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    value = deepcopy(value)
    node = value
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = new
    return value


@pytest.mark.parametrize("suite", SUITES)
def test_no_damage_makes_the_linter_fail(tmp_path: Path, suite: str) -> None:
    """Each node in turn is replaced by what does not belong there."""
    whole = load(new_case(suite, "whole", tmp_path), tmp_path)
    known = next(known for known in FORMATS if known.name == whole.format)
    identifying = {(key,) for key in known.keys}
    choose = random.Random(suite)
    for path in nodes(whole.value):
        if (
            not path
            or path in identifying
            or (known.some_keys and path[:1] == ("tests",) and len(path) < 4)
        ):
            continue
        new: Any = choose.choice(
            [None, True, -1, 1.5, "", "client0", [], [1], {}, {"$$type": [{}]}]
        )
        damaged = tmp_path / "damaged.yml"
        text = yaml.safe_dump(replaced(whole.value, path, new))
        damaged.write_text(text, encoding="utf-8")

        for problem in lint(load(damaged, tmp_path)):
            assert problem.message
            assert 1 <= problem.position.line <= text.count("\n") + 1
