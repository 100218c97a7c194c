"""JUnit XML: every verdict is there, with its state and its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from runners.adapters.base import DriverInfo
from runners.model import State
from runners.report.junit import write
from runners.report.run import Run
from tests.report.samples import RUN, VERDICTS, a_run, a_verdict

KINDS = {
    State.PASS: None,
    State.FAIL: "failure",
    State.ERROR: "error",
    State.EXPECTED_FAIL: "skipped",
    State.UNEXPECTED_PASS: "failure",
    State.UNSUPPORTED: "skipped",
    State.UNMET: "skipped",
    State.SKIPPED: "skipped",
}


def written(folder: Path, *runs: Run) -> Element:
    write(runs, folder / "junit.xml")
    return ElementTree.parse(folder / "junit.xml").getroot()


def test_every_state_has_its_element(tmp_path: Path) -> None:
    root = written(tmp_path, a_run(*(a_verdict(state) for state in State)))
    for case, state in zip(root.iter("testcase"), State, strict=True):
        children = [(each.tag, each.get("message")) for each in case]
        reason = "differs" if state.breaks_the_run else f"why {state}"
        kind = KINDS[state]
        assert children == ([(kind, f"{state}: {reason}")] if kind else [])
        assert case.get("name") == f"{state} [replicaset-6.0.5]"
        assert case.get("classname") == "crud/x.yml"


def test_counts_add_up_over_suites_and_drivers(tmp_path: Path) -> None:
    other = replace(RUN, driver=DriverInfo("other", "9", "Toy", frozenset()))
    root = written(tmp_path, RUN, other)
    assert [suite.get("name") for suite in root] == [
        "toy: crud",
        "toy: sessions",
        "other: crud",
        "other: sessions",
    ]
    assert root.get("tests") == str(2 * len(VERDICTS)) == str(len(list(root.iter("testcase"))))
    for count in ("tests", "failures", "errors", "skipped"):
        assert int(root.get(count, "")) == sum(int(suite.get(count, "")) for suite in root)


def test_a_failure_explains_itself(tmp_path: Path) -> None:
    root = written(tmp_path, a_run(a_verdict(State.FAIL, expected=1, actual=2, details="saw x")))
    (failure,) = root.iter("failure")
    assert failure.text is not None
    for part in ("FAIL crud/x.yml::fail", "f.yml:9", "expected: 1", "actual:   2", "saw x"):
        assert part in failure.text


def test_what_xml_cannot_say_is_escaped(tmp_path: Path) -> None:
    verdict = a_verdict(State.FAIL, details="\x00 & <tag> \ud800 \uffff é \U0001f600")
    (failure,) = written(tmp_path, a_run(verdict)).iter("failure")
    assert failure.text is not None
    assert "\\u0000 & <tag> \\ud800 \\uffff é \U0001f600" in failure.text
