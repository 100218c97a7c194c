"""Which session each command carries, and what becomes of it afterwards."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import DeleteOne, InsertOne, WriteConcern
from driver.engine import core
from driver.errors import AutoReconnect, InvalidOperation, OperationFailure
from driver.operations.sessions import EndSessions
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    batch,
    failure,
    in_turn,
    movable_clock,
    names,
    primary,
    quick_monitors,
    sent,
    together,
)
from tests.engine.scripted import CLOSE, SILENCE, Answer, ScriptedServer
from tests.session.operations import anything

Wait = Callable[[Any], Awaitable[Any]]

OPERATIONS: dict[str, Callable[[Any], Any]] = {
    "find": lambda client: client.t.c.find_one({}),
    "insert": lambda client: client.t.c.insert_one({}),
    "insert many": lambda client: client.t.c.insert_many([{}, {}]),
    "update": lambda client: client.t.c.update_many({}, {"$set": {"a": 1}}),
    "delete": lambda client: client.t.c.delete_one({}),
    "bulk": lambda client: client.t.c.bulk_write([InsertOne({}), DeleteOne({})]),
    "findAndModify": lambda client: client.t.c.find_one_and_delete({}),
    "aggregate": lambda client: client.t.c.aggregate([]),
    "aggregate of a database": lambda client: client.t.aggregate([]),
    "count_documents": lambda client: client.t.c.count_documents({}),
    "estimated_document_count": lambda client: client.t.c.estimated_document_count(),
    "distinct": lambda client: client.t.c.distinct("a"),
    "create": lambda client: client.t.create_collection("c"),
    "drop": lambda client: client.t.c.drop(),
    "dropDatabase": lambda client: client.drop_database("t"),
    "createIndexes": lambda client: client.t.c.create_index("a"),
    "dropIndexes": lambda client: client.t.c.drop_index("a_1"),
    "listIndexes": lambda client: client.t.c.list_indexes(),
    "listCollections": lambda client: client.t.list_collection_names(),
    "listDatabases": lambda client: client.list_database_names(),
    "command": lambda client: client.admin.command("ping"),
}
operations = pytest.mark.parametrize("operation", OPERATIONS)


def sessions(server: ScriptedServer, *of: str) -> list[Any]:
    """The lsid of each command, as numbers from 0 in the order of their first use."""
    ids = [bytes(c["lsid"]["id"]) if "lsid" in c else None for c in sent(server, *of)]
    known = list(dict.fromkeys(filter(None, ids)))
    return [None if each is None else known.index(each) for each in ids]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


# Implicit sessions.


@both_shells
@operations
def test_an_operation_borrows_a_session_and_gives_it_back(shell: str, operation: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(OPERATIONS[operation](client))
        await wait(OPERATIONS[operation](client))
        await wait(client.admin.command("ping"))

    with primary(anything) as server:
        use(shell, server.uri, act, **QUICK)
    assert len(sent(server)) >= 3
    assert set(sessions(server)) == {0}


@both_shells
@operations
def test_servers_without_sessions_are_sent_none(shell: str, operation: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(OPERATIONS[operation](client))

    with ScriptedServer(anything) as server:
        use(shell, server.uri, act, **QUICK)
        assert set(sessions(server)) == {None}
        assert "endSessions" not in [next(iter(command)) for command in server.seen]


@both_shells
def test_a_session_is_given_back_when_the_operation_fails(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        for _ in range(2):
            with pytest.raises(OperationFailure):
                await wait(client.t.c.insert_one({}))

    with primary(in_turn(insert=[failure(8), failure(8)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert sessions(server) == [0, 0]


@both_shells
def test_an_unacknowledged_write_has_no_session(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        loose = client.t.c.with_options(write_concern=WriteConcern(w=0))
        await wait(loose.insert_one({}))
        await wait(loose.update_many({}, {"$set": {"a": 1}}))
        await wait(client.admin.command("ping"))

    def silent(command: dict[str, Any]) -> Answer:
        return SILENCE if "writeConcern" in command else {"ok": 1}

    with primary(silent) as server:
        use(shell, server.uri, act, **QUICK)
    assert sessions(server) == [None, None, 0]


@both_shells
def test_operations_at_the_same_time_have_sessions_of_their_own(shell: str) -> None:
    everyone = threading.Barrier(3, timeout=5)

    def script(command: dict[str, Any]) -> Answer:
        if "ping" in command:
            everyone.wait()
        return {"ok": 1}

    async def act(client: Any, wait: Wait) -> None:
        await together(shell, *[lambda: client.admin.command("ping")] * 3)

    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)
    assert sorted(sessions(server)) == [0, 1, 2]


@both_shells
def test_each_use_makes_a_session_live_longer(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pass_time = movable_clock(monkeypatch)

    async def act(client: Any, wait: Wait) -> None:
        for minutes in (0, 20, 20, 30):
            pass_time(minutes * 60)
            await wait(client.admin.command("ping"))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert sessions(server) == [0, 0, 0, 1]


# Sessions of cursors.


@both_shells
def test_a_cursor_keeps_its_session_until_its_last_batch(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        found = client.t.c.find({})
        assert (await wait(found.next()))["_id"] == 1
        await wait(client.admin.command("ping"))
        assert [each["_id"] for each in await wait(found.to_list())] == [2, 3]
        await wait(client.admin.command("ping"))
        await wait(client.admin.command("ping"))

    script = in_turn(find=[batch(42, 1, first=True)], getMore=[batch(42, 2), batch(0, 3)], ping=[])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["find", "ping", "getMore", "getMore", "ping", "ping"]
    assert sessions(server) == [0, 1, 0, 0, 0, 0]


@both_shells
def test_a_cursor_of_one_batch_gives_its_session_back_at_once(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        found = client.t.c.find({})
        await wait(found.next())
        await wait(client.admin.command("ping"))

    with primary(in_turn(find=[batch(0, 1, 2, first=True)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert sessions(server) == [0, 0]


@both_shells
@pytest.mark.parametrize("source", ["find", "aggregate"])
def test_a_closed_cursor_gives_its_session_back(shell: str, source: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        if source == "find":
            found = client.t.c.find({})
        else:
            found = await wait(client.t.c.aggregate([]))
        await wait(found.next())
        await wait(client.admin.command("ping"))
        await wait(found.close())
        await wait(client.admin.command("ping"))

    with primary(in_turn(**{source: [batch(42, 1, first=True)]})) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == [source, "ping", "killCursors", "ping"]
    assert sessions(server) == [0, 1, 0, 0]


@both_shells
@pytest.mark.parametrize("error", [failure(8), failure(43)])
def test_a_cursor_that_fails_gives_its_session_back(shell: str, error: Answer) -> None:
    async def act(client: Any, wait: Wait) -> None:
        found = client.t.c.find({})
        await wait(found.next())
        with pytest.raises(OperationFailure):
            await wait(found.next())
        await wait(client.admin.command("ping"))

    with primary(in_turn(find=[batch(42, 1, first=True)], getMore=[error])) as server:
        use(shell, server.uri, act, **QUICK)
    assert set(sessions(server)) == {0}


# Network errors.


@both_shells
def test_the_retry_keeps_the_session_which_is_then_never_used_again(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.t.c.insert_one({}))
        await wait(client.t.c.insert_one({}))

    with primary(in_turn(insert=[CLOSE])) as server:
        use(shell, server.uri, act, **QUICK)
        assert sessions(server) == [0, 0, 1]
        numbers = [command["txnNumber"] for command in sent(server)]
        ended = [command for command in server.seen if "endSessions" in command]
    assert numbers == [1, 1, 1]
    assert [len(command["endSessions"]) for command in ended] == [1]


# Explicit sessions.


@both_shells
def test_an_explicit_session_is_carried_by_its_operations_only(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))
        session = client.start_session()
        await wait(client.t.c.insert_one({}, session=session))
        await wait(client.admin.command("ping"))
        await wait(client.t.c.insert_one({}, session=session))
        assert session.session_id == sent(server)[1]["lsid"]
        await wait(session.end_session())
        await wait(client.admin.command("ping"))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    # The session used before takes the id that was idle, and ended, is the first to be used.
    assert sessions(server) == [0, 0, 1, 0, 0]
    assert [command.get("txnNumber") for command in sent(server, "insert")] == [1, 2]


@both_shells
def test_an_ended_session_is_refused(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.end_session())
        await wait(session.end_session())
        assert session.has_ended
        with pytest.raises(InvalidOperation, match="has ended"):
            await wait(client.admin.command("ping", session=session))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
        assert server.seen == []


@both_shells
def test_the_session_of_another_client_is_refused(shell: str) -> None:
    with primary() as server, primary() as other:

        async def act(client: Any, wait: Wait) -> None:
            session = client.start_session()
            another = type(client)(other.uri, **QUICK)
            with pytest.raises(InvalidOperation, match="another client"):
                await wait(another.admin.command("ping", session=session))
            await wait(another.close())
            await wait(session.end_session())

        use(shell, server.uri, act, **QUICK)
        assert server.seen == []
        assert other.seen == []


@both_shells
def test_servers_without_sessions_refuse_explicit_ones(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        with pytest.raises(InvalidOperation, match="not supported by this deployment"):
            await wait(client.admin.command("ping", session=session))
        await wait(session.end_session())

    with ScriptedServer() as server:
        use(shell, server.uri, act, **QUICK)
        assert server.seen == []


@both_shells
def test_an_unacknowledged_write_refuses_a_session(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        loose = client.t.c.with_options(write_concern=WriteConcern(w=0))
        with pytest.raises(InvalidOperation, match="unacknowledged"):
            await wait(loose.insert_one({}, session=session))
        await wait(session.end_session())

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
        assert server.seen == []


# The end of a client.


@both_shells
def test_closing_ends_all_idle_sessions(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(client: Any, wait: Wait) -> None:
        explicit = [client.start_session() for _ in range(5)]
        for session in explicit:
            await wait(client.admin.command("ping", session=session))
        for session in explicit:
            await wait(session.end_session())

    monkeypatch.setattr(core, "_END_SESSIONS_BATCH", 2)
    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    used = [command["lsid"] for command in sent(server)]
    ended = [command["endSessions"] for command in server.seen if "endSessions" in command]
    assert [len(ids) for ids in ended] == [2, 2, 1]
    assert sorted(bytes(i["id"]) for ids in ended for i in ids) == sorted(
        bytes(i["id"]) for i in used
    )


@both_shells
@pytest.mark.parametrize(
    "answer", [failure(8), CLOSE, SILENCE], ids=["error", "closed", "no answer"]
)
def test_closing_goes_on_when_sessions_cannot_be_ended(
    shell: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EndSessions, "time_limit", 0.2)

    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command("ping"))

    with primary(in_turn(endSessions=[answer])) as server:
        use(shell, server.uri, act, **QUICK)
    assert [next(iter(command)) for command in server.seen] == ["ping", "endSessions"]


def test_a_network_error_on_an_operation_that_is_not_retried() -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(AutoReconnect):
            await wait(client.t.c.update_many({}, {"$set": {"a": 1}}))
        await wait(client.admin.command("ping"))

    with primary(in_turn(update=[CLOSE])) as server:
        use("sync", server.uri, act, **QUICK)
    assert sessions(server) == [0, 1]
