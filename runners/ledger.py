"""Known failures of a driver: reasoned, dated, and checked by every run.

A ledger is a folder of YAML files, one a suite, which `runners/schema/ledger.json` describes. A
case that fails as its entry says is an expected-fail. An entry whose case passes, fails
otherwise or does not exist breaks the run, so that no entry outlives what it describes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from runners.checks.shape import check_schema
from runners.collect import PACKAGE, Collection
from runners.hints import did_you_mean
from runners.load import SpecError, SpecFile, cases, read
from runners.model import Position, Problem, State, Topology, Verdict

SCHEMA = "ledger.json"
UNEXPLAINED = "unexplained"
CLASSES = ("bug in driver", "spec ambiguity", "not applicable", "server")


@dataclass(frozen=True, slots=True)
class Entry:
    """A known failure; it holds on `topologies` and for `drivers`, on and for all if empty."""

    case: str
    fails: re.Pattern[str]
    reason: str
    note: str
    position: Position
    topologies: frozenset[str] = frozenset()
    drivers: frozenset[str] = frozenset()

    def judge(self, verdict: Verdict) -> Verdict:
        """What the case's verdict is worth to those who know of the failure."""
        match verdict.state:
            case State.PASS:
                reason = f"it passes, but {self.position} expects it to fail; remove that entry"
                return replace(verdict, state=State.UNEXPECTED_PASS, reason=reason)
            case State.FAIL if self.fails.search(message(verdict)):
                reason = f"{self.reason}: {self.note}"
                return replace(verdict, state=State.EXPECTED_FAIL, reason=reason)
            case State.FAIL:
                reason = f"it fails otherwise than {self.position} says: {message(verdict)}"
                return replace(verdict, reason=reason)
        return verdict


@dataclass(frozen=True, slots=True)
class Ledger:
    """The known failures of one driver, by case."""

    entries: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)

    def judge(self, verdict: Verdict, topology: Topology | None) -> Verdict:
        """What the verdict on a topology is worth, as its entry says, if it has one."""
        for entry in self.entries.get(verdict.case.id, ()):
            if not entry.topologies or topology in entry.topologies:
                return entry.judge(verdict)
        return verdict

    def check(self, collection: Collection) -> None:
        """Raise SpecError where an entry is about a case that its file, which is here, lacks."""
        files = {found.spec.name: found.spec for found in collection.cases}
        wrong = [
            Problem(entry.position, "no-such-case", f"{name} has no such case", _nearest(id_, spec))
            for id_, entries in self.entries.items()
            if (spec := files.get(name := id_.partition("::")[0]))
            and id_ not in {case.id for case in cases(spec)}
            for entry in entries
        ]
        if wrong:
            raise SpecError(wrong)


NOTHING = Ledger()
"""Of a driver of which no failure is known."""


def _nearest(id_: str, spec: SpecFile) -> str:
    descriptions = [case.id.partition("::")[2] for case in cases(spec)]
    return did_you_mean(id_.partition("::")[2], descriptions)


def message(verdict: Verdict) -> str:
    """What `fails` is searched in: where it differs, and how."""
    failure = verdict.failure
    if failure is None:
        return verdict.reason
    place = f"{failure.path}: " if failure.path not in failure.message else ""
    return place + failure.message


def own(driver: str) -> list[Path]:
    """The ledger that comes with mongospec, if there is one; both APIs of a driver share it."""
    packed = PACKAGE / "data" / "ledgers"
    folders = packed if packed.is_dir() else PACKAGE.parent / "ledgers"
    folder = folders / driver.removesuffix("-async")
    return [folder] if folder.is_dir() else []


def load(paths: Iterable[Path], driver: str) -> Ledger:
    """A driver's ledger from files and folders. Raises SpecError with everything wrong in them."""
    problems: list[Problem] = []
    entries: defaultdict[str, list[Entry]] = defaultdict(list)
    for path in files(paths):
        try:
            file = read(path, path.parent)
            problems += _check_meaning(file)
            for entry in () if problems else _entries(file):
                if not entry.drivers or driver in entry.drivers:
                    entries[entry.case].append(entry)
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return Ledger({id_: tuple(some) for id_, some in entries.items()})


def files(paths: Iterable[Path]) -> list[Path]:
    """The files of a ledger; raises SpecError where there is nothing."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise SpecError(
                [Problem(Position(path, 1, 1), "no-such-file", "there is no such ledger")]
            )
        here = sorted(path.glob("*.yml")) if path.is_dir() else [path]
        if not here:
            message = "there are no .yml files in this folder; name the folder of one driver"
            raise SpecError([Problem(Position(path, 1, 1), "no-ledger", message)])
        found += here
    return found


def items(file: SpecFile) -> list[dict[str, Any]]:
    """The entries of a file; raises SpecError where it is not as the schema says."""
    if wrong := list(check_schema(file, SCHEMA)):
        raise SpecError(wrong)
    listed: Any = file.value["failures"]
    return list(listed)


def _entries(file: SpecFile) -> Iterator[Entry]:
    for index, item in enumerate(items(file)):
        yield Entry(
            item["case"],
            re.compile(item["fails"]),
            item["class"],
            item["note"],
            file.locate(("failures", index)),
            frozenset(item.get("topologies", ())),
            frozenset(item.get("drivers", ())),
        )


def _check_meaning(file: SpecFile) -> Iterator[Problem]:
    before = ""
    for index, item in enumerate(items(file)):
        path = ("failures", index)
        if not item["case"].startswith(f"{file.path.stem}/"):
            message = f"a case of another suite than {file.path.stem}"
            yield file.problem((*path, "case"), "other-suite", message, "move it to that suite")
        if item["case"] < before:
            yield file.problem((*path, "case"), "not-sorted", f"it should stand before {before}")
        before = item["case"]
        if item["class"] == UNEXPLAINED:
            message = "nobody has looked at this failure yet"
            yield file.problem(
                (*path, "class"), UNEXPLAINED, message, f"it is one of {', '.join(CLASSES)}"
            )
        elif not item["note"].strip():
            yield file.problem((*path, "note"), "no-note", "the note should tell the cause")
        try:
            re.compile(item["fails"])
        except re.error as error:
            yield file.problem((*path, "fails"), "bad-pattern", f"no regular expression: {error}")
        try:
            date.fromisoformat(item["date"])
        except ValueError as error:
            yield file.problem((*path, "date"), "bad-date", str(error))
    yield from _overlaps(file)


def _overlaps(file: SpecFile) -> Iterator[Problem]:
    """Of two entries for one case, a verdict has to know which is meant."""
    entries = items(file)
    for index, (one, two) in enumerate(pairwise(entries), 1):
        if one["case"] == two["case"] and not any(
            key in one and key in two and not set(one[key]) & set(two[key])
            for key in ("topologies", "drivers")
        ):
            message = "two entries for this case, on the same topologies and for the same drivers"
            yield file.problem(("failures", index), "duplicate", message, "remove one of them")
