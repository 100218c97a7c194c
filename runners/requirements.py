"""runOnRequirements: whether a deployment is one that a test may run on.

Spec: unified-test-format, "runOnRequirement". The other formats use the same words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from runners.model import DeploymentInfo, Json, JsonObject, Topology
from runners.unified.values import MalformedValue, exact, number

TOPOLOGIES: Final[dict[str, Topology]] = {
    "single": Topology.STANDALONE,
    "replicaset": Topology.REPLICA_SET,
    "sharded": Topology.SHARDED,
    "sharded-replicaset": Topology.SHARDED,  # deprecated: every shard is a replica set
    "load-balanced": Topology.LOAD_BALANCED,
}


def version(text: str) -> tuple[int, int, int]:
    """The three numbers of a version string, zero where left out; anything after them is ignored.

    Raises ValueError where it does not begin with a number.
    """
    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?", text)
    if found is None:
        raise ValueError(f"{text!r} is not a version such as 4.4 or 7.0.1")
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major, minor, patch


def unmet(requirements: list[JsonObject], deployment: DeploymentInfo) -> str | None:
    """None where one of `requirements` is met (or there are none), else what would meet them."""
    if not requirements:
        return None
    reasons: list[str] = []
    for requirement in requirements:
        lacking = [
            reason
            for name, wanted in requirement.items()
            if (reason := _lacking(name, wanted, deployment)) is not None
        ]
        if not lacking:
            return None
        reasons.append(" and ".join(lacking))
    here = f"{deployment.topology} {deployment.server_version}"
    return f"needs {', or '.join(dict.fromkeys(reasons))}; {deployment.id} is {here}"


def _lacking(name: str, wanted: Json, deployment: DeploymentInfo) -> str | None:
    check = _CHECKS.get(name)
    if check is None:
        return f"something unknown, {name!r}"
    try:
        return check(wanted, deployment)
    except (ValueError, TypeError) as error:
        return f"{name} to make sense ({error})"


def _min_version(wanted: Json, deployment: DeploymentInfo) -> str | None:
    met = version(deployment.server_version) >= version(_string(wanted))
    return None if met else f"server {wanted} or newer"


def _max_version(wanted: Json, deployment: DeploymentInfo) -> str | None:
    met = version(deployment.server_version) <= version(_string(wanted))
    return None if met else f"server {wanted} or older"


def _topologies(wanted: Json, deployment: DeploymentInfo) -> str | None:
    if not isinstance(wanted, list):
        raise TypeError(f"{wanted!r} is not a list")
    names = [_string(name) for name in wanted]
    if deployment.topology in (TOPOLOGIES.get(name) for name in names):
        return None
    return f"topology {' or '.join(names)}"


def _serverless(wanted: Json, _: DeploymentInfo) -> str | None:
    return "a serverless instance, which no longer exists" if wanted == "require" else None


def _auth(wanted: Json, deployment: DeploymentInfo) -> str | None:
    return None if wanted is deployment.auth else f"authentication {'on' if wanted else 'off'}"


def _auth_mechanism(wanted: Json, deployment: DeploymentInfo) -> str | None:
    offered = deployment.parameters.get("authenticationMechanisms")
    names = offered if isinstance(offered, list) else []
    if _string(wanted).lower() in (str(name).lower() for name in names):
        return None
    return f"the authentication mechanism {wanted}"


def _server_parameters(wanted: Json, deployment: DeploymentInfo) -> str | None:
    if not isinstance(wanted, dict):
        raise TypeError(f"{wanted!r} is not an object")
    wrong = [
        f"{name}={value!r}"
        for name, value in wanted.items()
        if name not in deployment.parameters or not _same(value, deployment.parameters[name])
    ]
    return f"server parameters {', '.join(wrong)}" if wrong else None


def _csfle(wanted: Json, _: DeploymentInfo) -> str | None:
    if wanted is False:
        return None
    return "client-side encryption with mongocryptd or crypt_shared, which is not offered here"


def _string(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _same(expected: Json, actual: Json) -> bool:
    try:
        wanted = number(expected)
        return exact(expected) == exact(actual) if wanted is None else wanted == number(actual)
    except MalformedValue:
        return False


_CHECKS: Final[dict[str, Callable[[Json, DeploymentInfo], str | None]]] = {
    "minServerVersion": _min_version,
    "maxServerVersion": _max_version,
    "topologies": _topologies,
    "serverless": _serverless,
    "serverParameters": _server_parameters,
    "auth": _auth,
    "authMechanism": _auth_mechanism,
    "csfle": _csfle,
}
