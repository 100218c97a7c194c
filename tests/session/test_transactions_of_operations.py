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
    OperationFailure,
    WriteConcernError,
)
from tests.engine.clients import both_shells, known, use
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
from tests.engine.scripted import CLOSE, Answer, ScriptedServer, hello_reply
from tests.session.callbacks import calling

Wait = Callable[[Any], Awaitable[Any]]

TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
OVERLOADED = ("SystemOverloadedError", "RetryableError")


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def fields(command: dict[str, Any]) -> dict[str, Any]:
    """What a command says of its transaction."""
    known = ("txnNumber", "autocommit", "startTransaction", "readConcern", "writeConcern")
    return {name: command[name] for name in known if name in command}


def begun(number: int = 1) -> dict[str, Any]:
    return {"txnNumber": number, "autocommit": False, "startTransaction": True}


def going_on(number: int = 1) -> dict[str, Any]:
    return {"txnNumber": number, "autocommit": False}


def mongos(script: Any = lambda _: {"ok": 1, "n": 1}) -> ScriptedServer:
    """One mongos of a sharded cluster, not yet entered."""
    said = hello_reply(msg="isdbgrid", logicalSessionTimeoutMinutes=30)
    return ScriptedServer(script=script, hello=lambda _: said)


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


# Where they go.


def uri_of(*servers: ScriptedServer) -> str:
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"mongodb://{hosts}/?localThresholdMS=10000"


def token(command: dict[str, Any]) -> Answer:
    """What mongos answers; each of its answers has another token."""
    return {"ok": 1, "n": 1, "recoveryToken": {"recoveryShardId": next(iter(command))}}


@both_shells
def test_all_commands_of_a_transaction_go_to_one_mongos(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await known(client, 2)
        session = client.start_session()
        for _ in range(20):
            await wait(session.start_transaction())
            await wait(client.t.c.insert_one({}, session=session))
            await wait(client.t.c.update_one({}, {"$set": {"a": 1}}, session=session))
            await wait(session.commit_transaction())

    with mongos(token) as one, mongos(token) as other:
        use(shell, uri_of(one, other), act, **QUICK)
    assert names(one)[:3] == names(other)[:3] == ["insert", "update", "commitTransaction"]
    for server in (one, other):
        assert names(server) == ["insert", "update", "commitTransaction"] * (len(sent(server)) // 3)
        commits = sent(server, "commitTransaction")
        assert {c["recoveryToken"]["recoveryShardId"] for c in commits} == {"update"}


@both_shells
def test_a_commit_goes_elsewhere_when_its_mongos_is_gone(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await known(client, 2)
        session = client.start_session()
        for _ in range(20):
            await wait(session.start_transaction())
            await wait(client.t.c.insert_one({}, session=session))
            await wait(session.commit_transaction())

    def lame(command: dict[str, Any]) -> Answer:
        return CLOSE if "commitTransaction" in command else token(command)

    with mongos(lame) as one, mongos(token) as other:
        use(shell, uri_of(one, other), act, **QUICK)
    failed = sent(one, "commitTransaction")
    assert failed
    begun_there = {command["txnNumber"] for command in sent(other, "insert")}
    recovered = [c for c in sent(other, "commitTransaction") if c["txnNumber"] not in begun_there]
    assert [c["txnNumber"] for c in recovered] == [c["txnNumber"] for c in failed]
    assert {c["recoveryToken"]["recoveryShardId"] for c in recovered} == {"insert"}


@both_shells
def test_after_a_transient_error_nobody_waits_for_the_mongos_that_is_gone(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await known(client, 2)
        session = client.start_session()
        await wait(session.start_transaction())
        await wait(client.t.c.insert_one({}, session=session))
        with pytest.raises(AutoReconnect) as caught:
            await wait(client.t.c.update_one({}, {"$set": {"a": 1}}, session=session))
        assert caught.value.has_error_label(TRANSIENT)
        await wait(session.abort_transaction())

    script = in_turn(update=[CLOSE])
    with mongos(script) as one, mongos(script) as other:
        use(shell, uri_of(one, other), act, **QUICK)
    (pinned,) = (server for server in (one, other) if "insert" in names(server))
    assert names(pinned)[:2] == ["insert", "update"]
    assert sorted(names(one) + names(other)) == ["abortTransaction", "insert", "update"]


@both_shells
def test_members_of_a_replica_set_are_not_pinned(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(session.start_transaction())
        cursor = client.t.c.find({}, batch_size=1, session=session)
        assert await wait(cursor.to_list()) == [{"_id": 1}, {"_id": 2}]
        assert getattr(session, "_core_object", session).pin.address is None
        await wait(session.commit_transaction())

    with primary(in_turn(find=[batch(7, 1, first=True)], getMore=[batch(0, 2)])) as server:
        use(shell, server.uri, act, **QUICK)
    assert [fields(command) for command in sent(server)] == [begun(), going_on(), going_on()]


# with_transaction.


@both_shells
def test_with_transaction_commits_what_the_callback_did(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        async def insert(session: Any) -> str:
            assert session.client is client
            await wait(client.t.c.insert_one({}, session=session))
            return "done"

        session = client.start_session()
        result = session.with_transaction(
            calling(shell, insert), write_concern=WriteConcern(3), max_commit_time_ms=8
        )
        assert await wait(result) == "done"

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    insert, commit = sent(server)
    assert fields(insert) == begun()
    assert (commit["writeConcern"], commit["maxTimeMS"]) == ({"w": 3}, 8)


@both_shells
def test_with_transaction_runs_again_what_failed_for_a_passing_reason(shell: str) -> None:
    calls = 0

    async def act(client: Any, wait: Wait) -> None:
        async def insert(session: Any) -> None:
            nonlocal calls
            calls += 1
            await wait(client.t.c.insert_one({"n": calls}, session=session))

        await wait(client.start_session().with_transaction(calling(shell, insert)))

    script = in_turn(
        insert=[failure(112, TRANSIENT), {"ok": 1, "n": 1}],
        commitTransaction=[failure(251, TRANSIENT), failure(91, UNKNOWN)],
    )
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK)
    assert calls == 3
    assert names(server) == [
        *("insert", "abortTransaction"),
        *("insert", "commitTransaction"),
        *("insert", "commitTransaction", "commitTransaction"),
    ]
    assert [c["txnNumber"] for c in sent(server, "insert")] == [1, 2, 3]
    last = sent(server, "commitTransaction")[-1]
    assert last["writeConcern"] == {"w": "majority", "wtimeout": 10000}


@both_shells
@pytest.mark.parametrize(
    ("insert", "commit"),
    [
        (failure(11000), {"ok": 1}),
        ({"ok": 1, "n": 1}, failure(8)),
        ({"ok": 1, "n": 1}, failure(50)),
    ],
    ids=["callback", "commit", "commit took too long"],
)
def test_with_transaction_raises_what_trying_again_would_not_help(
    shell: str, insert: Answer, commit: Answer
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        async def body(session: Any) -> None:
            await wait(client.t.c.insert_one({}, session=session))

        session = client.start_session()
        with pytest.raises(OperationFailure):
            await wait(session.with_transaction(calling(shell, body)))
        assert not session.in_transaction

    with primary(in_turn(insert=[insert], commitTransaction=[commit])) as server:
        use(shell, server.uri, act, **QUICK)
    ended = "abortTransaction" if insert == failure(11000) else "commitTransaction"
    assert names(server) == ["insert", ended]


@both_shells
def test_with_transaction_leaves_alone_what_the_callback_ended(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        async def body(session: Any) -> str:
            await wait(client.t.c.insert_one({}, session=session))
            await wait(session.abort_transaction())
            return "gave up"

        result = client.start_session().with_transaction(calling(shell, body))
        assert await wait(result) == "gave up"

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["insert", "abortTransaction"]


@both_shells
def test_with_transaction_aborts_when_it_is_interrupted(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        async def body(session: Any) -> None:
            await wait(client.t.c.insert_one({}, session=session))
            raise KeyboardInterrupt

        session = client.start_session()
        with pytest.raises(KeyboardInterrupt):
            await wait(session.with_transaction(calling(shell, body)))
        assert not session.in_transaction

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert names(server) == ["insert", "abortTransaction"]
