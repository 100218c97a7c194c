"""The document of a record, made from what a trail has of a case that ran."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Final

from runners.adapters.base import DriverInfo
from runners.collect import Found
from runners.kinds import KINDS
from runners.model import DeploymentInfo, Json, JsonObject, Verdict
from runners.record import digest
from runners.record.record_file import FORMAT
from runners.record.trail import Trail
from runners.report.run_file import finite
from runners.unified.uri import Uri

_SECRET_OPTIONS: Final = ("auth", "tls", "ssl", "proxy")


def document(
    found: Found, driver: DriverInfo, deployment: DeploymentInfo, verdict: Verdict, trail: Trail
) -> JsonObject:
    """A record as its file has it."""
    spec = found.spec
    failure = asdict(verdict.failure) if verdict.failure else None
    if failure is not None:
        del failure["events"]  # the record has them, with times
    return {
        "format": FORMAT,
        "case": {
            "id": found.case.id,
            "file": spec.name,
            "text": spec.path.read_text(encoding="utf-8-sig"),
        },
        "driver": {
            "name": driver.name,
            "version": driver.version,
            "language": driver.language,
        },
        "deployment": _deployment(found, deployment),
        "verdict": {
            "state": verdict.state.value,
            "reason": verdict.reason,
            "seconds": round(verdict.seconds, 6),
            "failure": finite(failure),
        },
        "operations": finite(trail.operations),
        "events": finite(trail.events),
        "fail_points": digest.fail_points(trail.messages, trail.control),
        "topology_changes": digest.topology_changes(trail.messages),
        "control": finite(trail.control),
        "messages": trail.messages,
    }


def _deployment(found: Found, info: DeploymentInfo) -> JsonObject:
    """What a replay has to know of a deployment, without credentials."""
    single = info.single_mongos_uri
    hosts: list[Json] = [*info.hosts]
    return {
        "id": info.id,
        "topology": info.topology.value,
        "server_version": info.server_version,
        "uri": _open_uri(info.uri),
        "hosts": hosts,
        "single_mongos_uri": None if single is None else _open_uri(single),
        "set_name": info.set_name,
        "auth": info.auth,
        "tls": info.tls,
        "parameters": _asked_parameters(found, info),
    }


def _open_uri(text: str) -> str:
    uri = replace(Uri.parse(text), credentials="")
    names = [name for name, _ in uri.options if name.lower().startswith(_SECRET_OPTIONS)]
    return str(uri.without(*names))


def _asked_parameters(found: Found, info: DeploymentInfo) -> JsonObject:
    """The server parameters that the case's requirements name."""
    lists = KINDS[found.case.format].requirements(found.spec, found.case) or []
    wanted: list[Any] = [each.get("serverParameters") for some in lists for each in some]
    names = {"authenticationMechanisms"}.union(*(each for each in wanted if each))
    return {name: value for name, value in info.parameters.items() if name in names}
