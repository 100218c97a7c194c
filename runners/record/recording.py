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
from runners.kinds import Driver, Place
from runners.model import DeploymentInfo, Failure, State, Verdict
from runners.record import record_file
from runners.record.document import document
from runners.record.proxy import Proxy
from runners.record.stand_ins import StandIns
from runners.record.trail import MOST_BYTES, Trail
from runners.record.watched import Watched


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
