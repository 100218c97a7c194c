"""Drivers side by side, as Markdown: a row a suite; what failed; what is known or did not run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from runners.model import State, Verdict
from runners.report.run import Run, by_state

EXPLAINED = (State.EXPECTED_FAIL, State.UNSUPPORTED, State.UNMET, State.SKIPPED)


def markdown(runs: Sequence[Run]) -> str:
    """The page of one or more runs."""
    return "\n".join(
        [
            "# Conformance",
            "",
            "Written by `mongospec report RUN.json... --markdown FILE`. Numbers are verdicts: one",
            "for each case on each deployment it ran on. A number alone means that all passed.",
            "",
            *_heads(runs),
            "",
            *_table(runs),
            "",
            "## What failed",
            "",
            *_failed(runs),
            "",
            "## What is known to fail or did not run, and why",
            "",
            *_explained(runs),
            "",
        ]
    )


def _heads(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        on = ", ".join(deployment.id for deployment in run.deployments) or "no server"
        specs = ", ".join(sorted({specs.commit[:10] for specs in run.specs if specs.commit}))
        at = f", specifications at {specs}" if specs else ""
        cut = "" if run.complete else " **The run was interrupted.**"
        yield f"- {_name(run)}: {run.cases} cases on {on}{at}.{cut}"


def _table(runs: Sequence[Run]) -> Iterator[str]:
    counts = [run.by_suite() for run in runs]
    yield _row(["suite", *map(_name, runs)])
    yield _row(["---", *("---:" for _ in runs)])
    for suite in sorted({suite for each in counts for suite in each}):
        yield _row([suite, *(_cell(each.get(suite, {})) for each in counts)])
    yield _row(["**total**", *(_cell(by_state(run.verdicts)) for run in runs)])


def _cell(counts: dict[State, int]) -> str:
    """`66` where all passed, else such as `60 pass, 6 unmet`."""
    told = {state: number for state, number in counts.items() if number}
    if told.keys() <= {State.PASS}:
        return str(told.get(State.PASS, ""))
    return ", ".join(f"{number} {state}" for state, number in told.items())


def _failed(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        files = Counter(
            (verdict.state, verdict.case.id.partition("::")[0])
            for verdict in run.verdicts
            if verdict.state.breaks_the_run
        )
        yield f"- {_name(run)}:{'' if files else ' nothing.'}"
        for (state, file), number in sorted(files.items()):
            yield f"  - {number} {state}: {file}"


def _explained(runs: Sequence[Run]) -> Iterator[str]:
    for run in runs:
        reasons = Counter(
            (verdict.state, _reason(verdict, run))
            for verdict in run.verdicts
            if verdict.state in EXPLAINED
        )
        yield f"- {_name(run)}:{'' if reasons else ' everything ran.'}"
        for (state, reason), number in reasons.most_common():
            yield f"  - {number} {state}: {reason}"


def _reason(verdict: Verdict, run: Run) -> str:
    """The reason in one line, without what it says of the deployments there were."""
    ids = ("at hand: ", *(f"{deployment.id} " for deployment in run.deployments))
    parts = " ".join(verdict.reason.split()).split("; ")
    return "; ".join(part for part in parts if not part.startswith(ids))


def _name(run: Run) -> str:
    return f"{run.driver.name} {run.driver.version}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
