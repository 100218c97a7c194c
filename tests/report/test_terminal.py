"""What people read: progress, every failure explained, a table whose numbers add up."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from runners.model import State, Verdict
from runners.report.explain import LONGEST, explain
from runners.report.terminal import LiveProgress, PlainProgress, summary
from tests.report.samples import RUN, a_run, a_verdict


def printed(run: object = RUN, *, colour: bool = False) -> str:
    console = Console(file=io.StringIO(), width=160, force_terminal=colour)
    summary(run, console)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_failure_is_explained() -> None:
    assert explain(a_verdict(State.FAIL, details="saw:\nan event")).splitlines() == [
        "FAIL crud/x.yml::fail",
        "  at f.yml:9 on replicaset-6.0.5",
        "  why fail",
        "  operation find",
        "  tests[0].x: differs",
        "  expected: 1",
        "  actual:   2",
        "  saw:",
        "  an event",
    ]


def test_long_values_are_laid_out_and_cut() -> None:
    lines = explain(a_verdict(State.FAIL, expected={"a" * 80: [1]}, actual="b" * 9000)).splitlines()
    at = lines.index("  expected: {")
    assert lines[at + 1] == f'              "{"a" * 80}": ['
    (cut,) = (line for line in lines if line.startswith("  actual:"))
    assert len(cut) < LONGEST + 100
    assert cut.endswith("more characters in the run file)")


@pytest.mark.parametrize("state", [State.SKIPPED, State.UNMET, State.UNSUPPORTED])
def test_other_states_give_their_reason(state: State) -> None:
    assert explain(a_verdict(state)).splitlines()[-1] == f"  why {state}"


def test_the_summary_explains_just_what_breaks_the_run() -> None:
    text = printed()
    for state in State:
        explained = f"{state.upper()} crud/x.yml::{state}" in text
        assert explained == state.breaks_the_run


def test_the_table_adds_up() -> None:
    text = printed()
    rows = {
        match[1]: [int(number) for number in match[2].split()]
        for match in re.finditer(r"^ +(crud|sessions|total) +([\d ]+)$", text, re.MULTILINE)
    }
    assert rows["crud"] == [1] * 8 + [8]
    assert rows["sessions"] == [2, 1, 3]
    assert rows["total"] == [3, 1, 1, 1, 1, 1, 2, 1, 11]
    assert "10 cases in 11 runs" in text


def test_states_that_did_not_occur_have_no_column() -> None:
    text = printed(a_run(a_verdict(State.PASS)))
    assert "unmet" not in text
    assert "1 cases\n" in text


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted" in printed(a_run(a_verdict(State.PASS), complete=False))
    assert "interrupted" not in printed()


def test_colour_adds_nothing_but_colour() -> None:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed(colour=True))
    assert plain == printed()
    assert printed(colour=True) != plain


def test_text_is_never_taken_for_markup() -> None:
    assert "[bold]not markup[/nope]" in printed(
        a_run(a_verdict(State.FAIL, name="[bold]not markup[/nope]"))
    )


def verdicts(count: int) -> list[Verdict]:
    return [a_verdict(State.FAIL if i == 3 else State.PASS) for i in range(count)]


def test_plain_progress() -> None:
    stream = io.StringIO()
    with PlainProgress(stream) as shown:
        shown.begin(20)
        shown.say("starting it")
        for verdict in verdicts(20):
            shown.verdict(verdict)
    lines = stream.getvalue().splitlines()
    assert lines[:4] == [
        "starting it",
        "2/20: 2 pass",
        "fail: crud/x.yml::fail",
        "4/20: 3 pass, 1 fail",
    ]
    assert lines[-1] == "20/20: 19 pass, 1 fail"
    assert len(lines) == 12


def test_live_progress_shows_the_counts_and_clears_itself() -> None:
    console = Console(file=io.StringIO(), width=160, force_terminal=True)
    with LiveProgress(console) as shown:
        shown.begin(5)
        shown.say("starting [it]")
        for verdict in verdicts(5):
            shown.verdict(verdict)
    assert isinstance(console.file, io.StringIO)
    text = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())
    assert "starting [it]" in text
    assert "5/5" in text
    assert "4 pass, 1 fail" in text
    assert text.endswith("\x1b[2K")
