"""CMAP files, written here: what a script leads to, what it should have led to."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from driver.pool.state import PoolState
from runners import cmap
from runners.adapters.base import Adapter, AdapterError
from runners.collect import own_specs
from runners.control import Control
from runners.load import SpecFile, cases, load
from runners.model import DeploymentInfo, Json, JsonObject, State, Topology
from tests.cmap.judging import judged

FILE = """\
version: 1
style: unit
description: one connection for two
poolOptions: {maxPoolSize: 1, waitQueueTimeoutMS: 500}
operations:
  - {name: ready}
  - {name: checkOut, label: only}
  - {name: start, target: other}
  - {name: checkOut, thread: other}
  - {name: wait, ms: 400}
  - {name: checkIn, connection: only}
  - {name: waitForThread, target: other}
  - {name: checkOut}
error: {type: WaitQueueTimeoutError, message: timed out while, address: 42}
events:
  - {type: ConnectionPoolCreated, options: {maxPoolSize: 1}}
  - {type: ConnectionCheckedOut, connectionId: 1, duration: 42}
  - {type: ConnectionCheckedIn, connectionId: 1}
  - {type: ConnectionCheckedOut, connectionId: 1}
  - {type: ConnectionCheckOutFailed, reason: timeout}
ignore: [ConnectionCheckOutStarted, ConnectionCreated, ConnectionReady, ConnectionPoolReady]
"""
INTEGRATION = """\
version: 1
style: integration
description: with a fail point
runOn: [{minServerVersion: "4.4"}]
failPoint:
  configureFailPoint: failCommand
  mode: alwaysOn
  data: {failCommands: [hello], closeConnection: true, appName: x}
poolOptions: {appName: x}
operations: [{name: ready}]
events: [{type: ConnectionPoolReady}]
"""
SERVER = DeploymentInfo(
    "set",
    Topology.REPLICA_SET,
    "6.0.0",
    "mongodb://anna:secret@127.0.0.1:7,127.0.0.1:8/?replicaSet=mine",
    ("127.0.0.1:7", "127.0.0.1:8"),
    set_name="mine",
)


def written(folder: Path, text: str) -> SpecFile:
    path = folder / "case.yml"
    path.write_text(text, "utf-8")
    return load(path, folder)


def test_the_reference_passes(adapter: Adapter, tmp_path: Path) -> None:
    verdict = judged(written(tmp_path, FILE), adapter)
    assert verdict.state is State.PASS, verdict


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("message: timed out while", "message: another", "error.message"),
        ("type: WaitQueueTimeoutError", "type: PoolClosedError", "error"),
        ("  - {name: checkOut}\n", "", "error"),
        ("options: {maxPoolSize: 1}", "options: {maxPoolSize: 2}", "events[0].options.maxPoolSize"),
        ("connectionId: 1, duration: 42", "connectionId: 2", "events[1].connectionId"),
        ("connectionId: 1, duration: 42", "reason: 42", "events[1].reason"),
        ("reason: timeout", "reason: poolClosed", "events[4].reason"),
        ("Failed, reason: timeout}", "Failed}\n  - {type: ConnectionClosed}", "events[5]"),
        ("ConnectionCreated, ConnectionReady, ", "ConnectionReady, ", "events[1].type"),
        ("waitQueueTimeoutMS: 500", "waitQueueTimeoutMS: 300", "events[2].type"),
    ],
)
def test_each_mismatch_is_found_at_its_place(
    old: str, new: str, path: str, adapter: Adapter, tmp_path: Path
) -> None:
    assert FILE.count(old) == 1
    verdict = judged(written(tmp_path, FILE.replace(old, new)), adapter)
    assert verdict.state is State.FAIL, verdict
    assert verdict.failure is not None
    others = verdict.failure.details.splitlines()
    assert path in (verdict.failure.path, *(line.split(" ")[0] for line in others))


def test_an_error_that_nobody_expects_is_a_failure(adapter: Adapter, tmp_path: Path) -> None:
    text = "\n".join(line for line in FILE.splitlines() if not line.startswith("error"))
    verdict = judged(written(tmp_path, text), adapter)
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    assert verdict.failure.path == "operations"
    assert "Timed out while" in verdict.failure.message


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ("{name: waitForEvent, event: ConnectionClosed, count: 1}", "seen 0 times in 20 s, not 1"),
        ("{name: waitForThread, target: other}", "other is still busy"),
    ],
)
def test_what_never_happens_is_a_failure_and_no_hang(
    operation: str, message: str, adapter: Adapter, tmp_path: Path
) -> None:
    script = FILE.replace(", waitQueueTimeoutMS: 500", "").replace(
        "  - {name: wait, ms: 400}", f"  - {operation}"
    )
    verdict = judged(written(tmp_path, script), adapter)
    assert verdict.state is State.FAIL
    assert message in str(verdict.failure)


def test_what_nothing_reads_is_an_error(adapter: Adapter, tmp_path: Path) -> None:
    verdict = judged(written(tmp_path, FILE + "more: 1\n"), adapter)
    assert verdict.state is State.ERROR
    assert "more: nothing reads this key" in verdict.reason


class Answering:
    """An adapter with one answer, which keeps what it was asked."""

    def __init__(self, answer: Json | Exception) -> None:
        self._answer = answer
        self.asked: list[JsonObject] = []

    def logic(self, name: str, arguments: JsonObject) -> Json:
        assert name == "cmap"
        self.asked.append(arguments)
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


class Commands:
    """A control that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Json, str | None]] = []

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        self.told.append((str(command["configureFailPoint"]), command["mode"], host))
        return {}

    def fail_point_off(self, name: str, *, host: str | None = None) -> None:
        self.told.append((name, "off", host))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ({"events": [{"type": "ConnectionPoolReady"}], "error": None}, State.PASS),
        ({"events": [], "error": None}, State.FAIL),
        ({}, State.FAIL),
        ([], State.ERROR),
        (AdapterError("broke"), State.ERROR),
    ],
)
def test_the_fail_point_is_on_for_just_as_long(
    answer: Json | Exception, state: State, tmp_path: Path
) -> None:
    adapter, control = Answering(answer), Commands()
    place = (SERVER, cast("Control", control))
    verdict = judged(written(tmp_path, INTEGRATION), cast("Adapter", adapter), place)
    assert verdict.state is state
    assert verdict.deployment == "set"
    on, off = control.told
    assert on == ("failCommand", "alwaysOn", "127.0.0.1:7")
    assert off == ("failCommand", "off", "127.0.0.1:7")
    (asked,) = adapter.asked
    assert asked["uri"] == "mongodb://anna:secret@127.0.0.1:7/?directConnection=true"


def test_only_integration_needs_a_server(tmp_path: Path) -> None:
    def required(text: str) -> Any:
        spec = written(tmp_path, text)
        return cmap.requirements(spec, cases(spec)[0])

    assert required(FILE) is None
    topologies, versions, hello = required(INTEGRATION)
    assert "load-balanced" not in topologies[0]["topologies"]
    assert versions == [{"minServerVersion": "4.4"}]
    assert {"minServerVersion": "4.4.7"} in hello
    assert len(required(INTEGRATION.replace(", appName: x}\npool", "}\npool"))) == 2


def forgetful(state: Any, connection: Any, now: float, *, broken: bool) -> Any:
    since = connection.idle_since
    gone = CHECK_IN(state, connection, now, broken=broken)
    connection.idle_since = since
    return gone


def oldest_first(state: Any, now: float) -> Any:
    state.idle.reverse()
    return TAKE(state, now)


CHECK_IN, TAKE = PoolState.check_in, PoolState.take


@pytest.mark.parametrize(
    ("method", "broken", "case"),
    [
        ("take", oldest_first, "newest-idle-connection-first"),
        ("perished", lambda *_: None, "idle-too-long-in-the-background"),
        ("wants_filling", lambda _: False, "idle-too-long-in-the-background"),
        ("check_in", forgetful, "idle-time-begins-with-each-check-in"),
        ("is_stale", lambda *_: False, "in-use-survives-a-clear"),
        ("give_up", lambda *_: None, "who-waited-too-long-has-left-the-queue"),
        ("_answer_all", lambda *_: None, "close-ends-all-waiting"),
        ("clear", lambda *_: (True, []), "a-cleared-pool-says-so"),
        ("max_connecting", property(lambda _: 2, lambda *_: None), "one-at-a-time"),
    ],
)
def test_a_broken_pool_fails(
    method: str, broken: Any, case: str, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = own_specs()
    spec = load(specs / "connection-monitoring-and-pooling" / f"{case}.yml", specs)
    assert judged(spec, adapter).state is State.PASS
    monkeypatch.setattr(PoolState, method, broken, raising=False)
    assert judged(spec, adapter).state is State.FAIL
