"""A run with a verdict of every state."""

from __future__ import annotations

from pathlib import Path

from runners.adapters.base import DriverInfo
from runners.model import Case, DeploymentInfo, Failure, Json, State, Topology, Verdict
from runners.report.run import Run, Specs

DRIVER = DriverInfo("toy", "1.2", "Toy", frozenset())
DEPLOYMENT = DeploymentInfo("replicaset-6.0.5", Topology.REPLICA_SET, "6.0.5", "mongodb://a", ())


def a_verdict(
    state: State,
    suite: str = "crud",
    name: str = "x",
    deployment: str | None = DEPLOYMENT.id,
    *,
    expected: Json = 1,
    actual: Json = 2,
    details: str = "",
) -> Verdict:
    """A verdict; one that breaks the run has a failure."""
    case = Case(f"{suite}/{name}.yml::{state}", suite, "unified", Path("f.yml"), 7, str(state))
    failure = Failure("differs", "tests[0].x", expected, actual, 9, "find", details)
    reason = "" if state is State.PASS else f"why {state}"
    return Verdict(case, state, reason, 0.25, deployment, failure if state.breaks_the_run else None)


def a_run(*verdicts: Verdict, complete: bool = True) -> Run:
    """A run with these verdicts."""
    specs = (Specs(Path("specs"), "a" * 40), Specs(Path("mine"), None))
    return Run(DRIVER, specs, (DEPLOYMENT,), verdicts, complete)


VERDICTS = (
    *(a_verdict(state) for state in State),
    a_verdict(State.PASS, "sessions"),
    a_verdict(State.PASS, "sessions", deployment="standalone-6.0.5"),
    a_verdict(State.UNMET, "sessions", deployment=None),
)
RUN = a_run(*VERDICTS)
