"""The run file says all a run found, keeps to its schema, and is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from runners.collect import PACKAGE
from runners.model import Json, State
from runners.report.run_file import document, write
from tests.report.samples import RUN, VERDICTS, a_run, a_verdict

SCHEMA: dict[str, Any] = json.loads((PACKAGE / "schema" / "run-file.json").read_text())


def check(value: object) -> None:
    jsonschema.validate(value, SCHEMA, cls=jsonschema.Draft202012Validator)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_run_keeps_to_the_schema(tmp_path: Path) -> None:
    write(RUN, tmp_path / "run.json")
    value = json.loads((tmp_path / "run.json").read_text())
    check(value)
    assert value == document(RUN)
    assert value["driver"] == {"name": "toy", "version": "1.2", "language": "Toy"}
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "passed"},
        {"seconds": -1},
        {"deployment": 1},
        {"failure": {"message": "only"}},
        {"extra": 1},
    ],
)
def test_the_schema_refuses(wrong: dict[str, object]) -> None:
    value: Any = document(RUN)
    value["cases"][0].update(wrong)
    with pytest.raises(jsonschema.ValidationError):
        check(value)


def test_totals_add_up() -> None:
    totals: Any = document(RUN)["totals"]
    assert totals["verdicts"] == len(VERDICTS) == sum(totals["states"].values())
    assert totals["cases"] == len({verdict.case.id for verdict in VERDICTS}) == len(VERDICTS) - 1
    for state in State:
        suites = totals["suites"].values()
        assert totals["states"][state] == sum(suite[state] for suite in suites)


def test_what_json_cannot_say_is_written_as_extended_json(tmp_path: Path) -> None:
    numbers: list[Json] = [float("nan"), float("inf"), {"x": float("-inf")}, 1.5]
    run = a_run(a_verdict(State.FAIL, expected=numbers, actual="half a pair: \ud800"))
    write(run, tmp_path / "run.json")
    text = (tmp_path / "run.json").read_text()
    failure = json.loads(text, parse_constant=pytest.fail)["cases"][0]["failure"]
    assert failure["expected"] == [
        {"$numberDouble": "NaN"},
        {"$numberDouble": "Infinity"},
        {"x": {"$numberDouble": "-Infinity"}},
        1.5,
    ]
    assert failure["actual"] == "half a pair: \ud800"


def test_a_run_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(OSError, match=r"run\.json"):
        write(RUN, tmp_path / "run.json")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
