"""What commands carry in a transaction, where they go, and what their errors do to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import (
    InsertOne,
    ReadConcern,
    ReadPreference,
    TransactionOptions,
    WriteConcern,
)
from driver.bson import Timestamp
from driver.errors import (
    AutoReconnect,
    ConfigurationError,
    DocumentTooLarge,
    InvalidOperation,
    MongoError,
    WriteConcernError,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    batch,
    failure,
    in_turn,
    names,
    primary,
    quick_monitors,
    sent,
)
from tests.engine.scripted import CLOSE, Answer
from tests.session.transactions import OVERLOADED, TRANSIENT, UNKNOWN, begun, fields, going_on

Wait = Callable[[Any], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


# What commands carry.


@both_shells
def test_the_first_command_starts_the_transaction(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        assert not session.in_transaction
        await wait(session.start_transaction())
        assert session.in_transaction
        await wait(client.t.c.insert_one({}, session=session))
        await wait(client.t.c.update_one({}, {"$set": {"a": 1}}, session=session))
        await wait(client.t.command("ping", session=session))
        await wait(client.t.c.insert_one({}))
        await wait(session.commit_transaction())
        assert not session.in_transaction
        await wait(client.t.c.insert_one({}, session=session))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    insert, update, ping, alone, commit, next_insert = sent(server)
    assert fields(insert) == begun()
    assert fields(update) == fields(ping) == fields(commit) == going_on()
    assert (commit["commitTransaction"], commit["$db"]) == (1, "admin")
    assert insert["lsid"] == update["lsid"] == commit["lsid"] == next_insert["lsid"]
    assert alone["lsid"] != insert["lsid"]
    assert "autocommit" not in alone
    assert fields(next_insert) == {"txnNumber": 2}


@both_shells
def test_the_transactions_own_concerns_count(shell: str) -> None:
    options = {
        "read_concern": ReadConcern("snapshot"),
        "write_concern": WriteConcern("majority", wtimeout=7),
        "max_commit_time_ms": 30,
    }

    async def act(client: Any, wait: Wait) -> None:
        loose = client.t.get_collection(
            "c", write_concern=WriteConcern(0), read_concern=ReadConcern("local")
        )
        session = client.start_session()
        await wait(session.start_transaction(**options))
        result = await wait(loose.insert_one({}, session=session))
        assert result.acknowledged
        await wait(loose.find_one({}, session=session))
        await wait(session.commit_transaction())
        await wait(session.start_transaction())
        await wait(loose.insert_one({}, session=session))
        await wait(session.abort_transaction())

    with primary(in_turn(find=[batch(0, first=True)])) as server:
        use(shell, server.uri, act, w=2, readConcernLevel="majority", **QUICK)
    insert, find, commit, second, abort = map(fields, sent(server))
    assert insert == {**begun(), "readConcern": {"level": "snapshot"}}
    assert find == going_on()
    assert commit == {**going_on(), "writeConcern": {"w": "majority", "wtimeout": 7}}
    assert sent(server, "commitTransaction")[0]["maxTimeMS"] == 30
    assert second == {**begun(2), "readConcern": {"level": "majority"}}
    assert abort == {**going_on(2), "writeConcern": {"w": 2}}
    assert "maxTimeMS" not in sent(server, "abortTransaction")[0]


@both_shells
def test_the_sessions_defaults_stand_between(shell: str) -> None:
    defaults = TransactionOptions(ReadConcern("local"), WriteConcern(3), max_commit_time_ms=9)

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session(default_transaction_options=defaults)
        assert session.options.default_transaction_options == defaults
        await wait(session.start_transaction(write_concern=WriteConcern(4)))
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.commit_transaction())

    with primary() as server:
        use(shell, server.uri, act, w=2, **QUICK)
    insert, commit = sent(server)
    assert insert["readConcern"] == {"level": "local"}
    assert (commit["writeConcern"], commit["maxTimeMS"]) == ({"w": 4}, 9)


@both_shells
def test_the_first_command_sees_what_the_session_has_seen(shell: str) -> None:
    time = Timestamp(5, 6)

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.start_transaction())
        await wait(client.t.command("ping", session=session))
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.abort_transaction())

    with primary(lambda _: {"ok": 1, "n": 1, "operationTime": time}) as server:
        use(shell, server.uri, act, **QUICK)
    concerns = [command.get("readConcern") for command in sent(server)]
    assert concerns == [None, {"afterClusterTime": time}, None, None]


@both_shells
def test_an_unacknowledged_write_concern_is_refused(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        with pytest.raises(ConfigurationError, match="unacknowledged"):
            await wait(session.start_transaction())
        assert not session.in_transaction
        await wait(session.start_transaction(write_concern=WriteConcern(1)))
        assert session.in_transaction

    with primary() as server:
        use(shell, server.uri, act, w=0, **QUICK)


@both_shells
def test_reads_go_to_the_primary_only(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        nearest = client.t.get_collection("c", read_preference=ReadPreference.NEAREST)
        await wait(session.start_transaction(read_preference=ReadPreference.SECONDARY))
        await wait(nearest.insert_one({}, session=session))
        with pytest.raises(InvalidOperation, match="must be primary"):
            await wait(nearest.find_one({}, session=session))
        with pytest.raises(InvalidOperation, match="must be primary"):
            await wait(client.t.command("ping", session=session))
        assert session.in_transaction
        primary = {"read_preference": ReadPreference.PRIMARY}
        await wait(client.t.command("ping", session=session, **primary))
        await wait(session.abort_transaction())
        await wait(session.start_transaction(read_preference=ReadPreference.PRIMARY))
        await wait(nearest.find_one({}, session=session))
        with pytest.raises(InvalidOperation, match="must be primary"):
            await wait(
                client.t.command("ping", session=session, read_preference=ReadPreference.NEAREST)
            )

    with primary(in_turn(find=[batch(0, first=True)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["insert", "ping", "abortTransaction", "find"]
    assert all("$readPreference" not in command for command in sent(server))


@both_shells
def test_a_client_bulk_write_takes_no_write_concern_of_its_own(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        models = [InsertOne({}, namespace="t.c")]
        await wait(session.start_transaction())
        with pytest.raises(InvalidOperation, match="Cannot set write concern"):
            await wait(client.bulk_write(models, session=session, write_concern=WriteConcern(1)))
        await wait(client.bulk_write(models, session=session))

    results = {"id": 0, "ns": "admin.$cmd.bulkWrite", "firstBatch": []}
    script = in_turn(bulkWrite=[{"ok": 1, "nInserted": 1, "cursor": results}])
    with primary(script, maxWireVersion=25) as server:
        use(shell, server.uri, act, w=2, **QUICK)
    assert fields(sent(server, "bulkWrite")[0]) == begun()


# What is sent, and when.


@both_shells
@pytest.mark.parametrize("end", ["commit_transaction", "abort_transaction"])
def test_the_end_of_a_transaction_without_commands_sends_nothing(shell: str, end: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(getattr(session, end)())
        assert not session.in_transaction

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == []


@both_shells
def test_what_the_driver_itself_refuses_does_not_start_the_transaction(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        with pytest.raises(DocumentTooLarge):
            await wait(client.t.c.insert_one({"a": b"x" * 2000}, session=session))
        await wait(client.t.c.insert_one({}, session=session))
        with pytest.raises(DocumentTooLarge):
            await wait(client.t.c.insert_one({"a": b"x" * 2000}, session=session))
        await wait(client.t.c.insert_one({}, session=session))

    with primary(maxBsonObjectSize=1000, maxMessageSizeBytes=48_000) as server:
        use(shell, server.uri, act, **QUICK)
    assert [fields(c) for c in sent(server, "insert")] == [begun(), going_on()]


@both_shells
@pytest.mark.parametrize("broken", [failure(112, TRANSIENT), failure(11000), CLOSE], ids=str)
def test_a_command_that_fails_is_not_sent_again_and_has_started_it(
    shell: str, broken: Answer
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        with pytest.raises(MongoError) as caught:
            await wait(client.t.c.insert_one({}, session=session))
        assert caught.value.has_error_label(TRANSIENT) == (broken != failure(11000))
        assert not caught.value.has_error_label("RetryableWriteError")
        assert session.in_transaction
        await wait(session.abort_transaction())

    with primary(in_turn(insert=[broken])) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["insert", "abortTransaction"]


@both_shells
def test_a_read_is_not_sent_again_either(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        with pytest.raises(AutoReconnect):
            await wait(client.t.c.find_one({}, session=session))

    with primary(in_turn(find=[CLOSE])) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["find"]


@both_shells
def test_an_overloaded_first_command_starts_it_again(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driver.engine.retry.BASE_BACKOFF", 0.001)

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.c.insert_one({}, session=session))
        await wait(client.t.c.insert_one({}, session=session))

    busy = failure(462, *OVERLOADED)
    with primary(in_turn(insert=[busy, {"ok": 1, "n": 1}, busy])) as server:
        use(shell, server.uri, act, **QUICK)
    inserts = [fields(command) for command in sent(server, "insert")]
    assert inserts == [begun(), begun(), going_on(), going_on()]


@both_shells
def test_a_collection_is_created_without_looking_for_it_first(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.create_collection("c", session=session))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["create"]


# Commits and aborts.


@both_shells
@pytest.mark.parametrize("retry_writes", [True, False])
@pytest.mark.parametrize("broken", [CLOSE, failure(91, "RetryableWriteError")], ids=str)
def test_a_commit_is_sent_again_with_a_majority(
    shell: str, broken: Answer, retry_writes: bool
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.commit_transaction())

    with primary(in_turn(commitTransaction=[broken])) as server:
        use(shell, server.uri, act, retryWrites=retry_writes, w=2, **QUICK)
    first, again = sent(server, "commitTransaction")
    assert first["writeConcern"] == {"w": 2}
    assert again["writeConcern"] == {"w": "majority", "wtimeout": 10000}
    assert first["txnNumber"] == again["txnNumber"] == 1


@both_shells
def test_a_commit_may_be_asked_for_again(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction(write_concern=WriteConcern(1, wtimeout=5)))
        await wait(client.t.c.insert_one({}, session=session))
        with pytest.raises(WriteConcernError) as caught:
            await wait(session.commit_transaction())
        assert caught.value.has_error_label(UNKNOWN)
        await wait(session.commit_transaction())
        with pytest.raises(InvalidOperation, match="after calling commitTransaction"):
            await wait(session.abort_transaction())

    late = {"code": 64, "errmsg": "late"}
    with primary(in_turn(commitTransaction=[{"ok": 1, "writeConcernError": late}])) as server:
        use(shell, server.uri, act, **QUICK)
    first, again = sent(server, "commitTransaction")
    assert first["writeConcern"] == {"w": 1, "wtimeout": 5}
    assert again["writeConcern"] == {"w": "majority", "wtimeout": 5}


@both_shells
def test_an_overloaded_commit_keeps_its_write_concern(
    shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driver.engine.retry.BASE_BACKOFF", 0.001)

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.commit_transaction())

    with primary(in_turn(commitTransaction=[failure(462, *OVERLOADED)])) as server:
        use(shell, server.uri, act, w=2, retryWrites=False, **QUICK)
    assert [c["writeConcern"] for c in sent(server, "commitTransaction")] == [{"w": 2}] * 2


@both_shells
def test_an_error_of_a_commit_says_whether_it_may_have_happened(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        for unknown in (True, False):
            await wait(session.start_transaction())
            await wait(client.t.c.insert_one({}, session=session))
            with pytest.raises(MongoError) as caught:
                await wait(session.commit_transaction())
            assert caught.value.has_error_label(UNKNOWN) == unknown
            assert caught.value.has_error_label(TRANSIENT) != unknown

    gone = failure(251, TRANSIENT)
    with primary(in_turn(commitTransaction=[CLOSE, CLOSE, gone])) as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
@pytest.mark.parametrize("broken", [CLOSE, failure(91, "RetryableWriteError")], ids=str)
def test_an_abort_is_sent_again_and_its_errors_do_not_matter(shell: str, broken: Answer) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.c.insert_one({}, session=session))
        await wait(session.abort_transaction())
        with pytest.raises(InvalidOperation, match="abortTransaction twice"):
            await wait(session.abort_transaction())

    with primary(in_turn(abortTransaction=[broken, failure(8)])) as server:
        use(shell, server.uri, act, retryWrites=False, **QUICK)
    assert names(server) == ["insert", "abortTransaction", "abortTransaction"]


@both_shells
def test_ending_a_session_aborts_its_transaction(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        for _ in range(2):
            session = client.start_session()
            await wait(session.start_transaction())
            await wait(client.t.c.insert_one({}, session=session))
            await wait(session.end_session())
            with pytest.raises(InvalidOperation, match="has ended"):
                await wait(session.commit_transaction())

    with primary(in_turn(abortTransaction=[failure(8)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["insert", "abortTransaction"] * 2
    assert [c["txnNumber"] for c in sent(server, "insert")] == [1, 2]  # the same server session


async def _in_block(shell: str, session: Any, body: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function in a transaction's `with` block of the shell."""
    if shell == "sync":
        with session.start_transaction():
            await body()
    else:
        async with await session.start_transaction():
            await body()


@both_shells
def test_a_block_commits_or_aborts(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()

        async def insert() -> None:
            await wait(client.t.c.insert_one({}, session=session))

        async def fail() -> None:
            await insert()
            raise ZeroDivisionError

        async def end() -> None:
            await insert()
            await wait(session.abort_transaction())

        await _in_block(shell, session, insert)
        with pytest.raises(ZeroDivisionError):
            await _in_block(shell, session, fail)
        await _in_block(shell, session, end)

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    ends = [name for name in names(server) if name != "insert"]
    assert ends == ["commitTransaction", "abortTransaction", "abortTransaction"]
