"""`mongospec replay`: a recorded case once more, with peers in the place of its servers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from runners import check
from runners.adapters.base import Adapter, DriverInfo
from runners.control import Control
from runners.kinds import Place
from runners.model import State, Verdict
from runners.record.peer import Peers
from runners.record.record_file import Record, RecordError
from runners.record.script import Script
from runners.record.watched import Answering
from runners.report.run_file import finite


class Comparison(StrEnum):
    """How a replay ended, beside the record."""

    SAME = "still fails in the same way"
    PASSES = "passes now"
    SAME_PASS = "passes, as it did"
    DIVERGED = "diverged from the record"
    DIFFERENT = "ends in another way"

    @property
    def is_well(self) -> bool:
        """Whether the driver did what the file expects."""
        return self in (Comparison.PASSES, Comparison.SAME_PASS)


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay's verdict.

    `missing` are commands that the record has no reply for, `substituted` those that got the reply
    to another. A failure after either says little: the servers might have answered otherwise.
    """

    comparison: Comparison
    driver: DriverInfo
    verdict: Verdict
    missing: Sequence[str]
    substituted: Sequence[str]


def replay(record: Record, adapter: Adapter) -> Replay:
    """Run the case of a record against a driver, without a server.

    Raises RecordError where the record does not have what that takes.
    """
    deployment = record.deployment
    if deployment.auth:
        raise RecordError(
            "cannot be replayed: the deployment asks for authentication, "
            "of which a record has nothing"
        )
    found = record.found()
    try:
        script = Script(record.value["messages"])
    except ValueError as error:
        raise RecordError(f"a recorded message is broken: {error}") from None
    peers = Peers(script)
    with peers.stand_ins as stand_ins, check.opened(adapter) as driver:
        info = stand_ins.of(deployment)
        answering = Answering(record.value["control"], stand_ins.real)
        verdict = check.run(found, driver, Place(info, Control(answering, info.control_uri)))
        now = stand_ins.real(_ending(verdict))
    missing, substituted = [*script.missing, *answering.missing], script.substituted
    fits = not missing and (verdict.state is State.PASS or not substituted)
    comparison = _compare(record.value["verdict"], now) if fits else Comparison.DIVERGED
    return Replay(comparison, driver.info, verdict, missing, substituted)


def _ending(verdict: Verdict) -> Any:
    """The verdict as a record has it."""
    failure = asdict(verdict.failure) if verdict.failure else None
    return finite({"state": verdict.state.value, "failure": failure})


def _compare(then: Any, now: Any) -> Comparison:
    if now["state"] == State.PASS:
        return Comparison.SAME_PASS if then["state"] == State.PASS else Comparison.PASSES
    return Comparison.SAME if _way(then) == _way(now) else Comparison.DIFFERENT


_OF_A_RUN: Final = re.compile(r"[0-9a-f]{24,}|[0-9a-f-]{36}|\d+\.\d+")
"""What differs from run to run: generated ids and durations."""


def _way(ending: Any) -> object:
    """In which way a case ended: its state, the place in the file, and the message."""
    failure = ending["failure"]
    if failure is None:
        return ending["state"]
    return ending["state"], failure["path"], _OF_A_RUN.sub("#", failure["message"])
