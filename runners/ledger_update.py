"""Entries that a ledger lacks, proposed from run files. Nothing that is there is changed.

A proposal has the class "unexplained" and no note, with which a ledger is refused: somebody has to
look at the failure first.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from runners import ledger
from runners.ledger import UNEXPLAINED, message
from runners.load import SpecFile, read
from runners.model import State, Topology, Verdict
from runners.report.run import Run

_LONGEST_PATTERN = 160


@dataclass(slots=True)
class _Seen:
    """What runs say of one case; `failed` and `passed` have drivers and topologies."""

    failures: list[Verdict] = field(default_factory=list)
    passes: int = 0
    failed: set[tuple[str, Topology | None]] = field(default_factory=set)
    passed: set[tuple[str, Topology | None]] = field(default_factory=set)


def update(runs: Iterable[Run], folder: Path) -> Iterator[str]:
    """Add entries to the files of a folder; yields what was done and what there is to do, in words.

    Raises SpecError and OSError where the folder's files cannot be read or written.
    """
    seen = _seen(runs)
    known = {path: read(path, folder) for path in sorted(folder.glob("*.yml"))}
    listed: set[str] = set()
    for file in known.values():
        for index, item in enumerate(ledger.items(file)):
            listed.add(item["case"])
            where = file.locate(("failures", index))
            yield from _outdated(f"{where}: {item['case']}", item["fails"], seen[item["case"]])
    new: defaultdict[Path, dict[str, str]] = defaultdict(dict)
    for id_, of_case in seen.items():
        if of_case.failures and id_ not in listed:
            path = folder / f"{id_.partition('/')[0]}.yml"
            new[path][id_] = _entry(id_, of_case)
    for path, entries in sorted(new.items()):
        _insert(path, known.get(path), entries)
        yield f"{path}: {len(entries)} added; say of each why it fails"


def _outdated(name: str, pattern: str, seen: _Seen) -> Iterator[str]:
    others = [each for each in map(message, seen.failures) if not re.search(pattern, each)]
    if others:
        yield f"{name} fails otherwise now: {others[0]}"
    if seen.passes:
        yield f"{name} passes now; remove its entry"


def _seen(runs: Iterable[Run]) -> defaultdict[str, _Seen]:
    found: defaultdict[str, _Seen] = defaultdict(_Seen)
    for run in runs:
        topologies = {each.id: each.topology for each in run.deployments}
        for verdict in run.verdicts:
            seen = found[verdict.case.id]
            where = (run.driver.name, topologies.get(verdict.deployment or ""))
            match verdict.state:
                case State.FAIL:
                    seen.failures.append(verdict)
                    seen.failed.add(where)
                case State.UNEXPECTED_PASS:
                    seen.passes += 1
                case State.PASS:
                    seen.passed.add(where)
    return found


def _entry(id_: str, seen: _Seen) -> str:
    """The text of an entry; a string in JSON is one in YAML."""
    lines = [
        f"  - case: {_text(id_)}",
        f"    fails: {_text(_pattern(seen.failures))}",
        f"    class: {UNEXPLAINED}",
        '    note: ""',
        f"    date: {date.today().isoformat()}",
    ]
    names = {name for name, _ in seen.failed}
    topologies = {topology for _, topology in seen.failed}
    if {topology for _, topology in seen.passed} - topologies:
        lines.append(f"    topologies: [{', '.join(sorted(map(str, topologies)))}]")
    if {name for name, _ in seen.passed} - names:
        lines.append(f"    drivers: [{', '.join(sorted(names))}]")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _pattern(failures: Sequence[Verdict]) -> str:
    """The first line of each message, escaped."""
    texts = {message(each).partition("\n")[0][:_LONGEST_PATTERN] for each in failures}
    return "|".join(re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", text) for text in sorted(texts))


def _insert(path: Path, file: SpecFile | None, entries: dict[str, str]) -> None:
    """Put entries where they belong by their case's id, and leave every other line as it is."""
    lines, places = ["failures:\n"], []
    if file is not None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [
            (item["case"], file.locate(("failures", index)).line - 1)
            for index, item in enumerate(ledger.items(file))
        ]
    end = len(lines)
    for id_ in sorted(entries, reverse=True):  # so that the places before stay what they are
        line = next((line for case, line in places if case > id_), end)
        lines.insert(line, entries[id_])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
