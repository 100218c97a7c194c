"""The parts of a split run put together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runners.adapters.base import DriverInfo
from runners.model import State
from runners.report.merge import merged
from runners.report.recorded import RunFileError
from runners.report.run import Run
from runners.shard import Shard
from tests.report.samples import RUN, VERDICTS, a_run

OTHER = DriverInfo("other", "9", "Toy", frozenset())


def part(index: int, of: int = 3, whole: str = "a" * 64) -> Run:
    """A part of RUN."""
    return replace(a_run(*VERDICTS[index - 1 :: of]), shard=Shard(index, of, whole))


def test_all_parts_are_the_run() -> None:
    (run,) = merged([part(3), part(1), part(2)])
    assert run.shard is None
    assert run.complete
    assert sorted(map(str, run.verdicts)) == sorted(map(str, VERDICTS))
    assert run.deployments == RUN.deployments
    assert run.specs == RUN.specs


def test_an_interrupted_part_makes_an_interrupted_run() -> None:
    (run,) = merged([part(1), replace(part(2), complete=False), part(3)])
    assert not run.complete


def test_whole_runs_stay_and_drivers_stay_apart() -> None:
    others = [replace(part(index, 2), driver=OTHER) for index in (1, 2)]
    runs = merged([RUN, *others, part(1), part(2), part(3)])
    assert [run.driver.name for run in runs] == ["toy", "other", "toy"]
    assert runs[0] is RUN


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([part(1), part(3)], "of toy 1.2, these parts are missing: 2/3"),
        ([part(2)], "these parts are missing: 1/3, 3/3"),
        ([part(1), part(2), part(3), part(2)], "part 2/3 of toy 1.2 is there twice"),
        ([part(1), part(2), part(3, whole="b" * 64)], "not of one run"),
        ([part(1, 2), part(2, 3)], "the parts 1/2, 2/3 of toy 1.2 are not of one run"),
    ],
)
def test_gaps_and_overlaps_are_refused(parts: list[Run], problem: str) -> None:
    with pytest.raises(RunFileError, match=problem):
        merged(parts)


def test_all_states_are_in_the_samples() -> None:
    assert {verdict.state for verdict in VERDICTS} == {*State}
