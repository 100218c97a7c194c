"""Runs side by side as one self-contained HTML page, which needs no network.

The page's data is one JSON document (`page_data`); `page/page.js` draws it. Text from runs and spec
files reaches the page only as JSON and is put in as text, so nothing of it is ever markup.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, PackageLoader

from runners.model import DeploymentInfo, Json, JsonObject, State, Verdict
from runners.report.excerpt import excerpt
from runners.report.explain import replay_command
from runners.report.run import Run


def write(runs: Sequence[Run], path: Path) -> None:
    """Write the page of one or more runs. Raises OSError."""
    path.write_text(html(runs), encoding="utf-8", errors="backslashreplace")


def html(runs: Sequence[Run]) -> str:
    """The page as text."""
    environment = Environment(loader=PackageLoader("runners.report", "page"), autoescape=True)
    data = json.dumps(page_data(runs), ensure_ascii=False, separators=(",", ":"))
    # A script element ends at the first "</", wherever it stands.
    return environment.get_template("page.html").render(data=data.replace("<", "\\u003c"))


def page_data(runs: Sequence[Run]) -> JsonObject:
    """What the page shows.

    `verdicts` are lists a run: case, deployment (-1: none), state, seconds, reason, failure (-1:
    none), the numbers being places in the lists of those names. A case that broke a run has an
    excerpt of its file in `excerpts`, by the case's place.
    """
    cases, reasons = _Table(), _Table()
    failures: list[Json] = []
    excerpts: JsonObject = {}
    verdicts: list[Json] = []
    for run in runs:
        ids = [deployment.id for deployment in run.deployments]
        rows: list[Json] = []
        for verdict in run.verdicts:
            case = cases.place(_case(verdict))
            on = ids.index(verdict.deployment) if verdict.deployment in ids else -1
            failure = -1
            if verdict.failure is not None:
                failure = len(failures)
                failures.append(_failure(verdict, run, on))
                excerpts.setdefault(str(case), excerpt(verdict.case))
            state = _STATES.index(verdict.state)
            reason = reasons.place(verdict.reason)
            rows.append([case, on, state, round(verdict.seconds, 3), reason, failure])
        verdicts.append(rows)
    return {
        "states": [{"name": state.value, "breaks": state.breaks_the_run} for state in _STATES],
        "runs": [_run(run) for run in runs],
        "cases": cases.rows,
        "reasons": reasons.rows,
        "failures": failures,
        "excerpts": excerpts,
        "verdicts": verdicts,
    }


_STATES: Final = tuple(State)


class _Table:
    """Values that are written once and named by their place."""

    def __init__(self) -> None:
        self.rows: list[Json] = []
        self._places: dict[object, int] = {}

    def place(self, value: Json) -> int:
        """Where the value is; it is added where it is new."""
        key = tuple(value) if isinstance(value, list) else value
        if key not in self._places:
            self._places[key] = len(self.rows)
            self.rows.append(value)
        return self._places[key]


def _run(run: Run) -> JsonObject:
    commits: list[Json] = [*sorted({specs.commit[:10] for specs in run.specs if specs.commit})]
    return {
        "driver": f"{run.driver.name} {run.driver.version}",
        "language": run.driver.language,
        "complete": run.complete,
        "commits": commits,
        "deployments": [_deployment(each) for each in run.deployments],
    }


def _deployment(info: DeploymentInfo) -> JsonObject:
    return {
        "id": info.id,
        "topology": info.topology.value,
        "server": info.server_version,
        "auth": info.auth,
        "tls": info.tls,
    }


def _case(verdict: Verdict) -> list[Json]:
    case = verdict.case
    return [case.id, case.suite, _shown(case.path), case.line, case.description]


@cache
def _shown(path: Path) -> str:
    """The path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _failure(verdict: Verdict, run: Run, on: int) -> JsonObject:
    failure = verdict.failure
    assert failure is not None
    return {
        "message": failure.message,
        "path": failure.path,
        "expected": failure.expected,
        "actual": failure.actual,
        "line": failure.line,
        "operation": failure.operation,
        "details": failure.details,
        "events": failure.events,
        "command": _commands(verdict, run.driver.name, run.deployments[on] if on >= 0 else None),
    }


def _commands(verdict: Verdict, driver: str, on: DeploymentInfo | None) -> str:
    """What runs the case again; and once more without a server, where it is recorded."""
    words = ["mongospec", "check", _shown(verdict.case.path), "--driver", driver]
    if on is not None:
        words += ["--topology", on.topology.value, "--server", on.server_version, *_security(on)]
    check = shlex.join([*words, "-k", verdict.case.description])
    return check if verdict.record is None else f"{check}\n{replay_command(verdict.record)}"


def _security(on: DeploymentInfo) -> Iterable[str]:
    if on.auth:
        yield "--auth"
    if on.tls:
        yield "--tls"
