"""Cluster time: the greatest one is kept, sent with every command, and never made up."""

from __future__ import annotations

from typing import Any

import pytest

from driver import ReadConcern
from driver.bson import Timestamp
from driver.session.gossip import later
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, primary, sent
from tests.engine.scripted import Answer, ScriptedServer, hello_reply


def at(seconds: int, increment: int = 1, key: int = 0) -> dict[str, Any]:
    """A cluster time; `key` tells apart signatures."""
    signature = {"hash": b"\0" * 20, "keyId": key}
    return {"clusterTime": Timestamp(seconds, increment), "signature": signature}


@pytest.mark.parametrize(
    ("one", "other", "wins"),
    [
        (None, None, None),
        (at(5), None, at(5)),
        (None, at(5), at(5)),
        (at(5), at(6), at(6)),
        (at(6), at(5), at(6)),
        (at(5, 2), at(5, 1), at(5, 2)),
        (at(5, 9), at(6, 1), at(6, 1)),
        (at(5, key=1), at(5, key=2), at(5, key=1)),
    ],
)
def test_the_later_of_two(one: Any, other: Any, wins: Any) -> None:
    assert later(one, other) == wins


def times(server: ScriptedServer) -> list[Any]:
    """The cluster time of each ping that came."""
    return [command.get("$clusterTime") for command in sent(server, "ping")]


def telling(*said: Any) -> Any:
    """Answers pings with these cluster times, or errors that have them."""
    left = list(said)

    def script(command: dict[str, Any]) -> Answer:
        if next(iter(command)) != "ping":
            return {"ok": 1}
        time = left.pop(0) if left else None
        ok = {"ok": 1} if time is None or time["signature"]["keyId"] != 13 else {"ok": 0, "code": 8}
        return {**ok, "$clusterTime": time} if time is not None else ok

    return script


async def pings(client: Any, wait: Any, count: int = 3, **options: Any) -> None:
    for _ in range(count):
        await wait(client.admin.command("ping", **options))


@both_shells
def test_a_server_that_tells_no_cluster_time_is_sent_none(shell: str) -> None:
    with primary() as server:
        use(shell, server.uri, pings, **QUICK)
    assert times(server) == [None, None, None]


@both_shells
def test_the_greatest_cluster_time_is_sent_as_it_came(shell: str) -> None:
    with primary(telling(at(5, key=7), at(9, key=8), at(7, key=9))) as server:

        async def act(client: Any, wait: Any) -> None:
            await pings(client, wait, 4)

        use(shell, server.uri, act, **QUICK)
    assert times(server) == [None, at(5, key=7), at(9, key=8), at(9, key=8)]


@both_shells
def test_errors_tell_the_cluster_time_too(shell: str) -> None:
    with primary(telling(at(5, key=13))) as server:

        async def act(client: Any, wait: Any) -> None:
            with pytest.raises(Exception, match="no message"):
                await pings(client, wait, 1)
            await pings(client, wait, 1)

        use(shell, server.uri, act, **QUICK)
    assert times(server) == [None, at(5, key=13)]


@both_shells
def test_monitors_neither_send_nor_learn_it(shell: str) -> None:
    heard: list[dict[str, Any]] = []

    def hello(command: dict[str, Any]) -> Answer:
        heard.append(command)
        return hello_reply(**{"$clusterTime": at(99)})

    server = ScriptedServer(script=telling(at(5)), hello=hello)
    with server:
        use(shell, server.uri, pings, **QUICK)
    assert times(server) == [None, at(5), at(5)]
    assert len(heard) > 1
    assert not [command for command in heard if "$clusterTime" in command]


@both_shells
def test_a_time_given_to_a_session_is_sent_by_that_session_only(shell: str) -> None:
    with primary(telling(at(5))) as server:

        async def act(client: Any, wait: Any) -> None:
            await pings(client, wait, 1)
            session = client.start_session()
            assert session.cluster_time is None
            session.advance_cluster_time(at(50))
            session.advance_cluster_time(at(40))
            await pings(client, wait, 1, session=session)
            await pings(client, wait, 1)
            await wait(session.end_session())

        use(shell, server.uri, act, **QUICK)
    assert times(server) == [None, at(50), at(5)]


@both_shells
def test_a_session_learns_from_its_own_replies(shell: str) -> None:
    with primary(telling(at(5), at(6))) as server:

        async def act(client: Any, wait: Any) -> None:
            session = client.start_session()
            known = []
            await pings(client, wait, 1)
            known.append(session.cluster_time)
            await pings(client, wait, 1, session=session)
            known.append(session.cluster_time)
            assert known == [None, at(6)]
            await wait(session.end_session())

        use(shell, server.uri, act, **QUICK)


@both_shells
@pytest.mark.parametrize("nonsense", [{}, {"clusterTime": 5}, {"clusterTime": None}, [1], 5])
def test_what_is_no_cluster_time_is_ignored(shell: str, nonsense: Any) -> None:
    said = [nonsense, at(5), nonsense]

    def script(command: dict[str, Any]) -> Answer:
        return {"ok": 1, "$clusterTime": said.pop(0)} if said else {"ok": 1}

    with primary(script) as server:

        async def act(client: Any, wait: Any) -> None:
            session = client.start_session()
            await pings(client, wait, 4, session=session)
            assert session.cluster_time == at(5)
            with pytest.raises(ValueError, match="cluster_time must be"):
                session.advance_cluster_time(nonsense)
            await wait(session.end_session())

        use(shell, server.uri, act, **QUICK)
    assert times(server) == [None, None, at(5), at(5)]


@both_shells
@pytest.mark.parametrize(
    ("causal", "after"), [(True, Timestamp(8, 1)), (None, Timestamp(8, 1)), (False, None)]
)
def test_operations_of_a_causal_session_follow_its_operation_time(
    shell: str, causal: bool | None, after: Any
) -> None:
    def script(command: dict[str, Any]) -> Answer:
        cursor = {"id": 0, "ns": "t.c", "firstBatch": []}
        return {"ok": 1, "n": 1, "cursor": cursor, "operationTime": Timestamp(8, 1)}

    with primary(script) as server:

        async def act(client: Any, wait: Any) -> None:
            session = client.start_session(causal_consistency=causal)
            levelled = client.t.c.with_options(read_concern=ReadConcern("majority"))
            await wait(client.t.c.find_one({}, session=session))
            await wait(client.t.c.find_one({}, session=session))
            await wait(levelled.find_one({}, session=session))
            await wait(client.t.c.find_one({}))
            await wait(client.t.c.insert_one({}, session=session))
            await wait(session.end_session())

        use(shell, server.uri, act, **QUICK)
    plain = {"afterClusterTime": after} if after else None
    concerns = [command.get("readConcern") for command in sent(server)]
    assert concerns == [None, plain, {"level": "majority", **(plain or {})}, None, plain]
