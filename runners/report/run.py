"""A run as its reports see it: who was checked, on what, with which verdicts."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runners.adapters.base import DriverInfo
from runners.model import DeploymentInfo, State, Verdict
from runners.shard import Shard

SOURCE_FILES = ("SOURCE", "SOURCE.md", "SOURCE.txt")
"""Beside or above a copy of spec files, such a file names the commit they are from."""
COMMIT = re.compile(r"\b[0-9a-f]{40}\b")


@dataclass(frozen=True, slots=True)
class Specs:
    """Where spec files were read, and the commit they are at (None where nothing tells)."""

    path: Path
    commit: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """One driver's run.

    `complete` is False where it was interrupted; `shard` is None unless it is a part of a run.
    """

    driver: DriverInfo
    specs: tuple[Specs, ...]
    deployments: tuple[DeploymentInfo, ...]
    verdicts: tuple[Verdict, ...]
    complete: bool = True
    shard: Shard | None = None

    @property
    def cases(self) -> int:
        """How many cases there are; one may have a verdict on each of several deployments."""
        return len({verdict.case.id for verdict in self.verdicts})

    @property
    def failed(self) -> bool:
        """Whether the exit status has to say that something is wrong."""
        return any(verdict.state.breaks_the_run for verdict in self.verdicts)

    def by_suite(self) -> dict[str, dict[State, int]]:
        """The verdicts of each suite counted by state, suites in alphabetical order."""
        suites: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            suites.setdefault(verdict.case.suite, []).append(verdict)
        return {suite: by_state(suites[suite]) for suite in sorted(suites)}


def by_state(verdicts: Iterable[Verdict]) -> dict[State, int]:
    """How many verdicts each state has, zeros included; they add up to all verdicts."""
    counts = Counter(verdict.state for verdict in verdicts)
    return {state: counts[state] for state in State}


def specs_at(path: Path) -> Specs:
    """The spec files at `path`, with the commit that a SOURCE file or git tells."""
    folder = path.resolve() if path.is_dir() else path.resolve().parent
    for place in (folder, *folder.parents):
        for name in SOURCE_FILES:
            source = place / name
            if source.is_file() and (match := COMMIT.search(source.read_text(errors="replace"))):
                return Specs(path, match[0])
        if (place / ".git").exists():
            break
    return Specs(path, _git_commit(folder))


def _git_commit(folder: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", folder, "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if COMMIT.fullmatch(done.stdout.strip()) else None
