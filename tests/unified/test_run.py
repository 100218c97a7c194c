"""A case's way from its data to its verdict."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from runners.adapters.base import AdapterError, ErrorReport, Reply, Unsupported
from runners.load import SpecFile
from runners.model import DeploymentInfo, Json, JsonObject, State
from runners.unified import run as running
from tests.unified.files import CLIENT, ENTITIES, file_with, find, insert, op, special
from tests.unified.scripted import ALL, REPLICA_SET, SHARDED, Bench, failed

FAIL_POINT = special(
    "failPoint",
    client="client0",
    failPoint={"configureFailPoint": "failCommand", "mode": "alwaysOn"},
)


def data(documents: list[Json], **more: Json) -> JsonObject:
    return {"databaseName": "test", "collectionName": "things", "documents": documents, **more}


def outcome(*documents: Json) -> JsonObject:
    return {"outcome": [data(list(documents))]}


def test_passes_and_cleans_up() -> None:
    bench = Bench({"find": []})
    verdict = bench.run(file_with(find(expectResult=[])))
    assert (verdict.state, verdict.reason, verdict.failure) == (State.PASS, "", None)
    assert verdict.deployment == "rs"
    assert bench.driver.done == [
        "create client client0",
        "create database db",
        "create collection coll",
        "create session session0",
        "session0.spec.lsid",
        "coll.find",
        "reset",
    ]
    assert bench.told == ["drop things"]


def test_failure_says_where_and_what() -> None:
    bench = Bench({"find": [{"_id": {"$numberInt": "2"}}]})
    file = file_with(insert(), find(expectResult=[{"_id": 1}]))
    failure = bench.run(file).failure
    assert failure is not None
    assert failure.path == "tests[0].operations[1].expectResult[0]._id"
    assert (failure.expected, failure.actual) == (1, {"$numberInt": "2"})
    assert failure.operation == "find"
    path = ("tests", 0, "operations", 1, "expectResult", 0, "_id")
    assert failure.line == file.locate(path).line > 1


def test_failure_lists_the_events_seen() -> None:
    bench = Bench({"insertOne": lambda: bench.saw("poolClearedEvent"), "find": failed("boom")})
    verdict = bench.run(file_with(insert(), find()))
    assert verdict.state is State.FAIL
    assert "find failed unexpectedly: boom" in verdict.reason
    assert verdict.failure is not None
    assert verdict.failure.details == "client0 saw:\npoolClearedEvent {}"


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (AdapterError("broke"), State.ERROR, "find: broke"),
        (RuntimeError("bug"), State.ERROR, "find: RuntimeError: bug"),
        (Unsupported("operation.x"), State.UNSUPPORTED, "the driver lacks operation.x"),
        (failed("no"), State.FAIL, "find failed unexpectedly: no"),
    ],
)
def test_what_goes_wrong_in_an_operation(
    answer: Exception | Reply, state: State, reason: str
) -> None:
    bench = Bench({"find": answer})
    verdict = bench.run(file_with(find()))
    assert (verdict.state, verdict.reason) == (state, reason)
    assert bench.driver.done[-1] == "reset"


def test_unexpected_error_is_reported_with_all_that_it_has() -> None:
    error = ErrorReport("m", "K", code=7, code_name="Name", labels=("L",))
    failure = Bench({"find": Reply(error=error)}).run(file_with(find())).failure
    assert failure is not None
    known: JsonObject = {"kind": "K", "message": "m", "code": 7, "codeName": "Name"}
    assert failure.actual == {**known, "labels": ["L"]}
    failure = Bench({"find": Reply(error=ErrorReport("m", "K"))}).run(file_with(find())).failure
    assert failure is not None
    assert failure.actual == {"kind": "K", "message": "m"}


def test_unforeseen_errors_come_with_a_trace() -> None:
    verdict = Bench({"find": RuntimeError("bug")}).run(file_with(find()))
    assert verdict.failure is not None
    assert "Traceback" in verdict.failure.details
    assert verdict.failure.operation == "find"


def test_client_that_cannot_be_made_is_an_error() -> None:
    verdict = Bench({"create client0": AdapterError("bad option")}).run(file_with())
    assert (verdict.state, verdict.reason) == (State.ERROR, "bad option")
    assert verdict.failure is not None
    assert verdict.failure.path == "createEntities[0]"


def test_nothing_runs_after_a_failure() -> None:
    bench = Bench({"find": failed()})
    bench.run(file_with(find(), insert(), test=outcome()))
    assert "coll.insertOne" not in bench.driver.done
    assert not any(told.startswith("find") for told in bench.told)


@pytest.mark.parametrize(
    ("test", "file", "state", "reason"),
    [
        ({"skipReason": "later"}, {}, State.SKIPPED, "later"),
        ({}, {"schemaVersion": "1.29"}, State.ERROR, "1.29 is not supported"),
        ({}, {"schemaVersion": "2.0"}, State.ERROR, "2.0 is not supported"),
        ({}, {"schemaVersion": "one"}, State.ERROR, "not a version"),
        ({}, {"runOnRequirements": [{"auth": True}]}, State.UNMET, "authentication on"),
        ({"runOnRequirements": [{"auth": True}]}, {}, State.UNMET, "authentication on"),
    ],
)
def test_cases_that_do_not_begin(
    test: JsonObject, file: JsonObject, state: State, reason: str
) -> None:
    bench = Bench()
    verdict = bench.run(file_with(find(), test=test, file=file))
    assert verdict.state is state
    assert reason in verdict.reason
    assert bench.driver.done == []


def test_missing_capabilities_are_named() -> None:
    bench = Bench()
    lacking = {"operation.collection.find.sort", "entity.session"}
    bench.driver.info = replace(bench.driver.info, capabilities=ALL - lacking)
    verdict = bench.run(file_with(op("find", arguments={"filter": {}, "sort": {"a": 1}})))
    assert verdict.state is State.UNSUPPORTED
    assert verdict.reason == "the driver lacks entity.session, operation.collection.find.sort"
    assert bench.driver.done == []


def test_initial_data() -> None:
    bench = Bench()
    initial: list[Json] = [
        data([{"_id": 1}]),
        {"databaseName": "test", "collectionName": "empty", "documents": []},
        {**data([{"_id": 1}], createOptions={"capped": True}), "collectionName": "capped"},
    ]
    assert bench.run(file_with(file={"initialData": initial})).state is State.PASS
    assert bench.told == [
        "drop things",
        "insert things",
        "drop empty",
        "create empty",
        "drop capped",
        "create capped",
        "insert capped",
    ]
    assert all(c["writeConcern"] == {"w": "majority"} for c in bench.servers.commands[:7])
    assert bench.servers.commands[5]["capped"] is True


def test_every_member_of_a_set_has_the_data_before_a_test_begins() -> None:
    bench = Bench()
    written: JsonObject = {"$timestamp": {"t": 7, "i": 1}}
    bench.servers.answers["ping"] = {"operationTime": written, "$clusterTime": "signed"}
    assert bench.run(file_with(file={"initialData": [data([])]})).state is State.PASS
    changes, reads = bench.servers.told[:2], bench.servers.told[2:]
    assert changes == ["drop things", "create things"]
    assert reads == ["ping 1", "find nothing @a:1", "find nothing @b:2"]
    for read in bench.servers.commands[3:]:
        assert read["readConcern"] == {"afterClusterTime": written}
    assert {"control@a:1/ signed", "control@b:2/ signed"} <= {*bench.servers.done}


def test_a_member_that_does_not_catch_up_is_an_error() -> None:
    bench = Bench()
    bench.servers.answers["find"] = failed("operation exceeded time limit", 50)
    verdict = bench.run(file_with(file={"initialData": [data([])]}))
    assert verdict.state is State.ERROR
    assert "find on a:1: operation exceeded time limit" in verdict.reason


def test_encryption_state_is_dropped_where_a_file_encrypts() -> None:
    bench = Bench()
    options: JsonObject = {"encryptedFields": {"fields": []}}
    bench.run(file_with(file={"initialData": [data([], createOptions=options)]}))
    assert bench.told == [
        "drop things",
        "drop enxcol_.things.esc",
        "drop enxcol_.things.ecoc",
        "create things",
    ]


@pytest.mark.parametrize(
    ("database", "dropped"), [("test", ["drop things"]), ("admin", []), ("config", [])]
)
def test_collections_that_the_file_only_names_are_dropped(
    database: str, dropped: list[str]
) -> None:
    entities: list[Json] = [
        {"client": {"id": "client0"}},
        {"database": {"id": "db", "client": "client0", "databaseName": database}},
        {"collection": {"id": "coll", "database": "db", "collectionName": "things"}},
    ]
    bench = Bench()
    assert bench.run(file_with(file={"createEntities": entities})).state is State.PASS
    assert bench.told == dropped


def test_refused_data_is_an_error() -> None:
    bench = Bench()
    bench.servers.answers["insert"] = {"ok": 1, "writeErrors": [{"code": 1}]}
    verdict = bench.run(file_with(file={"initialData": [data([{"_id": 1}])]}))
    assert verdict.state is State.ERROR
    assert "insert into test.things" in verdict.reason


def documents(*found: Json) -> JsonObject:
    return {"cursor": {"id": {"$numberLong": "0"}, "ns": "test.things", "firstBatch": list(found)}}


@pytest.mark.parametrize(
    ("found", "path", "message"),
    [
        ([{"_id": 1, "x": {"$numberLong": "1"}}], "[0]", "document 0 of test.things differs"),
        ([{"_id": 1}], "[0]", "document 0 of test.things differs"),
        ([], "", "should have 1 documents, but has 0"),
        ([{"_id": 1, "x": 1}, {"_id": 2}], "", "should have 1 documents, but has 2"),
    ],
)
def test_outcome_is_exact(found: list[Json], path: str, message: str) -> None:
    bench = Bench()
    bench.servers.answers["find"] = documents(*found)
    verdict = bench.run(file_with(test=outcome({"x": 1, "_id": 1})))
    assert verdict.state is State.FAIL
    assert message in verdict.reason
    assert verdict.failure is not None
    assert verdict.failure.path == f"tests[0].outcome[0].documents{path}"


def test_outcome_holds_whatever_the_order_of_keys() -> None:
    bench = Bench()
    bench.servers.answers["find"] = documents({"_id": 1, "x": {"$numberInt": "1"}})
    assert bench.run(file_with(test=outcome({"x": 1, "_id": 1}))).state is State.PASS
    find_command = bench.servers.commands[-1]
    assert find_command["sort"] == {"_id": 1}
    assert find_command["readConcern"] == {"level": "local"}


def test_fail_points_are_turned_off_on_every_server() -> None:
    bench = Bench({"find": failed()})
    assert bench.run(file_with(FAIL_POINT, find())).state is State.FAIL
    assert bench.told[1:3] == [
        "configureFailPoint failCommand @a:1",
        "configureFailPoint failCommand @b:2",
    ]
    off = [each for each in bench.servers.commands if "configureFailPoint" in each]
    assert [each["mode"] for each in off] == ["off", "off"]


def test_fail_points_are_turned_off_once() -> None:
    bench = Bench()
    bench.run(file_with(FAIL_POINT, FAIL_POINT))
    assert sum("configureFailPoint" in told for told in bench.told) == 2


def test_fail_point_within_operations_stays_until_the_servers_are_idle() -> None:
    bench = Bench()
    busy: list[JsonObject] = [{"inprog": [{"op": "insert"}]}, {"inprog": []}, {"inprog": []}]
    bench.servers.answers["currentOp"] = lambda: Reply(result=busy.pop(0))
    fail_point: JsonObject = {
        "configureFailPoint": "onPrimaryTransactionalWrite",
        "mode": "alwaysOn",
    }
    file = file_with(special("failPoint", client="client0", failPoint=fail_point))
    assert bench.run(file).state is State.PASS
    assert bench.told[1:] == [
        "currentOp 1 @a:1",
        "currentOp 1 @a:1",
        "configureFailPoint onPrimaryTransactionalWrite @a:1",
        "currentOp 1 @b:2",
        "configureFailPoint onPrimaryTransactionalWrite @b:2",
    ]


def test_fail_point_that_cannot_be_turned_off_is_an_error() -> None:
    bench = Bench()
    bench.servers.answers["configureFailPoint"] = failed("unreachable")
    verdict = bench.run(file_with(FAIL_POINT))
    assert verdict.state is State.ERROR
    assert "configureFailPoint on a:1: unreachable" in verdict.reason
    assert bench.driver.done[-1] == "reset"


@pytest.mark.parametrize(
    ("operations", "answers", "killed"),
    [
        ([find()], {}, False),
        ([find()], {"find": failed()}, True),
        ([op("startTransaction", "session0")], {}, True),
    ],
)
def test_sessions_are_killed_after_transactions_and_failures(
    operations: list[Json], answers: dict[str, Reply], killed: bool
) -> None:
    bench = Bench({**answers})
    bench.run(file_with(*operations))
    assert ("killAllSessions []" in bench.told) is killed


@pytest.mark.parametrize(("code", "state"), [(11601, State.PASS), (13, State.PASS)])
def test_killing_sessions_may_be_refused(code: int, state: State) -> None:
    bench = Bench()
    bench.servers.answers["killAllSessions"] = failed("no", code)
    assert bench.run(file_with(op("startTransaction", "session0"))).state is state
    bench.servers.answers["killAllSessions"] = failed("no", 1)
    assert bench.run(file_with(op("startTransaction", "session0"))).state is State.ERROR


def test_sessions_on_a_sharded_cluster_know_its_time() -> None:
    bench = Bench(deployment=SHARDED)
    bench.servers.answers["ping"] = {"$clusterTime": {"clusterTime": 7}}
    assert bench.run(file_with(find())).state is State.PASS
    assert bench.told == ["drop things @a:1", "ping 1 @a:1"]
    time: JsonObject = {"clusterTime": {"clusterTime": 7}}
    assert ("session0", "advanceClusterTime", time) in bench.driver.arguments


def test_transactions_on_a_sharded_cluster_are_told_the_routes() -> None:
    bench = Bench(deployment=SHARDED)
    bench.servers.answers["ping"] = {"$clusterTime": {"clusterTime": 7}}
    file = file_with(
        op("startTransaction", "session0"),
        op("distinct", arguments={"fieldName": "x", "filter": {}}),
        file={"initialData": [data([])]},
    )
    assert bench.run(file).state is State.PASS
    assert bench.told == [
        "drop things @a:1",
        "create things @a:1",
        "ping 1 @a:1",
        "distinct things @a:1",
        "distinct things @b:2",
        "killAllSessions [] @a:1",
        "killAllSessions [] @b:2",
    ]
    time: JsonObject = {"clusterTime": {"clusterTime": 7}}
    assert ("session0", "advanceClusterTime", time) in bench.driver.arguments


@pytest.mark.parametrize(
    ("deployment", "operation"),
    [(SHARDED, find()), (REPLICA_SET, op("startTransaction", "session0"))],
)
def test_cluster_time_matters_only_to_sharded_sessions(
    deployment: DeploymentInfo, operation: Json
) -> None:
    bench = Bench(deployment=deployment)
    bench.servers.answers["ping"] = {"$clusterTime": {"clusterTime": 7}}
    without: list[Json] = [
        each for each in ENTITIES if isinstance(each, dict) and "session" not in each
    ]
    entities = ENTITIES if deployment is REPLICA_SET else without
    assert bench.run(file_with(operation, file={"createEntities": entities})).state is State.PASS
    assert not any(told.startswith("ping") for told in bench.told)
    assert "session0.advanceClusterTime" not in bench.driver.done


def test_several_mongoses_are_needed_where_the_file_says_so() -> None:
    entities: list[Json] = [{"client": {"id": "client0", "useMultipleMongoses": True}}]
    file = file_with(file={"createEntities": entities})
    assert Bench(deployment=SHARDED).run(file).state is State.PASS
    one = replace(SHARDED, hosts=("a:1",))
    verdict = Bench(deployment=one).run(file)
    assert verdict.state is State.UNMET
    assert "several mongoses" in verdict.reason


def test_events_after_the_operations_do_not_count() -> None:
    bench = Bench({"find": lambda: bench.saw("poolClearedEvent")})

    def clean_up() -> Reply:
        bench.saw("poolClearedEvent")
        return Reply(result={"ok": 1})

    bench.servers.answers["configureFailPoint"] = clean_up
    expected: Json = {
        "client": "client0",
        "eventType": "cmap",
        "events": [{"poolClearedEvent": {}}],
    }
    file = file_with(FAIL_POINT, find(), test={"expectEvents": [expected]})
    assert bench.run(file).state is State.PASS


def test_events_of_earlier_cases_do_not_count() -> None:
    bench = Bench({"find": lambda: bench.saw("poolClearedEvent")})
    expected: Json = {"client": "client0", "eventType": "cmap", "events": []}
    assert bench.run(file_with(find())).state is State.PASS
    bench.saw("poolClearedEvent")
    assert bench.run(file_with(test={"expectEvents": [expected]})).state is State.PASS


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> tuple[Bench, SpecFile]:
    """A case whose driver hangs until its clients are closed, and short limits."""
    monkeypatch.setattr(running, "CASE_SECONDS", 0.2)
    monkeypatch.setattr(running, "END_SECONDS", 5.0)
    closed = threading.Event()

    def hang() -> Reply:
        assert closed.wait(10)
        return Reply()

    def reset() -> None:
        bench.driver.done.append("reset")
        closed.set()

    bench = Bench({"find": hang})
    bench.driver.reset = reset  # type: ignore[method-assign]
    return bench, file_with(FAIL_POINT, find(), insert())


def test_hanging_driver_is_given_up(hanging: tuple[Bench, SpecFile]) -> None:
    bench, file = hanging
    verdict = bench.run(file)
    assert verdict.state is State.FAIL
    assert "gave up after 0.2 s" in verdict.reason
    assert verdict.failure is not None
    assert (verdict.failure.path, verdict.failure.operation) == ("tests[0].operations[1]", "find")
    assert "configureFailPoint failCommand @a:1" in bench.told


def test_abandoned_case_no_longer_uses_the_adapter(hanging: tuple[Bench, SpecFile]) -> None:
    bench, file = hanging
    bench.run(file)
    assert "coll.insertOne" not in bench.driver.done
    assert bench.driver.done.count("reset") == 1


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_abandoned_case_leaves_the_next_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CASE_SECONDS", 0.2)
    monkeypatch.setattr(running, "END_SECONDS", 0.0)
    released = threading.Event()
    stuck: list[threading.Thread] = []

    def hang() -> Reply:
        stuck.append(threading.current_thread())
        assert released.wait(10)
        return Reply()

    def go_on() -> Reply:
        released.set()
        stuck[0].join(5)
        return bench.saw("poolClearedEvent")

    bench = Bench({"find": hang, "insertOne": go_on})
    assert bench.run(file_with(find())).state is State.FAIL
    monkeypatch.setattr(running, "CASE_SECONDS", 10.0)
    expected: Json = {
        "client": "client0",
        "eventType": "cmap",
        "events": [{"poolClearedEvent": {}}],
    }
    assert bench.run(file_with(insert(), test={"expectEvents": [expected]})).state is State.PASS


def test_client_recovers_quickly_from_fail_points_only() -> None:
    for operations, quick in (([FAIL_POINT], True), ([find()], False)):
        bench = Bench()
        bench.run(file_with(*operations))
        assert ("heartbeatFrequencyMS=500" in str(bench.driver.specs["client0"]["uri"])) is quick


def test_client_gets_its_own_fields_unchanged() -> None:
    bench = Bench()
    bench.run(file_with())
    spec = dict(bench.driver.specs["client0"])
    assert spec.pop("uri") == REPLICA_SET.uri
    assert spec == CLIENT["client"]


def test_session_gets_the_snapshot_time_that_was_saved() -> None:
    time: JsonObject = {"$timestamp": {"t": 1, "i": 2}}
    bench = Bench({"getSnapshotTime": time})
    options: JsonObject = {"snapshot": True, "snapshotTime": "time0"}
    second: Json = {"session": {"id": "s2", "client": "client0", "sessionOptions": options}}
    file = file_with(
        op("getSnapshotTime", "session0", saveResultAsEntity="time0"),
        special("createEntities", entities=[second]),
    )
    assert bench.run(file).state is State.PASS
    assert bench.driver.specs["s2"]["sessionOptions"] == {"snapshot": True, "snapshotTime": time}


def test_session_keeps_its_other_options() -> None:
    second: Json = {
        "session": {"id": "s2", "client": "client0", "sessionOptions": {"causalConsistency": True}}
    }
    bench = Bench()
    bench.run(file_with(special("createEntities", entities=[second])))
    assert bench.driver.specs["s2"]["sessionOptions"] == {"causalConsistency": True}


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        ({"client": {"id": "client0"}}, "already an entity named 'client0'"),
        ({"database": {"id": "d", "client": "nobody", "databaseName": "x"}}, "no entity named"),
        ({"session": {"id": "s", "client": "session0"}}, "should be a client, but is a session"),
        ({"collection": {"id": "c", "database": "client0", "collectionName": "c"}}, "a database"),
        ({"bucket": {"id": "b"}}, "`database` is missing"),
        ({"moon": {"id": "m"}}, "no kind of entity 'moon'"),
        ({"client": {}}, "`id` is missing"),
        ({"client": {"id": 5}}, "should be a string"),
        ({"client": {"id": "a"}, "thread": {"id": "b"}}, "exactly one key"),
    ],
)
def test_entities_that_make_no_sense(entity: JsonObject, reason: str) -> None:
    verdict = Bench().run(file_with(file={"createEntities": [*ENTITIES, entity]}))
    assert verdict.state is State.ERROR
    assert reason in verdict.reason
