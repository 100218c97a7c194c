"""What the HTML page is told; what it makes of that is tested in a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from runners.load import cases, load
from runners.model import Failure, State, Verdict
from runners.report.excerpt import excerpt
from runners.report.html import html, page_data
from tests.report.samples import RUN, a_run, a_verdict

SPEC = """\
description: greetings
schemaVersion: "1.0"
tests:
  - description: one greets
    operations:
      - {name: find, object: coll, arguments: {filter: {}}}
      - {name: insertOne, object: coll, arguments: {document: {}}}
    expectEvents:
      - client: client0
        events:
          - commandStartedEvent: {commandName: find}
      - client: client1
        eventType: cmap
        events: [poolReadyEvent: {}]
  - description: two greet
    operations: []
"""


def spec_file(folder: Path) -> Path:
    """A spec file of two tests."""
    path = folder / "greet.yml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def failing(path: Path) -> Verdict:
    """The verdict of its first test, failed at the second operation."""
    case, _ = cases(load(path, path.parent))
    failure = Failure(
        "refused",
        "tests[0].operations[1]",
        line=7,
        operation="insertOne",
        events={"client0": [{"commandStartedEvent": {"commandName": "find"}}]},
    )
    return Verdict(case, State.FAIL, "refused", 0.5, "replicaset-6.0.5", failure)


def data_of(page: str) -> Any:
    """The JSON document in a page."""
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    return json.loads(found)


def test_every_verdict_is_in_the_page() -> None:
    data = data_of(html([RUN, RUN]))
    for rows in data["verdicts"]:
        told = [
            (data["cases"][case][0], data["states"][state]["name"], data["reasons"][reason])
            for case, _, state, _, reason, _ in rows
        ]
        assert told == [(each.case.id, each.state, each.reason) for each in RUN.verdicts]
    on = [row[1] for row in data["verdicts"][0]]
    assert on[-2:] == [-1, -1], "one deployment is not in the run, one verdict has none"
    assert data["runs"][0]["commits"] == ["a" * 10]


def test_what_is_said_of_a_failure() -> None:
    data: Any = page_data([RUN])
    broken = [each for each in RUN.verdicts if each.failure is not None]
    assert len(data["failures"]) == len(broken)
    first = data["failures"][0]
    assert (first["message"], first["expected"], first["actual"]) == ("differs", 1, 2)
    assert first["command"] == (
        "mongospec check f.yml --driver toy --topology replicaset --server 6.0.5 -k fail"
    )
    assert "cannot be read any more" in next(iter(data["excerpts"].values()))["missing"]


def test_a_command_is_quoted_and_has_what_varies_the_deployment() -> None:
    odd = a_verdict(State.FAIL)
    odd = replace(odd, case=replace(odd.case, description="it's $HOME"))
    (deployment,) = RUN.deployments
    run = replace(a_run(odd), deployments=(replace(deployment, auth=True, tls=True),))
    data: Any = page_data([run])
    assert data["failures"][0]["command"].endswith("--auth --tls -k 'it'\"'\"'s $HOME'")


def test_text_never_ends_the_script() -> None:
    hostile = replace(a_verdict(State.UNMET), reason="</script><script>alert(1)</script>")
    page = html([a_run(hostile)])
    assert "alert(1)</script>" not in page
    assert data_of(page)["reasons"] == [hostile.reason]


def test_an_excerpt_has_the_lines_of_its_case_only(tmp_path: Path) -> None:
    told: Any = excerpt(failing(spec_file(tmp_path)).case)
    assert told["first"] == 4
    assert told["lines"] == SPEC.splitlines()[3:14]
    assert told["operations"] == ["coll.find", "coll.insertOne"]
    assert [each["client"] for each in told["events"]] == ["client0", "client1"]
    assert "poolReadyEvent" in told["events"][1]["kinds"]
    assert "commandStartedEvent" in told["events"][0]["kinds"]


def test_an_excerpt_of_a_file_that_changed(tmp_path: Path) -> None:
    path = spec_file(tmp_path)
    case = failing(path).case
    path.write_text(SPEC.replace("one greets", "someone greets"))
    assert excerpt(case) == {"missing": "the file has no such case any more"}
    path.write_text("tests: [")
    assert "cannot be read any more" in str(excerpt(case))
    path.unlink()
    assert "cannot be read any more" in str(excerpt(case))


def test_a_file_without_operations_has_an_excerpt_too(tmp_path: Path) -> None:
    path = tmp_path / "spec_tests" / "rtt"
    path.mkdir(parents=True)
    path = path / "a.yml"
    path.write_text("avg_rtt_ms: 10\nnew_rtt_ms: 20\n")
    verdict = failing(spec_file(tmp_path))
    (case,) = cases(load(path, path.parent.parent))
    told: Any = excerpt(replace(verdict, case=case).case)
    assert (told["first"], len(told["lines"])) == (1, 2)
    assert (told["operations"], told["events"]) == ([], [])
