"""What changed from one run to the next, verdict by verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from runners.model import State, Verdict
from runners.report.run import Run


class Kind(StrEnum):
    """What a change means, the most important first."""

    REGRESSION = "regression"
    MENDED = "mended"
    OTHER = "other change"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Change:
    """A case that ended otherwise than before; None where it was not in that run."""

    old: Verdict | None
    new: Verdict | None

    @property
    def kind(self) -> Kind:
        """A case that passed and now does not, even if only for not having run, is a regression.

        So is one that breaks the run and did not before, new ones included.
        """
        if self.new is not None and self.new.state.breaks_the_run:
            broke = self.old is not None and self.old.state.breaks_the_run
            return Kind.OTHER if broke else Kind.REGRESSION
        if self.old is None:
            return Kind.NEW
        if self.old.state is State.PASS:
            return Kind.REGRESSION
        if self.new is None:
            return Kind.GONE
        return Kind.MENDED if self.new.state is State.PASS else Kind.OTHER

    def __str__(self) -> str:
        present = self.new or self.old
        assert present is not None
        on = f" on {present.deployment}" if present.deployment else ""
        why = f": {self.new.reason}" if self.new is not None and self.new.reason else ""
        return f"{present.case.id}{on}: {_state(self.old)} -> {_state(self.new)}{why}"


def changes(old: Run, new: Run) -> list[Change]:
    """All verdicts that differ, by case id."""
    before, after = _by_case(old), _by_case(new)
    return [
        change
        for case in sorted(before.keys() | after.keys())
        for change in _pairs(before.get(case, []), after.get(case, []))
        if _state(change.old) != _state(change.new)
    ]


def _by_case(run: Run) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts:
        found.setdefault(verdict.case.id, []).append(verdict)
    return found


def _pairs(old: Sequence[Verdict], new: Sequence[Verdict]) -> Iterator[Change]:
    """A case's verdicts on the same deployment; the only one left over on each side, too.

    So a run on the next server version can be compared.
    """
    after = {verdict.deployment: verdict for verdict in new}
    left = []
    for verdict in old:
        if verdict.deployment in after:
            yield Change(verdict, after.pop(verdict.deployment))
        else:
            left.append(verdict)
    if len(left) == len(after) == 1:
        yield Change(left.pop(), after.popitem()[1])
    yield from (Change(verdict, None) for verdict in left)
    yield from (Change(None, verdict) for verdict in after.values())


def _state(verdict: Verdict | None) -> str:
    return "not there" if verdict is None else verdict.state.value
