"""Which case runs on which deployment: a pure function, from needs and offers to a plan.

Without a choice by the user, each case runs exactly once, and of the deployments at hand the
fewest are used (by the greedy method for covering sets: the one that serves most of the cases
that are left, again and again). Where the user named topologies, each case runs once on each
deployment that satisfies it. A case that none satisfies is `unmet`, and counted once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runners.model import Case, DeploymentInfo, JsonObject
from runners.requirements import TOPOLOGIES, unmet


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


def plan(needs: Sequence[Need], deployments: Sequence[DeploymentInfo], *, on_each: bool) -> Plan:
    """Assign each case; `on_each` runs it on every deployment that satisfies it."""
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
    on = able if on_each else _fewest(able)
    return Plan(
        without_server=tuple(need.case for need in needs if not need.server),
        on={id_: tuple(cases) for id_, cases in on.items() if cases},
        unmet=tuple(
            (case, _joined(why) or "needs a server, and no deployment is at hand")
            for case, why in reasons.items()
            if case not in placed
        ),
    )


def _joined(reasons: Sequence[str]) -> str:
    """The reasons of several deployments in one, what they have in common said once."""
    return "; ".join(dict.fromkeys(part for reason in reasons for part in reason.split("; ")))


def _fewest(able: Mapping[str, list[Case]]) -> dict[str, list[Case]]:
    """A cover of all cases by few deployments, each case in just one of them."""
    left = {id_: dict.fromkeys(cases) for id_, cases in able.items()}
    chosen: dict[str, list[Case]] = {}
    while any(left.values()):
        best = max(left, key=lambda id_: len(left[id_]))
        chosen[best] = list(left.pop(best))
        for others in left.values():
            for case in chosen[best]:
                others.pop(case, None)
    return chosen
