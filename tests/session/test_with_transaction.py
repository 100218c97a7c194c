"""with_transaction: what it commits, runs again, raises and leaves alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import (
    WriteConcern,
)
from driver.errors import (
    OperationFailure,
)
from tests.engine.clients import both_shells, use
from tests.engine.members import (
    QUICK,
    failure,
    in_turn,
    names,
    primary,
    quick_monitors,
    sent,
)
from tests.engine.scripted import Answer
from tests.session.callbacks import calling
from tests.session.transactions import TRANSIENT, UNKNOWN, begun, fields

Wait = Callable[[Any], Awaitable[Any]]


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


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
