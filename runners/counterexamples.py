"""Spec files that must not pass: they show what a harness has to refuse, or see fail.

Spec: unified-test-format, the README of its tests. A file in a folder named `invalid` is refused
before it is run; one in a folder named `valid-fail` is refused, or fails. Whatever else comes of
them (the driver lacks something, the deployment broke) stands as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from runners.model import Failure, Problem, State, Verdict

REFUSED: Final = "invalid"
FAILING: Final = "valid-fail"

_UNREAD: Final = frozenset({"unreadable", "no-such-file"})
"""Rules that say nothing of what is in the file."""


def of_a_refused_file(verdict: Verdict, problems: Sequence[Problem]) -> Verdict:
    """The verdict of a case whose file was refused; `verdict` is the one of any other file."""
    meant = verdict.case.path.parent.name in (REFUSED, FAILING)
    read = _UNREAD.isdisjoint(problem.rule for problem in problems)
    return _as_meant(verdict) if meant and read else verdict


def of_a_run(verdict: Verdict) -> Verdict:
    """The verdict of a case that was run; `verdict` is the one that any other case would get.

    Not for errors that nobody foresaw, nor for those of a deployment that broke.
    """
    folder = verdict.case.path.parent.name
    if folder == FAILING and verdict.state in (State.FAIL, State.ERROR):
        return _as_meant(verdict)
    if folder in (REFUSED, FAILING) and verdict.state in (State.PASS, State.FAIL):
        message = f"it is in a folder {folder}, but ended as {verdict.state}"
        return replace(verdict, state=State.FAIL, reason=message, failure=Failure(message))
    return verdict


def _as_meant(verdict: Verdict) -> Verdict:
    why = verdict.failure.message if verdict.failure else verdict.reason
    return replace(verdict, state=State.PASS, reason=f"as it should: {why}", failure=None)
