"""How the cases of each format are run, and what they need for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from runners import cmap, logic
from runners.adapters.base import Adapter, DriverInfo
from runners.control import Control
from runners.load import SpecFile
from runners.model import Case, DeploymentInfo, JsonObject, Verdict
from runners.seedlist import run as seedlist
from runners.unified import needs
from runners.unified.events import EventRouter
from runners.unified.run import run_case


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver under test, opened."""

    adapter: Adapter
    events: EventRouter

    @property
    def info(self) -> DriverInfo:
        """What it declares about itself."""
        return self.adapter.info


@dataclass(frozen=True, slots=True)
class Place:
    """A started deployment, and the harness's own channel to it.

    Where cases are `recorded`, one that failed goes on to its end, for what a replay may need.
    """

    info: DeploymentInfo
    control: Control
    recorded: bool = False


Requirements: TypeAlias = list[list[JsonObject]]
"""Lists of runOnRequirements, of each of which one has to be met."""


def _no_server(_spec: SpecFile, _case: Case) -> Requirements | None:
    return None


def _nothing(_spec: SpecFile, _case: Case) -> frozenset[str]:
    return frozenset()


def _no_reason(_spec: SpecFile, _case: Case) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Kind:
    """What the cases of one format have in common.

    `run` gets a place unless `requirements` of the case are None: then it needs no server. `needs`
    are the capabilities without which a driver cannot run it, `skip_reason` is the file's own.
    """

    run: Callable[[SpecFile, Case, Driver, Place | None], Verdict]
    requirements: Callable[[SpecFile, Case], Requirements | None] = _no_server
    needs: Callable[[SpecFile, Case], frozenset[str]] = _nothing
    skip_reason: Callable[[SpecFile, Case], str | None] = _no_reason


def _run_unified(spec: SpecFile, case: Case, driver: Driver, place: Place | None) -> Verdict:
    if place is None:
        raise ValueError("a case of the unified test format needs a deployment")
    return run_case(
        *(spec, case, driver.adapter, place.info, place.control),
        events=driver.events,
        recorded=place.recorded,
    )


def _run_seedlist(spec: SpecFile, case: Case, driver: Driver, place: Place | None) -> Verdict:
    where = place.info if place else None
    return seedlist.run_case(spec, case, driver.adapter, driver.events, where)


def _run_cmap(spec: SpecFile, case: Case, driver: Driver, place: Place | None) -> Verdict:
    where = (place.info, place.control) if place else None
    return cmap.run_case(spec, case, driver.adapter, where)


def _logic(answer: logic.RunCase) -> Kind:
    return Kind(lambda spec, case, driver, _: answer(spec, case, driver.adapter))


KINDS: Mapping[str, Kind] = {
    "unified": Kind(_run_unified, needs.requirements, needs.needs, needs.skip_reason),
    seedlist.FORMAT: Kind(_run_seedlist, seedlist.requirements, seedlist.needs),
    cmap.FORMAT: Kind(_run_cmap, cmap.requirements, cmap.needs),
    **{name: _logic(answer) for name, answer in logic.FORMATS.items()},
}
"""By the format's name."""
