"""Why a case ended as it did, as plain text that needs no colour."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from runners.model import Failure, Json, State, Verdict

LONGEST = 4000
"""Longer values are cut here, in characters; the run file has them whole."""


def explain(verdict: Verdict) -> str:
    """A verdict with its place, reason and failure; several lines where there is much to say."""
    on = f" on {verdict.deployment}" if verdict.deployment else ""
    lines = [
        f"{verdict.state.upper()} {verdict.case.id}",
        f"  at {_shortest(verdict.case.path)}:{line(verdict)}{on}",
    ]
    failure = verdict.failure
    if verdict.reason and (failure is None or verdict.reason != failure.message):
        lines.append(_indented("", verdict.reason))
    if failure is not None:
        lines += _failure(failure, with_sides=verdict.state is State.FAIL)
    if verdict.record is not None:
        lines.append(f"  without a server: {replay_command(verdict.record)}")
    return "\n".join(lines)


def _shortest(path: Path) -> Path:
    """As one would type it here."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def replay_command(record: str) -> str:
    """What runs the recorded case again."""
    return shlex.join(("mongospec", "replay", record))


def line(verdict: Verdict) -> int:
    """The line of the spec file to look at."""
    failure = verdict.failure
    return failure.line if failure is not None and failure.line else verdict.case.line


def _failure(failure: Failure, *, with_sides: bool) -> list[str]:
    lines = [f"  operation {failure.operation}"] if failure.operation else []
    place = f"{failure.path}: " if failure.path not in failure.message else ""
    lines.append(_indented(place, failure.message))
    if with_sides and (failure.expected is not None or failure.actual is not None):
        lines.append(_indented("expected: ", _shown(failure.expected)))
        lines.append(_indented("actual:   ", _shown(failure.actual)))
    if failure.details:
        lines.append(_indented("", failure.details))
    return lines


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > 80:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    return text


def _indented(label: str, text: str) -> str:
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters in the run file)"
    return f"  {label}" + text.replace("\n", "\n  " + " " * len(label))
