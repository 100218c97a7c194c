"""Which case runs on which deployment: a pure function, from needs and offers to a plan.

Without a choice by the user, each case runs exactly once, on the fewest deployments with which all
cases run; a case that several of those suit runs on the one that was offered first. Where the user
named topologies or servers, that holds for each combination of them. A case that no deployment
satisfies is `unmet`, and counted once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from runners.cover import fewest
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
    able = {
        need.case: tuple(each for each in deployments if need.unmet_by(each) is None)
        for need in needs
        if need.server
    }
    on: dict[str, dict[Case, None]] = {deployment.id: {} for deployment in deployments}
    for choice in choices:
        suiting = {
            case: tuple(each.id for each in some if choice.allows(each))
            for case, some in able.items()
        }
        used = fewest(suiting.values())
        for case, ids in suiting.items():
            for id_ in islice((id_ for id_ in ids if id_ in used), 1):
                on[id_][case] = None
    return Plan(
        without_server=tuple(need.case for need in needs if not need.server),
        on={id_: tuple(cases) for id_, cases in on.items() if cases},
        unmet=tuple(
            (need.case, _why(need, deployments))
            for need in needs
            if need.server and not able[need.case]
        ),
    )


def _why(need: Need, deployments: Sequence[DeploymentInfo]) -> str:
    """Why no deployment serves, and what would."""
    why = "needs a server, and no deployment is at hand"
    if len(deployments) == 1:
        why = need.unmet_by(deployments[0]) or why
    elif deployments:
        why = f"needs {need.described}; at hand: {_named(deployments)}"
    options = options_for(lambda info: need.unmet_by(info) is None)
    return f"{why}; it would run with {options}" if options else why


def _named(deployments: Sequence[DeploymentInfo]) -> str:
    named = ", ".join(each.id for each in deployments[:NAMED])
    more = len(deployments) - NAMED
    return f"{named} and {more} more" if more > 0 else named
