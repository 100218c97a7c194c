"""Which case runs on which deployment: a pure function, from needs and offers to a plan.

Without a choice by the user, each case runs exactly once. The server that is offered first is
preferred, and further ones get only what it cannot run; of one server's topologies the fewest are
used (by the greedy method for covering sets: the one that serves most of the cases that are left,
again and again). Where the user named topologies or servers, that holds for each combination of
them. A case that no deployment satisfies is `unmet`, and counted once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from runners.deployments.possible import options_for
from runners.deployments.releases import is_version
from runners.model import Case, DeploymentInfo, JsonObject, Topology
from runners.requirements import TOPOLOGIES, unmet

NAMED = 4
"""How many of the deployments at hand a reason lists."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a case asks of a deployment; `server` is False where it needs none at all.

    Each list of `requirements` (the file's, the test's) has to be met.
    """

    case: Case
    server: bool = True
    requirements: tuple[list[JsonObject], ...] = ()

    def unmet_by(self, deployment: DeploymentInfo) -> str | None:
        """None where the case can run there, else why not."""
        reasons = (unmet(requirements, deployment) for requirements in self.requirements)
        return next((reason for reason in reasons if reason is not None), None)

    @property
    def described(self) -> str:
        """The needs in a few words, such as `replicaset or sharded, server 4.4 or newer`."""
        if not self.server:
            return "no server"
        described = (" or else ".join(map(_described, some)) for some in self.requirements)
        return "; ".join(dict.fromkeys(described)) or "any server"


def _described(requirement: JsonObject) -> str:
    words = []
    for name, value in requirement.items():
        match name:
            case "topologies" if isinstance(value, list):
                kinds = (TOPOLOGIES.get(str(kind), str(kind)) for kind in value)
                words.append(" or ".join(dict.fromkeys(kinds)))
            case "minServerVersion":
                words.append(f"server {value} or newer")
            case "maxServerVersion":
                words.append(f"server {value} or older")
            case _:
                words.append(f"{name} {json.dumps(value)}")
    return ", ".join(words) or "any server"


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of deployment on which the user wants every case to run; None is any."""

    topology: Topology | None = None
    server: str | None = None

    def allows(self, info: DeploymentInfo) -> bool:
        """Whether a deployment is of this kind."""
        return self.topology in (None, info.topology) and (
            self.server is None or is_version(info.server_version, self.server)
        )

    def __str__(self) -> str:
        return "-".join(filter(None, (self.topology, self.server)))


@dataclass(frozen=True, slots=True)
class Plan:
    """Every case's place: `on` maps a deployment's id to its cases, in the order they came.

    `unmet` has the cases that cannot run, with the reason.
    """

    without_server: tuple[Case, ...]
    on: Mapping[str, tuple[Case, ...]]
    unmet: tuple[tuple[Case, str], ...]

    @property
    def runs(self) -> int:
        """How many verdicts the plan leads to."""
        return len(self.without_server) + len(self.unmet) + sum(map(len, self.on.values()))


def plan(
    needs: Sequence[Need],
    deployments: Sequence[DeploymentInfo],
    choices: Sequence[Choice] = (Choice(),),
) -> Plan:
    """Assign each case, once for each of the choices that has a deployment for it."""
    reasons: dict[Case, list[str]] = {}
    able: dict[str, list[Case]] = {deployment.id: [] for deployment in deployments}
    for need in needs:
        if not need.server:
            continue
        reasons[need.case] = []
        for deployment in deployments:
            reason = need.unmet_by(deployment)
            if reason is None:
                able[deployment.id].append(need.case)
            else:
                reasons[need.case].append(reason)
    placed = {case for cases in able.values() for case in cases}
    on: dict[str, dict[Case, None]] = {deployment.id: {} for deployment in deployments}
    for choice in choices:
        allowed = [deployment for deployment in deployments if choice.allows(deployment)]
        for id_, cases in _fewest(allowed, able).items():
            on[id_].update(dict.fromkeys(cases))
    return Plan(
        without_server=tuple(need.case for need in needs if not need.server),
        on={id_: tuple(cases) for id_, cases in on.items() if cases},
        unmet=tuple(
            (need.case, _why(need, reasons[need.case], deployments))
            for need in needs
            if need.server and need.case not in placed
        ),
    )


def _why(need: Need, reasons: Sequence[str], deployments: Sequence[DeploymentInfo]) -> str:
    """Why no deployment serves, and what would."""
    if len(reasons) == 1:
        why = reasons[0]
    elif reasons:
        why = f"needs {need.described}; at hand: {_named(deployments)}"
    else:
        why = "needs a server, and no deployment is at hand"
    options = options_for(lambda info: need.unmet_by(info) is None)
    return f"{why}; it would run with {options}" if options else why


def _named(deployments: Sequence[DeploymentInfo]) -> str:
    named = ", ".join(each.id for each in deployments[:NAMED])
    more = len(deployments) - NAMED
    return f"{named} and {more} more" if more > 0 else named


def _fewest(
    deployments: Sequence[DeploymentInfo], able: Mapping[str, list[Case]]
) -> dict[str, list[Case]]:
    """A cover of all cases by few deployments, server by server, each case in just one of them."""
    chosen: dict[str, list[Case]] = {}
    done: set[Case] = set()
    for _, topologies in groupby(
        deployments, lambda each: (each.server_version, each.auth, each.tls)
    ):
        left = {each.id: dict.fromkeys(able[each.id]) for each in topologies}
        while left:
            for cases in left.values():
                for case in done & cases.keys():
                    del cases[case]
            best = max(left, key=lambda id_: len(left[id_]))
            chosen[best] = list(left.pop(best))
            done.update(chosen[best])
    return chosen
