"""Where the commands of a transaction go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.errors import (
    AutoReconnect,
)
from tests.engine.clients import both_shells, known, use
from tests.engine.members import (
    QUICK,
    batch,
    in_turn,
    names,
    primary,
    quick_monitors,
    sent,
)
from tests.engine.scripted import CLOSE, Answer, ScriptedServer
from tests.session.transactions import TRANSIENT, begun, fields, going_on, mongos

Wait = Callable[[Any], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


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
