"""The Convenient API for Transactions: the prose tests of the spec, in its order."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver.errors import MongoError, NetworkTimeout
from driver.runtime.aio import AsyncioRuntime
from driver.runtime.blocking import BlockingRuntime
from runners.control import Control
from runners.deployments.base import Deployment
from runners.deployments.offer import connect
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, failure, in_turn, movable_clock, primary
from tests.engine.scripted import Answer
from tests.session.callbacks import calling

Wait = Callable[[Any], Awaitable[Any]]

TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
TOO_LONG = 121.0


class CustomError(Exception):
    """Not the driver's."""


@both_shells
def test_1_the_callbacks_own_error_is_raised(shell: str) -> None:
    calls = 0

    async def act(client: Any, wait: Wait) -> None:
        async def callback(session: Any) -> None:
            nonlocal calls
            calls += 1
            raise CustomError

        with pytest.raises(CustomError):
            await wait(client.start_session().with_transaction(calling(shell, callback)))

    with primary() as server:
        use(shell, server.uri, act, **QUICK)
    assert calls == 1


@both_shells
def test_2_the_callbacks_value_is_returned(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        async def callback(session: Any) -> str:
            return "Foo"

        result = client.start_session().with_transaction(calling(shell, callback))
        assert await wait(result) == "Foo"

    with primary() as server:
        use(shell, server.uri, act, **QUICK)


@both_shells
@pytest.mark.parametrize(
    ("insert", "commit", "label"),
    [
        (failure(112, TRANSIENT), {"ok": 1}, TRANSIENT),
        ({"ok": 1, "n": 1}, failure(91, UNKNOWN), UNKNOWN),
        ({"ok": 1, "n": 1}, failure(251, TRANSIENT), TRANSIENT),
    ],
    ids=["callback", "commit unknown", "commit transient"],
)
def test_3_there_is_a_time_limit(
    shell: str, insert: Answer, commit: Answer, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = movable_clock(monkeypatch)

    async def act(client: Any, wait: Wait) -> None:
        async def callback(session: Any) -> None:
            forward(TOO_LONG)
            await wait(client.t.c.insert_one({}, session=session))

        with pytest.raises(NetworkTimeout) as caught:
            await wait(client.start_session().with_transaction(calling(shell, callback)))
        cause = caught.value.__cause__
        assert isinstance(cause, MongoError)
        assert caught.value.labels == cause.labels == {label}

    with primary(in_turn(insert=[insert], commitTransaction=[commit])) as server:
        use(shell, server.uri, act, **QUICK)


def duration(shell: str, uri: str, control: Control) -> float:
    """Seconds that a transaction takes whose commit fails 13 times."""
    taken = 0.0

    async def act(client: Any, wait: Wait) -> None:
        nonlocal taken
        await wait(client.t.prose_4.insert_one({}))

        async def callback(session: Any) -> None:
            await wait(client.t.prose_4.insert_one({}, session=session))

        control.command(
            "admin",
            {
                "configureFailPoint": "failCommand",
                "mode": {"times": 13},
                "data": {"failCommands": ["commitTransaction"], "errorCode": 251},
            },
        )
        started = time.monotonic()
        await wait(client.start_session().with_transaction(calling(shell, callback)))
        taken = time.monotonic() - started

    use(shell, uri, act)
    return taken


@pytest.mark.live
@both_shells
def test_4_retries_wait_longer_and_longer(
    shell: str, replica_set: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = BlockingRuntime if shell == "sync" else AsyncioRuntime
    control = connect(replica_set.info.uri)
    try:
        durations = []
        for jitter in (0.0, 1.0):
            monkeypatch.setattr(runtime, "random", staticmethod(lambda jitter=jitter: jitter))
            # The shorter of two: what a busy machine adds is not asked for.
            durations.append(min(duration(shell, replica_set.info.uri, control) for _ in "12"))
    finally:
        control.close()
    at_once, patient = durations
    assert 1.8 < patient - at_once < 3.5, "2.3 s on an idle machine"
