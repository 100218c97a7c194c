"""The operations of the test runner itself."""

from __future__ import annotations

import threading
import time

import pytest

from runners.adapters.base import Reply
from runners.model import Json, JsonObject, State, Verdict
from runners.unified.operations import events, execute
from tests.unified.files import file_with, find, insert, op, special
from tests.unified.scripted import SHARDED, Answer, Bench, failed

CLEARED: JsonObject = {"poolClearedEvent": {}}


def verdict_of(*operations: Json, answers: dict[str, Answer] | None = None) -> Verdict:
    return Bench(answers).run(file_with(*operations))


def cleared(bench: Bench, times: int) -> None:
    """An insertOne publishes that many events."""

    def publish() -> Reply:
        for _ in range(times):
            bench.saw("poolClearedEvent")
        return Reply()

    bench.driver.answers["insertOne"] = publish


@pytest.mark.parametrize(("seen", "state"), [(0, State.FAIL), (2, State.PASS), (3, State.FAIL)])
def test_assert_event_count(seen: int, state: State) -> None:
    bench = Bench()
    cleared(bench, seen)
    count = special("assertEventCount", client="client0", event=CLEARED, count=2)
    assert bench.run(file_with(insert(), count)).state is state


@pytest.mark.parametrize(("seen", "state"), [(1, State.FAIL), (2, State.PASS), (3, State.PASS)])
def test_wait_for_event_that_has_come(
    seen: int, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "WAIT_SECONDS", 0.05)
    bench = Bench()
    cleared(bench, seen)
    wait = special("waitForEvent", client="client0", event=CLEARED, count=2)
    verdict = bench.run(file_with(insert(), wait))
    assert verdict.state is state
    if state is State.FAIL:
        assert verdict.reason == "waited 0.05 s for 2 such events, but saw 1"
        assert verdict.failure is not None
        assert verdict.failure.details == "events seen:\npoolClearedEvent {}"


def test_wait_for_event_that_comes_later() -> None:
    bench = Bench()

    def publish_later() -> Reply:
        threading.Timer(0.1, lambda: bench.saw("poolClearedEvent")).start()
        return Reply()

    bench.driver.answers["insertOne"] = publish_later
    wait = special("waitForEvent", client="client0", event=CLEARED, count=1)
    began = time.monotonic()
    assert bench.run(file_with(insert(), wait)).state is State.PASS
    assert time.monotonic() - began < 5


def test_waiting_ignores_other_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "WAIT_SECONDS", 0.05)
    bench = Bench({"insertOne": lambda: bench.saw("commandStartedEvent", {"commandName": "x"})})
    event: JsonObject = {"commandStartedEvent": {"commandName": "y"}}
    wait = special("waitForEvent", client="client0", event=event, count=1)
    assert bench.run(file_with(insert(), wait)).state is State.FAIL


def lsids(bench: Bench, *found: Json) -> None:
    def publish() -> Reply:
        for lsid in found:
            command: JsonObject = {"ping": 1} if lsid is None else {"ping": 1, "lsid": lsid}
            bench.saw("commandStartedEvent", {"command": command})
        return Reply()

    bench.driver.answers["insertOne"] = publish


@pytest.mark.parametrize(
    ("found", "same", "different"),
    [
        ([{"id": 1}, {"id": 1}], State.PASS, State.FAIL),
        ([{"id": 1}, {"id": 2}], State.FAIL, State.PASS),
        ([{"id": 2}, {"id": 1}, {"id": 1}], State.PASS, State.FAIL),
        ([{"id": 1}], State.FAIL, State.FAIL),
        ([{"id": 1}, None], State.FAIL, State.FAIL),
    ],
)
def test_last_two_lsids(found: list[Json], same: State, different: State) -> None:
    for name, state in (("Same", same), ("Different", different)):
        bench = Bench()
        lsids(bench, *found)
        check = special(f"assert{name}LsidOnLastTwoCommands", client="client0")
        assert bench.run(file_with(insert(), check)).state is state


def test_connections_checked_out() -> None:
    check = special("assertNumberConnectionsCheckedOut", client="client0", connections=1)
    answers: dict[str, Answer] = {"spec.connectionsCheckedOut": {"$numberInt": "1"}}
    assert verdict_of(check, answers=answers).state is State.PASS
    answers = {"spec.connectionsCheckedOut": 2}
    assert verdict_of(check, answers=answers).state is State.FAIL


def test_wait_waits() -> None:
    began = time.monotonic()
    assert verdict_of(special("wait", ms=60)).state is State.PASS
    assert time.monotonic() - began >= 0.06


def on_thread(operation: Json) -> Json:
    return special("runOnThread", thread="thread0", operation=operation)


JOIN = special("waitForThread", thread="thread0")


def test_threads_run_beside_the_test() -> None:
    inserted = threading.Event()

    def insert_one() -> Reply:
        inserted.set()
        return Reply()

    def find_all() -> Reply:
        return Reply(result=[] if inserted.wait(5) else None)

    bench = Bench({"find": find_all, "insertOne": insert_one})
    file = file_with(on_thread(find(expectResult=[])), insert(), JOIN)
    assert bench.run(file).state is State.PASS


@pytest.mark.parametrize("join", [[JOIN], []])
def test_failure_on_a_thread_fails_the_case(join: list[Json]) -> None:
    verdict = verdict_of(on_thread(find(expectResult=[1])), *join, answers={"find": []})
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    assert verdict.failure.path == "tests[0].operations[0].arguments.operation.expectResult"


def test_operations_of_a_thread_keep_their_order() -> None:
    bench = Bench()
    bench.run(file_with(on_thread(insert()), on_thread(find()), JOIN))
    assert bench.driver.done[-3:] == ["coll.insertOne", "coll.find", "reset"]


def test_thread_that_does_not_end_fails_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "THREAD_SECONDS", 0.05)
    released = threading.Event()
    bench = Bench({"find": lambda: Reply(result=released.wait(5))})
    bench.driver.reset = released.set  # type: ignore[method-assign]
    verdict = bench.run(file_with(on_thread(find()), JOIN))
    assert verdict.state is State.FAIL
    assert "thread0 has not ended" in verdict.reason


def test_fail_point_is_set_with_the_client_at_the_primary() -> None:
    bench = Bench()
    command: JsonObject = {"configureFailPoint": "failCommand", "mode": "alwaysOn"}
    set_it = special("failPoint", client="client0", failPoint=command)
    assert bench.run(file_with(set_it, set_it)).state is State.PASS
    admin = bench.driver.specs["client0:spec.admin"]
    assert (admin["client"], admin["databaseName"]) == ("client0", "admin")
    name, operation, arguments = bench.driver.arguments[-1]
    assert (name, operation) == ("client0:spec.admin", "runCommand")
    assert arguments["command"] == command
    assert arguments["commandName"] == "configureFailPoint"
    assert arguments["readPreference"] == {"mode": "primary"}
    assert bench.driver.done.count("create database client0:spec.admin") == 1


def test_fail_point_that_cannot_be_set_fails_the_case() -> None:
    command: JsonObject = {"configureFailPoint": "f", "mode": "alwaysOn"}
    set_it = special("failPoint", client="client0", failPoint=command)
    assert verdict_of(set_it, answers={"runCommand": failed("off")}).state is State.FAIL


def test_targeted_fail_point_goes_to_the_pinned_mongos_and_leaves_it() -> None:
    bench = Bench({"spec.pinnedServer": "b:2"}, SHARDED)
    command: JsonObject = {"configureFailPoint": "failCommand", "mode": "alwaysOn"}
    set_it = special("targetedFailPoint", session="session0", failPoint=command)
    assert bench.run(file_with(set_it)).state is State.PASS
    assert bench.servers.told[2:] == ["configureFailPoint failCommand @b:2"] * 2
    assert [each["mode"] for each in bench.servers.commands[2:]] == ["alwaysOn", "off"]


SESSION_CHECKS: list[tuple[str, JsonObject, str, Answer, State]] = [
    ("assertSessionTransactionState", {"state": "none"}, "transactionState", "none", State.PASS),
    ("assertSessionTransactionState", {"state": "none"}, "transactionState", "x", State.FAIL),
    ("assertSessionPinned", {}, "pinnedServer", "a:1", State.PASS),
    ("assertSessionPinned", {}, "pinnedServer", Reply(), State.FAIL),
    ("assertSessionUnpinned", {}, "pinnedServer", Reply(), State.PASS),
    ("assertSessionUnpinned", {}, "pinnedServer", "a:1", State.FAIL),
    ("assertSessionDirty", {}, "dirty", Reply(result=True), State.PASS),
    ("assertSessionDirty", {}, "dirty", Reply(result=False), State.FAIL),
    ("assertSessionNotDirty", {}, "dirty", Reply(result=False), State.PASS),
    ("assertSessionNotDirty", {}, "dirty", Reply(result=True), State.FAIL),
]


@pytest.mark.parametrize(("name", "arguments", "question", "answer", "state"), SESSION_CHECKS)
def test_session_assertions(
    name: str, arguments: JsonObject, question: str, answer: Answer, state: State
) -> None:
    check = special(name, session="session0", **arguments)
    assert verdict_of(check, answers={f"spec.{question}": answer}).state is state


def topology(primary: str | None) -> JsonObject:
    servers: list[Json] = [
        {"address": address, "type": "RSPrimary" if address == primary else "RSSecondary"}
        for address in ("a:1", "b:2")
    ]
    kind = "ReplicaSetNoPrimary" if primary is None else "ReplicaSetWithPrimary"
    return {"type": kind, "servers": servers}


RECORD = special("recordTopologyDescription", client="client0", id="before")


@pytest.mark.parametrize(("primary", "state"), [("a:1", State.PASS), (None, State.FAIL)])
def test_topology_type(primary: str | None, state: State) -> None:
    check = special(
        "assertTopologyType", topologyDescription="before", topologyType="ReplicaSetWithPrimary"
    )
    answers: dict[str, Answer] = {"spec.topologyDescription": topology(primary)}
    assert verdict_of(RECORD, check, answers=answers).state is state


@pytest.mark.parametrize(
    ("primaries", "state"),
    [
        (["a:1", "b:2"], State.PASS),
        (["a:1", "a:1", None, "b:2"], State.PASS),
        ([None, "a:1"], State.PASS),
        (["a:1", "a:1"], State.FAIL),
        (["a:1", None], State.FAIL),
    ],
)
def test_wait_for_primary_change(primaries: list[str | None], state: State) -> None:
    views = [topology(primary) for primary in primaries]
    bench = Bench(
        {
            "spec.topologyDescription": lambda: Reply(
                result=views.pop(0) if len(views) > 1 else views[0]
            )
        }
    )
    wait = special(
        "waitForPrimaryChange", client="client0", priorTopologyDescription="before", timeoutMS=300
    )
    verdict = bench.run(file_with(RECORD, wait))
    assert verdict.state is state
    if state is State.FAIL:
        assert "waited 300 ms for a primary other than a:1" in verdict.reason


def cursor(*found: JsonObject) -> JsonObject:
    return {"cursor": {"id": 0, "ns": "test.x", "firstBatch": list(found)}}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("assertCollectionExists", State.PASS),
        ("assertCollectionNotExists", State.FAIL),
    ],
)
def test_collections(name: str, state: State) -> None:
    other = State.FAIL if state is State.PASS else State.PASS
    for collection, wanted in (("things", state), ("nothing", other)):
        bench = Bench()
        bench.servers.answers["listCollections"] = cursor({"name": "things"})
        check = special(name, databaseName="test", collectionName=collection)
        assert bench.run(file_with(check)).state is wanted


@pytest.mark.parametrize(
    ("answer", "exists"),
    [(cursor({"name": "x_1"}), True), (cursor(), False), (failed("no", 26), False)],
)
def test_indexes(answer: Answer, exists: bool) -> None:
    for name, wanted in (("assertIndexExists", exists), ("assertIndexNotExists", not exists)):
        bench = Bench()
        bench.servers.answers["listIndexes"] = answer
        check = special(name, databaseName="test", collectionName="things", indexName="x_1")
        assert bench.run(file_with(check)).state is (State.PASS if wanted else State.FAIL)


def test_entities_can_be_created_on_the_way() -> None:
    more: Json = {"collection": {"id": "late", "database": "db", "collectionName": "l"}}
    bench = Bench()
    file = file_with(special("createEntities", entities=[more]), op("find", "late", {"filter": {}}))
    assert bench.run(file).state is State.PASS
    assert bench.driver.done[-2] == "late.find"


@pytest.mark.parametrize(
    ("operation", "reason"),
    [
        (special("wait"), "`ms` is missing"),
        (special("wait", ms=-1), "whole number"),
        (special("wait", ms=True), "whole number"),
        (special("wait", ms=10**9), "cannot pause for more than"),
        (special("assertEventCount", client="coll", event=CLEARED, count=1), "should be a client"),
        (special("assertEventCount", client="client0", event={}, count=1), "exactly one key"),
        (special("assertEventCount", client="client0", event={"x": {}}, count=1), "no event 'x'"),
        (special("assertEventCount", client="client0", event=CLEARED), "`count` is missing"),
        (special("waitForThread", thread="coll"), "should be a thread"),
        (special("runOnThread", thread="thread0"), "`operation` is missing"),
        (special("failPoint", client="client0", failPoint={}), "configureFailPoint"),
        (special("failPoint", client="session0", failPoint={"configureFailPoint": "f"}), "client"),
        (
            special("targetedFailPoint", session="session0", failPoint={"configureFailPoint": "f"}),
            "not pinned to a mongos",
        ),
        (special("assertSessionDirty", session="coll"), "should be a session"),
        (special("recordTopologyDescription", client="client0", id="x"), "topology description is"),
        (special("createEntities", entities=[{"client": 1}]), "should be an object"),
        (special("createEntities", entities=1), "should be a list"),
    ],
)
def test_arguments_that_make_no_sense(operation: Json, reason: str) -> None:
    verdict = verdict_of(operation)
    assert verdict.state is State.ERROR
    assert reason in verdict.reason


def test_loop_is_named_as_unsupported() -> None:
    verdict = verdict_of(special("loop", operations=[find()]))
    assert verdict.state is State.UNSUPPORTED
    assert "operation.testRunner.loop" in verdict.reason
