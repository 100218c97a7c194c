"""Run cases against a driver: what is settled beforehand, a plan, deployments, verdicts."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from runners import plan
from runners.adapters.base import Adapter, DriverInfo
from runners.collect import Collection, Found
from runners.control import Control
from runners.counterexamples import of_a_run
from runners.deployments.base import CommandError, Deployment, DeploymentError
from runners.kinds import KINDS, Driver, Place
from runners.ledger import NOTHING, Ledger
from runners.model import Failure, State, Verdict
from runners.unified.events import EventRouter

Connect: TypeAlias = Callable[[str], Control]
"""Makes the harness's own channel to the deployment at a URI."""


class Watcher(Protocol):
    """Hears how a check goes on."""

    def begin(self, total: int) -> None:
        """The check will have `total` verdicts."""

    def say(self, text: str) -> None:
        """Something that takes a while begins, such as the start of a deployment."""

    def verdict(self, verdict: Verdict) -> None:
        """A case has ended."""


@dataclass(frozen=True, slots=True)
class Job:
    """Cases for a deployment that is not started yet."""

    deployment: Deployment
    cases: Iterable[Found]


Give: TypeAlias = Callable[[Verdict], None]
RunCase: TypeAlias = Callable[[Found, Driver, Place | None], Verdict]
"""Runs a case, as `run` does."""
Execute: TypeAlias = Callable[[Sequence[Job], Callable[[str], None], Give], None]
"""Runs jobs: it says when a deployment is started, and gives the verdict of each case."""


@contextmanager
def opened(adapter: Adapter) -> Iterator[Driver]:
    """A driver under test for as long as the context lasts."""
    events = EventRouter()
    adapter.open(events)
    try:
        yield Driver(adapter, events)
    finally:
        adapter.shutdown()


@contextmanager
def started(deployment: Deployment, connect: Connect) -> Iterator[Place]:
    """A deployment for as long as the context lasts; raises DeploymentError."""
    with deployment:
        control = connect(deployment.info.control_uri)
        try:
            yield Place(deployment.info, control)
        finally:
            control.close()


def check(
    collection: Collection,
    driver: Driver,
    deployments: Callable[[], Sequence[Deployment]],
    execute: Execute,
    watcher: Watcher,
    *,
    choices: Sequence[plan.Choice] = (plan.Choice(),),
    known: Ledger = NOTHING,
) -> list[Verdict]:
    """The verdict of every case, on each of the choices that has a deployment for it.

    `known` are the driver's known failures.

    The watcher hears each verdict as soon as it is there. `deployments` is called only if a case
    needs a server; `execute` starts those that the plan uses and runs the cases there. Raises
    DeploymentError where none can be offered.
    """
    found = {each.case: each for each in collection.cases}
    settled = [verdict for each in found.values() if (verdict := settle(each, driver.info))]
    done = {verdict.case for verdict in settled}
    wanting = [need(each) for case, each in found.items() if case not in done]
    offered = deployments() if any(each.server for each in wanting) else ()
    planned = plan.plan(wanting, [each.info for each in offered], choices)
    settled += collection.broken
    total = len(settled) + planned.runs
    verdicts: list[Verdict] = []

    topologies = {each.info.id: each.info.topology for each in offered}

    def give(verdict: Verdict) -> None:
        verdict = known.judge(verdict, topologies.get(verdict.deployment or ""))
        verdicts.append(verdict)
        watcher.verdict(verdict)

    watcher.begin(total)
    for verdict in settled:
        give(verdict)
    for case, reason in planned.unmet:
        give(Verdict(case, State.UNMET, reason))
    for case in planned.without_server:
        give(run(found[case], driver, None))
    jobs = [
        Job(each, tuple(found[case] for case in planned.on[each.info.id]))
        for each in offered
        if each.info.id in planned.on
    ]
    execute(jobs, watcher.say, give)
    if len(verdicts) != total or (len(choices) == 1 and total != len(collection)):
        raise RuntimeError(
            f"internal error: {len(collection)} cases, {total} planned, {len(verdicts)} verdicts"
        )
    return verdicts


def settle(found: Found, driver: DriverInfo) -> Verdict | None:
    """The verdict of a case that is not run whatever deployments there are; else None."""
    spec, case = found.spec, found.case
    kind = KINDS[case.format]
    if reason := kind.skip_reason(spec, case):
        return Verdict(case, State.SKIPPED, reason)
    if lacking := kind.needs(spec, case) - driver.capabilities:
        return Verdict(case, State.UNSUPPORTED, f"the driver lacks {', '.join(sorted(lacking))}")
    return None


def need(found: Found) -> plan.Need:
    """What a case asks of a deployment."""
    case = found.case
    requirements = KINDS[case.format].requirements(found.spec, case)
    if requirements is None:
        return plan.Need(case, server=False)
    return plan.Need(case, requirements=tuple(requirements))


def run(found: Found, driver: Driver, place: Place | None) -> Verdict:
    """Run one case; `place` is where, None for a case that needs no server."""
    case = found.case
    try:
        verdict = KINDS[case.format].run(found.spec, case, driver, place)
        return verdict if unforeseen(verdict, place) else of_a_run(verdict)
    except Exception as error:  # noqa: BLE001 - a broken harness is a verdict too, for each case
        message = f"the harness broke: {type(error).__name__}: {error}"
        failure = Failure(message, details=traceback.format_exc())
        where = place.info.id if place else None
        return Verdict(case, State.ERROR, message, deployment=where, failure=failure)


def in_turn(driver: Driver, connect: Connect, run_case: RunCase = run) -> Execute:
    """Runs jobs in this process, one after the other."""

    def execute(jobs: Sequence[Job], say: Callable[[str], None], give: Give) -> None:
        for job in jobs:
            say(f"starting {job.deployment.info.id}")
            run_on(job, driver, connect, give, run_case)

    return execute


def run_on(job: Job, driver: Driver, connect: Connect, give: Give, run_case: RunCase = run) -> None:
    """Run cases on a deployment, which is started again where a case broke it.

    Where it does not start, all cases that are left are errors.
    """
    cases = iter(job.cases)
    following = next(cases, None)
    try:
        while following is not None:
            with started(job.deployment, connect) as place:
                healthy = True
                while following is not None and healthy:
                    verdict = run_case(following, driver, place)
                    give(verdict)
                    healthy = not broken_by(verdict, place)
                    following = next(cases, None)
    except DeploymentError as error:
        id_ = job.deployment.info.id
        reason = f"{id_} does not start: {error}"
        while following is not None:
            give(Verdict(following.case, State.ERROR, reason, 0, id_))
            following = next(cases, None)


def unforeseen(verdict: Verdict, place: Place | None) -> bool:
    """Whether a case ended in an error that says nothing about its file or the driver."""
    if verdict.state is not State.ERROR:
        return False
    traced = verdict.failure is not None and bool(verdict.failure.details)
    return traced or (place is not None and broken_by(verdict, place))


def broken_by(verdict: Verdict, place: Place) -> bool:
    """Whether a case ended in an error and left a deployment that no longer answers."""
    if verdict.state is not State.ERROR:
        return False
    try:
        place.control.ping()
    except CommandError:
        return True
    return False
