"""A run on the terminal: progress while it goes (stderr), a table and explanations after it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Self, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from runners.model import State, Verdict
from runners.report.explain import explain
from runners.report.run import Run, by_state

PIPE_WIDTH = 160
STYLES = {
    State.PASS: "green",
    State.FAIL: "bold red",
    State.ERROR: "bold red",
    State.UNEXPECTED_PASS: "bold red",
    State.EXPECTED_FAIL: "yellow",
}


class PlainProgress:
    """Progress as lines: what is being done, and how far it is at every tenth."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._total = 0
        self._states: Counter[State] = Counter()

    def begin(self, total: int) -> None:
        """The run will have `total` verdicts."""
        self._total = total

    def say(self, text: str) -> None:
        """Tell what is being done now."""
        print(text, file=self._stream, flush=True)

    def verdict(self, verdict: Verdict) -> None:
        """Count a verdict, and name it where it breaks the run."""
        before = self._states.total()
        self._states[verdict.state] += 1
        if verdict.state.breaks_the_run:
            self.say(f"{verdict.state}: {verdict.case.id}")
        if (before + 1) * 10 // self._total > before * 10 // self._total:
            self.say(f"{before + 1}/{self._total}: {_tally(self._states)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to clear."""


class LiveProgress:
    """Progress as a bar that is redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._states: Counter[State] = Counter()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[tally]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("reading the spec files", total=None, tally="")

    def begin(self, total: int) -> None:
        """The run will have `total` verdicts."""
        self._bar.update(self._task, total=total)

    def say(self, text: str) -> None:
        """Tell what is being done now."""
        self._bar.update(self._task, description=text)

    def verdict(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self._states[verdict.state] += 1
        self._bar.update(self._task, advance=1, tally=_tally(self._states))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def progress() -> PlainProgress | LiveProgress:
    """Progress on standard error: a bar on a terminal, lines elsewhere."""
    console = Console(stderr=True)
    return LiveProgress(console) if console.is_terminal else PlainProgress(sys.stderr)


def summary(run: Run, console: Console | None = None) -> None:
    """Print every failure with its explanation, then a table of suites and states."""
    console = console or stdout()
    for verdict in run.verdicts:
        if verdict.state.breaks_the_run:
            head, _, rest = explain(verdict).partition("\n")
            console.print(Text(head, STYLES[verdict.state]), soft_wrap=True)
            console.print(Text(rest + "\n"), soft_wrap=True)
    console.print(_table(run))
    console.print(Text(_last_line(run)), soft_wrap=True)


def stdout() -> Console:
    """Standard output; wide where it is no terminal, so that tables keep their lines."""
    return Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)


def _table(run: Run) -> Table:
    totals = by_state(run.verdicts)
    states = [state for state in State if totals[state]]
    table = Table(box=SIMPLE_HEAD, show_footer=True)
    table.add_column("suite", "total", no_wrap=True)
    for state in states:
        style = STYLES.get(state, "")
        footer = Text(str(totals[state]), style)
        table.add_column(Text(state.value, style), footer, justify="right", no_wrap=True)
    table.add_column("total", str(len(run.verdicts)), justify="right", no_wrap=True)
    for suite, counts in run.by_suite().items():
        cells = [str(counts[state] or "") for state in states]
        table.add_row(Text(suite), *cells, str(sum(counts.values())))
    return table


def _last_line(run: Run) -> str:
    driver = f"{run.driver.name} {run.driver.version} ({run.driver.language})"
    on = ", ".join(info.id for info in run.deployments) or "no server"
    several = f" in {len(run.verdicts)} runs" if run.cases != len(run.verdicts) else ""
    interrupted = "" if run.complete else "; interrupted, the other cases did not run"
    return f"{driver} on {on}: {run.cases} cases{several}{interrupted}"


def _tally(states: Counter[State]) -> str:
    return ", ".join(f"{states[state]} {state}" for state in State if states[state])
