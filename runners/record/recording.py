"""`check --record`: cases run with a proxy before each server, and what failed becomes a file.

All cases pass through the proxies, so that what is recorded is the failure itself and not another
attempt, which may go well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from runners import check
from runners.adapters.base import Adapter, DriverInfo
from runners.collect import Found
from runners.control import Control
from runners.kinds import KINDS, Driver, Place
from runners.model import DeploymentInfo, Failure, Json, JsonObject, State, Verdict
from runners.record import digest, record_file
from runners.record.proxy import Proxy
from runners.record.stand_ins import StandIns
from runners.record.trail import MOST_BYTES, Trail
from runners.record.watched import Watched
from runners.report.run_file import finite
from runners.unified.uri import Uri

_SECRET_OPTIONS = ("auth", "tls", "ssl", "proxy")


@dataclass(frozen=True, slots=True)
class Recording:
    """Runs a case as check.run does, and writes its record into `folder`.

    `always`: also where it passes. `harness` makes the adapter below the harness's own channel.
    """

    folder: Path
    always: bool
    harness: Callable[[], Adapter]

    def __call__(self, found: Found, driver: Driver, place: Place | None) -> Verdict:
        """The verdict, which tells the record's file; or why there is none."""
        if place is None or found.case.format != "unified":
            return check.run(found, driver, place)
        if reason := obstacle(place.info):
            return _unrecorded(check.run(found, driver, place), reason)
        trail = Trail()
        proxy = Proxy(trail)
        with proxy.stand_ins as stand_ins:
            info = stand_ins.of(place.info)
            below = Watched(self.harness(), trail, trail.control, stand_ins.real)
            control = Control(below, info.control_uri)
            driver.events.tap = trail.event
            try:
                watched = Driver(Watched(driver.adapter, trail, trail.operations), driver.events)
                there = Place(info, control, recorded=True)
                verdict = _real(check.run(found, watched, there), stand_ins)
            finally:
                driver.events.tap = None
                control.close()
        if not (self.always or verdict.state in (State.FAIL, State.ERROR)):
            return verdict
        if trail.too_long:
            return _unrecorded(verdict, f"its messages have more than {MOST_BYTES >> 20} MiB")
        path = self.folder / _file_name(verdict, driver.info)
        written = document(found, driver.info, place.info, verdict, trail)
        record_file.write(stand_ins.real(written), path)
        return replace(verdict, record=str(path))


def obstacle(info: DeploymentInfo) -> str | None:
    """Why what goes on between a driver and a deployment cannot be read, if so."""
    if info.tls:
        return "the deployment uses TLS"
    if not info.uri.startswith("mongodb://"):
        return "the deployment's URI names no servers, but where to ask for them"
    if "%2f" in info.uri.lower().partition("?")[0]:
        return "the deployment is at a Unix domain socket"
    return None


def _real(verdict: Verdict, stand_ins: StandIns) -> Verdict:
    """A verdict with the servers' own addresses."""
    failure: Any = asdict(verdict.failure) if verdict.failure else None
    return replace(
        verdict,
        reason=stand_ins.real(verdict.reason),
        failure=Failure(**stand_ins.real(failure)) if failure else None,
    )


def _unrecorded(verdict: Verdict, reason: str) -> Verdict:
    """A failure that tells why there is no record of it."""
    if verdict.state is not State.FAIL or verdict.failure is None:
        return verdict
    details = "\n".join(filter(None, (verdict.failure.details, f"not recorded: {reason}")))
    return replace(verdict, failure=replace(verdict.failure, details=details))


def _file_name(verdict: Verdict, driver: DriverInfo) -> str:
    name = f"{verdict.case.id} {driver.name} {verdict.deployment}"
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", name)
    return f"{readable[:100]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.json"


def document(
    found: Found, driver: DriverInfo, deployment: DeploymentInfo, verdict: Verdict, trail: Trail
) -> JsonObject:
    """A record as its file has it."""
    spec = found.spec
    failure = asdict(verdict.failure) if verdict.failure else None
    if failure is not None:
        del failure["events"]  # the record has them, with times
    return {
        "format": record_file.FORMAT,
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
