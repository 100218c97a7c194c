"""Failures of broken drivers, recorded on servers that are stopped before the records are replayed.

The breaks are made in the driver alone, or are a driver's own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from driver.engine import cursor, execute
from driver.results import UpdateResult
from runners import check
from runners.adapters import load
from runners.collect import collect, own_specs
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import HARNESS_DRIVER, connect
from runners.deployments.security import AUTH
from runners.model import JsonObject, State, Topology, Verdict
from runners.record import record_file
from runners.record.record_file import RecordError
from runners.record.recording import Recording
from runners.record.replay import Comparison, Replay, replay
from tests.check.stubs import write_spec

pytestmark = pytest.mark.live

Break = Callable[[pytest.MonkeyPatch], None]


def unbroken(patch: pytest.MonkeyPatch) -> None:
    """The driver as it is."""


def no_batch_size_in_get_more(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cursor.Batches, "_next_batch_size", lambda self: None)


def nothing_was_modified(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(UpdateResult, "modified_count", property(lambda self: 0))


def no_retry(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(execute.Run, "_may_retry", lambda self, error: False)


@dataclass(frozen=True)
class Fault:
    """A driver that fails a case, and how a replay ends once it is mended."""

    driver: str
    brk: Break
    topology: Topology
    suite: str
    text: str
    mended: Comparison | None = Comparison.PASSES


SET, SINGLE = Topology.REPLICA_SET, Topology.STANDALONE
FAULTS = {
    "a command without a field": Fault(
        *("reference", no_batch_size_in_get_more, SET),
        *("crud", "The options of find are not repeated in getMore"),
    ),
    "the same in asyncio, on one server": Fault(
        *("reference-async", no_batch_size_in_get_more, SINGLE),
        *("crud", "The last getMore asks only for what the limit still allows"),
    ),
    "a command whose reply depends on the field": Fault(
        *("reference", no_batch_size_in_get_more, SINGLE),
        *("crud", "A batchSize of 1 brings one document at a time"),
        Comparison.DIVERGED,
    ),
    "a result that is read wrongly": Fault(
        "reference", nothing_was_modified, SET, "own", "goes on after an update"
    ),
    "the same after a closed connection": Fault(
        *("reference", nothing_was_modified, SET),
        *("retryable-writes", "same-txn-number-on-retry.yml::updateOne is repeated"),
    ),
    "a command that is not sent again": Fault(
        *(
            "reference",
            no_retry,
            SET,
            "retryable-writes",
            "same-txn-number-on-retry.yml::insertOne is repeated",
        ),
        Comparison.DIVERGED,
    ),
    "a fault of PyMongo": Fault(
        *("pymongo", unbroken, SINGLE, "crud", "A skip and a limit of zero add no stage"), None
    ),
}
UPDATE: JsonObject = {
    "name": "updateOne",
    "object": "coll",
    "arguments": {"filter": {"_id": 1}, "update": {"$set": {"x": 2}}},
    "expectResult": {"matchedCount": 1, "modifiedCount": 1, "upsertedCount": 0},
}
INSERT: JsonObject = {
    "name": "insertOne",
    "object": "coll",
    "arguments": {"document": {"_id": 2}},
}
FIND: JsonObject = {
    "name": "find",
    "object": "coll",
    "arguments": {"filter": {}, "sort": {"_id": 1}},
    "expectResult": [{"_id": 1, "x": 2}, {"_id": 2}],
}
NAMESPACE: JsonObject = {"databaseName": "mongospec-record", "collectionName": "things"}


def write_own(folder: Path) -> None:
    """A case that has more to do after the operation with which it fails."""
    write_spec(
        folder / "spec_tests" / "own" / "own.json",
        {
            "description": "goes on after an update",
            "operations": [UPDATE, INSERT, FIND],
            "outcome": [{**NAMESPACE, "documents": [{"_id": 1, "x": 2}, {"_id": 2}]}],
        },
        createEntities=[
            {"client": {"id": "client0", "observeEvents": ["commandStartedEvent"]}},
            {"database": {"id": "db", "client": "client0", "databaseName": "mongospec-record"}},
            {"collection": {"id": "coll", "database": "db", "collectionName": "things"}},
        ],
        initialData=[{**NAMESPACE, "documents": [{"_id": 1, "x": 1}]}],
    )


def recorded(fault: Fault, folder: Path, deployment: LocalDeployment) -> Verdict:
    """The verdict of the one case that a broken driver fails."""
    specs = folder / "spec_tests" if fault.suite == "own" else own_specs()
    cases = collect([specs / fault.suite]).only(text=fault.text).cases
    recording = Recording(folder / "records", False, partial(load, HARNESS_DRIVER))
    verdicts: list[Verdict] = []
    with pytest.MonkeyPatch.context() as patch, check.opened(load(fault.driver)) as driver:
        fault.brk(patch)
        job = check.Job(deployment, cases)
        check.run_on(job, driver, connect, verdicts.append, recording)
    failures = [each for each in verdicts if each.state is State.FAIL]
    assert failures, verdicts
    return failures[0]


@pytest.fixture(scope="module")
def failures(mongod: Binary, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict]:
    """The verdict of each fault; no server is left that could answer in a replay."""
    folder = tmp_path_factory.mktemp("recording")
    write_own(folder)
    found: dict[str, Verdict] = {}
    for topology in (SET, SINGLE):
        of_topology = {name: each for name, each in FAULTS.items() if each.topology is topology}
        with LocalDeployment(topology, mongod, connect) as deployment:
            running = Running(deployment)
            found |= {name: recorded(each, folder, running) for name, each in of_topology.items()}
    return found


class Running(LocalDeployment):
    """A deployment that is up, and stays so."""

    def __init__(self, deployment: LocalDeployment) -> None:
        self.info = deployment.info

    def start(self) -> None:
        """It is up."""

    def stop(self) -> None:
        """Somebody else stops it."""


def again(verdict: Verdict, fault: Fault, brk: Break) -> Replay:
    assert verdict.record is not None
    with pytest.MonkeyPatch.context() as patch:
        brk(patch)
        return replay(record_file.read(Path(verdict.record)), load(fault.driver))


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_driver_fails_in_the_same_way(failures: Mapping[str, Verdict], name: str) -> None:
    before, fault = failures[name], FAULTS[name]
    replayed = again(before, fault, fault.brk)
    assert replayed.comparison is Comparison.SAME
    assert (replayed.missing, replayed.substituted) == ([], [])
    assert before.failure is not None
    now = replayed.verdict.failure
    assert now is not None
    assert (now.path, now.line, now.operation) == (
        before.failure.path,
        before.failure.line,
        before.failure.operation,
    )


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.mended])
def test_a_mended_driver(failures: Mapping[str, Verdict], name: str) -> None:
    replayed = again(failures[name], FAULTS[name], unbroken)
    assert replayed.comparison is FAULTS[name].mended
    if replayed.comparison is Comparison.DIVERGED:
        assert replayed.missing or replayed.substituted


def test_another_break_is_another_failure(failures: Mapping[str, Verdict]) -> None:
    name = "a result that is read wrongly"

    def nothing_matched(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(UpdateResult, "matched_count", property(lambda self: 0))

    assert again(failures[name], FAULTS[name], nothing_matched).comparison is Comparison.DIFFERENT


def test_a_record_has_all_that_went_on(failures: Mapping[str, Verdict]) -> None:
    record = failures["the same after a closed connection"].record
    assert record is not None
    value: Any = record_file.read(Path(record)).value
    hosts = set(value["deployment"]["hosts"])
    assert {each["server"] for each in value["messages"]} <= hosts
    assert {each["from"] for each in value["messages"]} == {"driver", "server"}
    assert {each["name"] for each in value["operations"]} >= {"create client", "runCommand"}
    assert {each["name"] for each in value["events"]} >= {"commandStartedEvent"}
    assert {each["by"] for each in value["fail_points"]} == {"driver", "harness"}
    assert {each["server"] for each in value["topology_changes"]} == hosts
    first = value["topology_changes"][0]["hello"]
    assert set(first["hosts"]) == hosts
    asked = {each["arguments"].get("commandName") for each in value["control"]}
    assert asked >= {"drop", "insert", "find", "configureFailPoint"}


def test_credentials_stay_out(mongod: Binary, tmp_path: Path) -> None:
    write_own(tmp_path)
    with LocalDeployment(SINGLE, mongod, connect, security=AUTH) as deployment:
        fault = FAULTS["a result that is read wrongly"]
        verdict = recorded(fault, tmp_path, Running(deployment))
        secret = deployment.info.uri.partition("@")[0].rpartition(":")[2]
    assert verdict.record is not None
    text = Path(verdict.record).read_text()
    value: Any = json.loads(text)
    commands = [next(iter(each["body"])) for each in value["messages"] if each.get("body")]
    assert "saslContinue" in commands
    assert len(secret) > 3
    assert secret not in text
    assert "payload" not in text
    with pytest.raises(RecordError, match=r"cannot be replayed: .*authentication"):
        replay(record_file.read(Path(verdict.record)), load("reference"))
