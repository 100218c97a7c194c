"""Running a case of the unified test format, from its data to its verdict.

Spec: unified-test-format, "Executing a Test". Before an adapter's first case, its events have to
be given a way: `events = EventRouter(); adapter.open(events)`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from runners.adapters.base import Adapter, AdapterError
from runners.control import Control, ControlError
from runners.load import SpecFile
from runners.model import (
    Case,
    DeploymentInfo,
    JsonObject,
    State,
    Verdict,
)
from runners.requirements import unmet
from runners.unified import data, fields
from runners.unified.endings import Ending, ending_of
from runners.unified.entities import Client, Thread
from runners.unified.events import EventRouter, check_events
from runners.unified.faults import CaseError, CaseFailed
from runners.unified.logs import check_log_messages
from runners.unified.match import Path
from runners.unified.needs import (
    body_of,
    needs,
    requirements,
    schema_problem,
    skip_reason,
)
from runners.unified.operations import fail_points
from runners.unified.operations.execute import THREAD_SECONDS, execute, execute_all
from runners.unified.spans import check_spans
from runners.unified.state import CaseState

CASE_SECONDS: Final = 180.0
"""A case that takes longer is given up: the driver hangs."""
END_SECONDS: Final = 10.0
"""How long an abandoned case has to end after its clients were closed."""


def run_case(
    spec: SpecFile,
    case: Case,
    adapter: Adapter,
    deployment: DeploymentInfo,
    control: Control,
    *,
    events: EventRouter,
    recorded: bool = False,
) -> Verdict:
    """Run one case on one deployment; whatever happens becomes its verdict.

    `adapter` is open, with `events` as its sink, and runs one case at a time. Where it is
    `recorded`, a case that failed goes on to its end after that.
    """
    started = time.monotonic()
    ending = _refusal(spec, case, adapter, deployment)
    if ending is None:
        state = CaseState(adapter, deployment, control, events, body_of(spec, case))
        ending = _in_time(spec, case, state, recorded)
    seconds = time.monotonic() - started
    return Verdict(case, ending.state, ending.reason, seconds, deployment.id, ending.failure)


def _refusal(
    spec: SpecFile, case: Case, adapter: Adapter, deployment: DeploymentInfo
) -> Ending | None:
    """Why the case is not even begun, if so."""
    if problem := schema_problem(spec):
        return Ending(State.ERROR, problem)
    if reason := skip_reason(spec, case):
        return Ending(State.SKIPPED, reason)
    for alternatives in requirements(spec, case):
        if lacking := unmet(alternatives, deployment):
            return Ending(State.UNMET, lacking)
    if missing := needs(spec, case) - adapter.info.capabilities:
        return Ending(State.UNSUPPORTED, f"the driver lacks {', '.join(sorted(missing))}")
    return None


def _in_time(spec: SpecFile, case: Case, state: CaseState, recorded: bool) -> Ending:
    """Run on a thread of its own, so that a driver which hangs does not hang the harness.

    Such a driver's fail points are lifted and its clients closed, so that the next case has a
    chance; what was hanging can do no more with the adapter.
    """
    endings: list[Ending] = []
    thread = threading.Thread(
        target=lambda: _run(spec, case, state, endings.append, recorded), name="case", daemon=True
    )
    thread.start()
    thread.join(CASE_SECONDS)
    if endings and not thread.is_alive():
        return endings[-1]
    error = CaseFailed(f"gave up after {CASE_SECONDS:g} s", state.now)
    early = endings[:1]
    adapter = state.abandon()
    threading.Thread(target=adapter.reset, name="reset", daemon=True).start()
    with suppress(ControlError):
        fail_points.turn_off(state)
    thread.join(END_SECONDS)
    return early[0] if early else ending_of(error, spec, state)


def _run(
    spec: SpecFile,
    case: Case,
    state: CaseState,
    end: Callable[[Ending], None],
    recorded: bool,
) -> None:
    """Run the case and say how it ended, and again when all is cleaned up."""
    ending = Ending(State.PASS)
    test, path = body_of(spec, case), ("tests", case.index)
    try:
        _run_test(spec.value, test, path, state)
    except Exception as error:  # noqa: BLE001 - every error is an ending
        ending = ending_of(error, spec, state)
    if state.abandoned:
        return
    end(ending)
    steps = _clean_up_steps(state, failed=ending.state is not State.PASS)
    if recorded and ending.state is State.FAIL:
        steps.insert(0, lambda: _go_on(test, path, state))
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the other steps are needed all the more
            if ending.state is State.PASS:
                ending = ending_of(error, spec, state)
    end(ending)


def _run_test(file: JsonObject, test: JsonObject, path: Path, state: CaseState) -> None:
    data.set_up(state, file, test)
    for index, entity in enumerate(fields.tables(file, "createEntities", ())):
        state.now = ("createEntities", index)
        state.create(entity, state.now)
    execute_all(state, test, "operations", path)
    _join_threads(state)
    state.now = path
    for client in state.entities.all_of(Client).values():
        client.log.stop()
    fail_points.turn_off(state)
    for key, check in _CHECKS.items():
        for index, expected in enumerate(fields.tables(test, key, path)):
            where = (*path, key, index)
            name = fields.text(expected, "client", where)
            log = state.entities.get_as(Client, name, (*where, "client")).log
            check(expected, log, state, where)
    data.check_outcome(state, test, path)


def _go_on(test: JsonObject, path: Path, state: CaseState) -> None:
    """Do what a failure cut off, whatever comes of it: a driver that is mended will get there."""
    operations = fields.tables(test, "operations", path)
    places = [(*path, "operations", index) for index in range(len(operations))]
    cut_off = places.index(state.now) + 1 if state.now in places else len(places)
    for place, operation in list(zip(places, operations, strict=True))[cut_off:]:
        with suppress(*_ENDINGS):
            execute(state, operation, place)
    with suppress(*_ENDINGS):
        _join_threads(state)
        fail_points.turn_off(state)
    for index, outcome in enumerate(fields.tables(test, "outcome", path)):
        with suppress(*_ENDINGS):
            data.check_outcome(state, {"outcome": [outcome]}, (*path, "outcome", index))


_ENDINGS: Final = (CaseFailed, CaseError, AdapterError, ControlError)
_CHECKS: Final = {
    "expectEvents": check_events,
    "expectLogMessages": check_log_messages,
    "expectTracingMessages": check_spans,
}


def _join_threads(state: CaseState) -> None:
    for name, thread in state.entities.all_of(Thread).items():
        if not thread.worker.finish(THREAD_SECONDS):
            message = f"{name} has not ended its operations within {THREAD_SECONDS:g} s"
            raise CaseFailed(message, state.now)


def _clean_up_steps(state: CaseState, *, failed: bool) -> list[Callable[[], None]]:
    """What leaves no trace of the case; closing the clients ends what their threads do."""
    steps = [
        lambda: fail_points.turn_off(state),
        state.adapter.reset,
        state.events.detach_all,
        lambda: _join_threads(state),
    ]
    if failed or state.transactions:
        steps.append(lambda: _end_transactions(state))
    return steps


def _end_transactions(state: CaseState) -> None:
    for host in state.deployment.routers:
        state.control.kill_all_sessions(host=host)
