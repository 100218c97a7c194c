"""The adapter's own work, over a made-up driver, sync and asyncio."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from typing import Any, cast

import pytest

from runners.adapters.base import AdapterError, ErrorReport, Reply, Unsupported
from runners.adapters.pymongo_api.adapter import PyMongoLike
from runners.adapters.pymongo_api.entity import Entity
from runners.model import JsonObject
from tests.adapters import fake
from tests.adapters.conftest import Events


def _client(
    adapter: PyMongoLike, spec: JsonObject | None = None, name: str = "client1"
) -> fake.Client:
    adapter.create("client", name, {"id": name, "uri": f"mongodb://{name}", **(spec or {})})
    return fake.Client.made[-1]


def _object(adapter: PyMongoLike, name: str) -> Any:
    return adapter._entities[name].value


def test_entities_are_made_with_their_options(adapter: PyMongoLike) -> None:
    level: JsonObject = {"readConcern": {"level": "local"}}
    adapter.create(
        "database", "db1", {"client": "client0", "databaseName": "x", "databaseOptions": level}
    )
    concern: JsonObject = {"writeConcern": {"w": 0}}
    adapter.create(
        "collection",
        "coll1",
        {"database": "db1", "collectionName": "y", "collectionOptions": concern},
    )
    assert _object(adapter, "db1").read_concern == ("read concern", {"level": "local"})
    assert _object(adapter, "coll1").options == {"write_concern": ("write concern", {"w": 0})}


@pytest.mark.parametrize(
    ("kind", "spec", "name"),
    [
        ("clientEncryption", {}, "entity.clientEncryption"),
        ("client", {"autoEncryptOpts": {}}, "entity.client.autoEncryptOpts"),
        ("client", {"observeEvents": ["tornadoEvent"]}, "event.tornadoEvent"),
        ("client", {"observeLogMessages": {"weather": "debug"}}, "log.weather"),
        ("client", {"uriOptions": {"unheardOf": 1}}, "uriOption.unheardOf"),
        (
            "database",
            {"client": "client0", "databaseName": "x", "databaseOptions": {"timeoutMS": 1}},
            "entity.database.databaseOptions.timeoutMS",
        ),
    ],
)
def test_what_the_driver_lacks_is_unsupported_by_name(
    adapter: PyMongoLike, kind: str, spec: JsonObject, name: str
) -> None:
    with pytest.raises(Unsupported) as caught:
        adapter.create(kind, "new", spec)
    assert caught.value.name == name


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        ("client", {}, "entity.client.uri should be a string"),
        ("client", {"uri": "mongodb://refused"}, "cannot create client 'new': PyMongoError: a bad"),
        (
            "client",
            {"uri": "mongodb://a", "observeEvents": "x"},
            "observeEvents should be an array",
        ),
        ("client", {"uri": "x", "observeLogMessages": {"topology": "loud"}}, "log level 'loud'"),
        ("database", {"client": "nobody", "databaseName": "x"}, "no entity 'nobody'"),
        ("database", {"client": "db0", "databaseName": "x"}, "'db0' is a database, not a client"),
    ],
)
def test_a_bad_entity_is_told(
    adapter: PyMongoLike, kind: str, spec: JsonObject, message: str
) -> None:
    with pytest.raises(AdapterError, match=message):
        adapter.create(kind, "new", spec)


def test_names_are_unique(adapter: PyMongoLike) -> None:
    with pytest.raises(AdapterError, match="already an entity 'db0'"):
        adapter.create("database", "db0", {"client": "client0", "databaseName": "x"})


def test_an_adapter_has_to_be_opened() -> None:
    adapter = PyMongoLike(fake.SYNC)
    with pytest.raises(AdapterError, match="not open"):
        adapter.create("client", "c", {"uri": "mongodb://a"})


def test_a_result_and_an_error(adapter: PyMongoLike) -> None:
    document: JsonObject = {"document": {"_id": 4}}
    assert adapter.run("coll0", "insertOne", document) == Reply({"insertedId": 4})
    error = adapter.run("coll0", "insertOne", document).error
    assert error is not None
    assert (error.code, error.code_name) == (11000, "Duplicate")


def test_iterables_are_iterated(adapter: PyMongoLike) -> None:
    for number in range(3):
        adapter.run("coll0", "insertOne", {"document": {"_id": number}})
    found = adapter.run("coll0", "find", {"filter": {}, "batchSize": 2})
    assert found == Reply([{"_id": 0}, {"_id": 1}, {"_id": 2}])


@pytest.mark.parametrize(
    ("operation", "arguments", "name"),
    [
        ("teleport", {}, "operation.collection.teleport"),
        ("updateOne", {}, "operation.collection.updateOne"),
        ("insertOne", {"fliter": 1}, "operation.collection.insertOne.fliter"),
        ("insertOne", {"document": {}, "comment": 1}, "operation.collection.insertOne.comment"),
        ("find", {"hint": 1}, "operation.collection.find.hint"),
        ("drop", {"rawData": True}, "operation.collection.drop.rawData"),
        ("drop", {"fliter": 1}, "operation.collection.drop.fliter"),
    ],
)
def test_no_operation_or_argument_is_dropped(
    adapter: PyMongoLike, operation: str, arguments: JsonObject, name: str
) -> None:
    with pytest.raises(Unsupported) as caught:
        adapter.run("coll0", operation, arguments)
    assert caught.value.name == name


def test_options_of_an_open_method_reach_the_server(adapter: PyMongoLike) -> None:
    assert adapter.run("coll0", "drop", {"comment": "c"}) == Reply({"comment": "c"})


def test_a_session_is_passed_as_the_drivers_object(adapter: PyMongoLike) -> None:
    adapter.create(
        "session",
        "session0",
        {"client": "client0", "sessionOptions": {"causalConsistency": True}},
    )
    adapter.run("coll0", "insertOne", {"document": {}, "session": "session0"})
    assert _object(adapter, "coll0").sessions == [_object(adapter, "session0")]


def test_a_time_limit_surrounds_the_operation(adapter: PyMongoLike) -> None:
    adapter.run("coll0", "find", {"filter": {}, "timeoutMS": 250})
    assert fake.timeouts == [0.25]
    with pytest.raises(AdapterError, match="timeoutMS should be a number"):
        adapter.run("coll0", "find", {"filter": {}, "timeoutMS": "1"})


def test_a_saved_cursor_gives_its_documents_one_by_one(adapter: PyMongoLike) -> None:
    for number in range(2):
        adapter.run("coll0", "insertOne", {"document": {"_id": number}})
    assert adapter.run("coll0", "createFindCursor", {"filter": {}}, "cursor0") == Reply()
    once = adapter.run("cursor0", "iterateOnce", {})
    assert once == Reply({"_id": 0}), "what started the cursor is its first document"
    rest = "iterateUntilDocumentOrError"
    assert adapter.run("cursor0", rest, {}) == Reply({"_id": 1})
    assert adapter.run("cursor0", rest, {}) == Reply(None), "a dead cursor has an end"
    assert adapter.run("cursor0", "close", {}) == Reply(), "no error of a close is told"


def test_a_saved_name_must_be_free(adapter: PyMongoLike) -> None:
    with pytest.raises(AdapterError, match="already an entity 'db0'"):
        adapter.run("coll0", "createFindCursor", {"filter": {}}, "db0")


def test_questions_of_the_harness(adapter: PyMongoLike) -> None:
    adapter.create("session", "session0", {"client": "client0"})
    assert adapter.run("session0", "spec.lsid", {}) == Reply({"id": 1})
    client = fake.Client.made[0]
    client.publish("ConnectionPoolListener", "connection_checked_out", address=("a", 1))
    assert adapter.run("client0", "spec.connectionsCheckedOut", {}) == Reply(1)
    assert adapter.run("client0", "spec.topologyDescription", {}) == Reply(
        {"type": "Single", "servers": [{"address": "a:1", "type": "Standalone"}]}
    )
    with pytest.raises(Unsupported, match=r"operation\.session\.spec\.dirty"):
        adapter.run("session0", "spec.dirty", {})


def _in_transaction(adapter: PyMongoLike, body: Callable[[], ErrorReport | None]) -> Reply:
    if "session0" not in adapter._entities:
        adapter.create("session", "session0", {"client": "client0"})
    return adapter.run("session0", "withTransaction", {"callback": []}, callback=body)


def test_a_callback_runs_operations_and_is_retried_by_the_driver(adapter: PyMongoLike) -> None:
    adapter.run("coll0", "insertOne", {"document": {"_id": 1}})
    tried: list[int] = []

    def body() -> ErrorReport | None:
        tried.append(1)
        document: JsonObject = {"_id": 1 if len(tried) < 3 else 2}
        return adapter.run("coll0", "insertOne", {"document": document}).error

    assert _in_transaction(adapter, body) == Reply()
    assert len(tried) == 3


def test_a_callbacks_error_is_the_transactions(adapter: PyMongoLike) -> None:
    adapter.run("coll0", "insertOne", {"document": {"_id": 1}})

    def body() -> ErrorReport | None:
        return adapter.run("coll0", "insertOne", {"document": {"_id": 1}}).error

    error = _in_transaction(adapter, body).error
    assert error is not None
    assert error.code == 11000


def test_the_harness_own_error_comes_out_as_it_is(adapter: PyMongoLike) -> None:
    def body() -> ErrorReport | None:
        raise ValueError("a mismatch")

    with pytest.raises(ValueError, match="a mismatch"):
        _in_transaction(adapter, body)


def test_a_callback_must_return_the_report_it_got(adapter: PyMongoLike) -> None:
    adapter.run("coll0", "insertOne", {"document": {"_id": 1}})

    def body() -> ErrorReport | None:
        assert adapter.run("coll0", "insertOne", {"document": {"_id": 1}}).error is not None
        return ErrorReport("made up", "Error")

    with pytest.raises(AdapterError, match="error of its last operation"):
        _in_transaction(adapter, body)


def test_a_transaction_without_a_callback(adapter: PyMongoLike) -> None:
    adapter.create("session", "session0", {"client": "client0"})
    with pytest.raises(AdapterError, match="needs a callback"):
        adapter.run("session0", "withTransaction", {"callback": []})


def test_events_and_log_messages_reach_the_sink(adapter: PyMongoLike, events: Events) -> None:
    client = _client(
        adapter, {"observeEvents": ["poolReadyEvent"], "observeLogMessages": {"topology": "info"}}
    )
    client.publish("ConnectionPoolListener", "pool_ready", address=("a", 1))
    client.log("quiet")
    client.log("Waiting", logging.INFO)
    data = {"message": "Waiting", "topologyId": 1}
    assert events == [
        ("client1", "poolReadyEvent", {}),
        ("client1", "log", {"level": "info", "component": "topology", "data": data}),
    ]


def test_what_a_client_logs_while_it_is_made_is_not_lost(
    adapter: PyMongoLike, events: Events
) -> None:
    _client(adapter, {"observeLogMessages": {"topology": "debug"}})
    ((name, _, event),) = events
    assert name == "client1"
    assert cast(Any, event)["data"]["message"] == "Starting topology monitoring"


def test_ignored_commands_are_known_in_any_case(adapter: PyMongoLike, events: Events) -> None:
    client = _client(
        adapter,
        {
            "observeEvents": ["commandStartedEvent"],
            "ignoreCommandMonitoringEvents": ["killCursors"],
        },
    )
    fields = {"database_name": "db", "service_id": None, "server_connection_id": 1}
    for name in ("killCursors", "KillCursors", "find"):
        client.publish("CommandListener", "started", command_name=name, command={"x": 1}, **fields)
    assert [cast(Any, event)["commandName"] for _, _, event in events] == ["find"]


def test_a_lost_event_is_an_error_of_the_next_operation(adapter: PyMongoLike) -> None:
    client = _client(adapter, {"observeEvents": ["commandStartedEvent"]})
    fields = {"database_name": "db", "service_id": None, "server_connection_id": 1}
    with pytest.raises(TypeError):
        client.publish("CommandListener", "started", command_name="x", command={1}, **fields)
    with pytest.raises(AdapterError, match="an event or log message was lost"):
        adapter.run("coll0", "find", {"filter": {}})
    assert adapter.run("coll0", "find", {"filter": {}}) == Reply([])


def test_pools_are_awaited_and_their_events_left_out(
    adapter: PyMongoLike, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    def populate(client: fake.Client, uri: str, **options: Any) -> None:
        original(client, uri, **options)
        client.publish("ConnectionPoolListener", "connection_ready", **ready)

    ready = {"address": ("a", 1), "connection_id": 1}
    original = fake.Client.__init__
    monkeypatch.setattr(fake.Client, "__init__", populate)
    spec: JsonObject = {"observeEvents": ["connectionReadyEvent"], "awaitMinPoolSizeMS": 50}
    client = _client(adapter, {**spec, "uri": "mongodb://a/?minPoolSize=1"})
    assert events == []
    client.publish("ConnectionPoolListener", "connection_ready", **ready)
    assert len(events) == 1
    with pytest.raises(AdapterError, match=r"no 2 connections \(minPoolSize\) within 0\.05 s"):
        _client(adapter, {**spec, "uri": "mongodb://a/?minPoolSize=2"}, "client2")
    assert fake.Client.made[-1].closed == 1


def test_clients_watch_the_deployment_from_the_beginning(adapter: PyMongoLike) -> None:
    assert _client(adapter).watching


def test_reset_ends_everything_newest_first(
    adapter: PyMongoLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    adapter.create("session", "session0", {"client": "client0"})
    adapter.run("coll0", "createFindCursor", {"filter": {}})
    original = adapter._end

    def end(entity: Entity) -> None:
        ended.append(entity.kind)
        original(entity)

    monkeypatch.setattr(adapter, "_end", end)
    session = _object(adapter, "session0")
    adapter.reset()
    assert ended == ["cursor", "session", "collection", "database", "client"]
    assert fake.Client.made[0].closed == 1
    assert session.ended == 1
    with pytest.raises(AdapterError, match="no entity 'client0'"):
        adapter.run("client0", "close", {})


def test_what_clients_publish_as_a_case_ends_is_not_the_next_cases(
    adapter: PyMongoLike, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = _client(
        adapter,
        {
            "uri": "mongodb://observed",
            "observeEvents": ["topologyClosedEvent"],
            "observeLogMessages": {"topology": "debug"},
        },
    )

    def close() -> None:
        client.log("Stopped topology monitoring")
        client.publish("TopologyListener", "closed")

    monkeypatch.setattr(client, "close", close)
    close()
    assert [name for _, name, _ in events] == ["log", "log", "topologyClosedEvent"]
    adapter.reset()
    assert len(events) == 3


def test_closing_one_entity_forgets_it(adapter: PyMongoLike) -> None:
    client = _client(adapter)
    adapter.close("client1")
    assert client.closed == 1
    with pytest.raises(AdapterError, match="no entity 'client1'"):
        adapter.close("client1")


def test_nothing_keeps_the_drivers_objects_after_the_case(adapter: PyMongoLike) -> None:
    adapter.run("coll0", "insertOne", {"document": {"_id": 1}})
    assert adapter.run("coll0", "insertOne", {"document": {"_id": 1}}).error is not None
    client = weakref.ref(fake.Client.made.pop())
    collection = weakref.ref(_object(adapter, "coll0"))
    adapter.reset()
    gc.collect()
    assert client() is None
    assert collection() is None


def test_pure_functions_are_asked_by_format(adapter: PyMongoLike) -> None:
    assert adapter.logic("sdam", {"x": 1}) == {"asked": {"x": 1}}
    with pytest.raises(Unsupported, match=r"logic\.rtt"):
        adapter.logic("rtt", {})


def test_without_a_time_limit_of_its_own_the_driver_takes_none() -> None:
    from dataclasses import replace

    adapter = PyMongoLike(replace(fake.SYNC, timeout=None))
    adapter.open(lambda *_: None)
    adapter.create("client", "c", {"uri": "mongodb://a"})
    adapter.create("database", "d", {"client": "c", "databaseName": "x"})
    adapter.create("collection", "k", {"database": "d", "collectionName": "y"})
    assert "operation.collection.find.timeoutMS" not in adapter.info.capabilities
    with pytest.raises(Unsupported, match=r"operation\.collection\.find\.timeoutMS"):
        adapter.run("k", "find", {"filter": {}, "timeoutMS": 1})
