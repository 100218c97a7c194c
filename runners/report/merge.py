"""The parts of a split run put together; see runners/shard.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runners.model import DeploymentInfo
from runners.report.recorded import RunFileError
from runners.report.run import Run, Specs


def merged(runs: Sequence[Run]) -> list[Run]:
    """The runs with each driver's parts as one; whole ones stay as they are.

    Raises RunFileError where a part is missing, is there twice, or belongs to another run.
    """
    whole = [run for run in runs if run.shard is None]
    parts: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        if run.shard is not None:
            parts.setdefault((run.driver.name, run.driver.version), []).append(run)
    return [*whole, *(_one(each) for each in parts.values())]


def _one(parts: Sequence[Run]) -> Run:
    first = parts[0]
    name = f"{first.driver.name} {first.driver.version}"
    shards = [run.shard for run in parts if run.shard is not None]
    of = shards[0].of
    if len({(shard.of, shard.whole) for shard in shards}) > 1:
        told = ", ".join(map(str, shards))
        raise RunFileError(
            f"the parts {told} of {name} are not of one run: they were split from other cases, or "
            "into another number of parts"
        )
    given = sorted(shard.index for shard in shards)
    if twice := sorted({index for index in given if given.count(index) > 1}):
        raise RunFileError(f"part {twice[0]}/{of} of {name} is there twice")
    if missing := sorted({*range(1, of + 1)} - {*given}):
        told = ", ".join(f"{index}/{of}" for index in missing)
        raise RunFileError(f"of {name}, these parts are missing: {told}")
    verdicts = [verdict for run in parts for verdict in run.verdicts]
    specs: dict[Specs, None] = dict.fromkeys(specs for run in parts for specs in run.specs)
    deployments: dict[str, DeploymentInfo] = {
        each.id: each for run in parts for each in run.deployments
    }
    return replace(
        first,
        specs=tuple(specs),
        deployments=tuple(deployments.values()),
        verdicts=tuple(sorted(verdicts, key=lambda each: (each.case.id, each.deployment or ""))),
        complete=all(run.complete for run in parts),
        shard=None,
    )
