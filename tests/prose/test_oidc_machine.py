"""MONGODB-OIDC, machine flow: the prose tests of the auth spec.

On a scripted peer: the servers that know OIDC are Enterprise ones. The tests of group 5 need a
virtual machine on Azure, so they are not here; `tests/engine/test_oidc.py` has that environment
with scripted endpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driver import MongoClient
from driver.auth_oidc import OIDCCallbackResult
from driver.errors import ConfigurationError, MongoError, OperationFailure
from tests.engine.clients import both_shells, use
from tests.engine.members import failure, names, sent, together
from tests.engine.oidc_peer import (
    AsyncTokens,
    Gives,
    OIDCPeer,
    Tokens,
    by,
    by_environment,
    tokens_of,
)
from tests.prose.faults import Wait

REAUTHENTICATE = failure(391)

Way = Callable[[], tuple[dict[str, Any], Tokens | None]]
"""A client's options, and the callback in them if there is one."""


async def find(client: Any, wait: Wait) -> None:
    assert await wait(client.prose.c.find_one({})) is None


async def insert(client: Any, wait: Wait) -> None:
    await wait(client.prose.c.insert_one({}))


every_way = pytest.mark.parametrize(
    ("shell", "kind"),
    [
        *((shell, kind) for shell in ("sync", "asyncio") for kind in ("callback", "test", "k8s")),
        ("asyncio", "async callback"),
    ],
)


@pytest.fixture
def way(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Way:
    file = tmp_path / "token"
    file.write_text("good\n")
    monkeypatch.setenv("OIDC_TOKEN_FILE", str(file))
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(file))

    def options() -> tuple[dict[str, Any], Tokens | None]:
        if kind in ("test", "k8s"):
            return by_environment(kind), None
        callback = Tokens("good") if kind == "callback" else AsyncTokens("good")
        return by(callback), callback

    return options


def called(callback: Tokens | None, times: int) -> bool:
    """Whether the callback was called so often; environments do not tell."""
    return callback is None or len(callback.contexts) == times


@every_way
def test_1_1_the_callback_is_called(shell: str, way: Way) -> None:
    options, callback = way()
    with OIDCPeer("good").server as server:
        use(shell, server.uri, find, **options)
    assert called(callback, 1)
    assert names(server) == ["saslStart", "find"]


@every_way
def test_1_2_the_callback_is_called_once_for_many_connections(shell: str, way: Way) -> None:
    options, callback = way()

    async def act(client: Any, wait: Wait) -> None:
        for _ in range(20):
            done = await together(shell, *[lambda: client.prose.c.find_one({})] * 10)
            assert done == [None] * 10

    with OIDCPeer("good").server as server:
        use(shell, server.uri, act, **options)
    assert called(callback, 1)
    assert len(sent(server, "find")) == 200


@both_shells
@pytest.mark.parametrize("username", [None, "somebody"])
def test_2_1_what_the_callback_is_told(shell: str, username: str | None) -> None:
    callback = Tokens("good")
    with OIDCPeer("good").server as server:
        use(shell, server.uri, find, **by(callback, username=username))
    (context,) = callback.contexts
    assert (context.timeout_seconds, context.username, context.version) == (60, username, 1)
    assert (context.refresh_token, context.idp_info) == (None, None)


@both_shells
def test_2_1_the_callback_has_what_is_left_of_the_time_limits(shell: str) -> None:
    for limits, most in (
        ({"timeoutMS": 20_000}, 20.0),
        ({"timeoutMS": 30_000, "connectTimeoutMS": 3000}, 3.0),
    ):
        callback = Tokens("good")
        with OIDCPeer("good").server as server:
            use(shell, server.uri, find, **by(callback, **limits))
        assert 0 < callback.contexts[0].timeout_seconds <= most


@both_shells
@pytest.mark.parametrize(
    ("result", "says"),
    [
        (None, "gave NoneType"),
        ({"access_token": "good"}, "gave dict"),
        (OIDCCallbackResult(None), "no access_token"),  # type: ignore[arg-type]
        (OIDCCallbackResult(""), "no access_token"),
        (OIDCCallbackResult("good", expires_in_seconds=-1), "expires_in_seconds"),
        (OIDCCallbackResult("good", refresh_token=5), "refresh_token"),  # type: ignore[arg-type]
    ],
)
def test_2_2_and_2_3_results_of_no_use(shell: str, result: Any, says: str) -> None:
    with (
        OIDCPeer("good").server as server,
        pytest.raises(ConfigurationError, match=says),
    ):
        use(shell, server.uri, find, **by(Gives(result)))
    assert names(server) == []


def test_2_4_a_callback_and_an_environment_exclude_each_other() -> None:
    both = {"OIDC_CALLBACK": Tokens("good"), "ENVIRONMENT": "test"}
    with pytest.raises(ConfigurationError, match="exactly one"):
        MongoClient(authMechanism="MONGODB-OIDC", authMechanismProperties=both, connect=False)


def test_2_5_machines_have_no_allowed_hosts() -> None:
    properties = {"ENVIRONMENT": "azure", "TOKEN_RESOURCE": "x", "ALLOWED_HOSTS": []}
    with pytest.raises(ConfigurationError, match="ALLOWED_HOSTS"):
        MongoClient(authMechanism="MONGODB-OIDC", authMechanismProperties=properties, connect=False)


@every_way
def test_3_1_a_cached_token_that_is_refused_is_replaced(shell: str, way: Way) -> None:
    options, callback = way()
    peer = OIDCPeer("good")

    async def act(client: Any, wait: Wait) -> None:
        tokens_of(client).cached = "poison"
        await find(client, wait)
        assert tokens_of(client).cached == "good"

    with peer.server as server:
        use(shell, server.uri, act, **options)
    assert called(callback, 1)
    assert peer.guesses == 1
    assert names(server) == ["saslStart", "saslStart", "find"]


@both_shells
def test_3_2_a_new_token_that_is_refused_is_an_error(shell: str) -> None:
    callback = Tokens("bad")
    with OIDCPeer("good").server as server, pytest.raises(OperationFailure) as caught:
        use(shell, server.uri, find, **by(callback))
    assert caught.value.code == 18
    assert called(callback, 1)


@every_way
def test_3_3_other_errors_do_not_clear_the_cache(shell: str, way: Way) -> None:
    options, callback = way()
    peer = OIDCPeer("good")
    peer.next["saslStart"] = [failure(20)]

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(OperationFailure) as caught:
            await find(client, wait)
        assert caught.value.code == 20
        assert called(callback, 1)
        await find(client, wait)

    with peer.server as server:
        use(shell, server.uri, act, **options)
    assert called(callback, 1)
    assert tokens_kept(peer)


def tokens_kept(peer: OIDCPeer) -> bool:
    """Whether the second connection was opened with the first one's token."""
    return peer.guesses == 1


@every_way
def test_4_1_a_connection_authenticates_again(shell: str, way: Way) -> None:
    options, callback = way()
    peer = OIDCPeer("good")
    peer.next["find"] = [REAUTHENTICATE]
    with peer.server as server:
        use(shell, server.uri, find, **options)
    assert called(callback, 2)
    assert names(server) == ["saslStart", "find", "saslStart", "find"]
    assert len({command["peer"] for command in sent(server)}) == 1


@both_shells
@pytest.mark.parametrize("act", [find, insert], ids=["4.2", "4.3"])
def test_4_2_and_4_3_it_fails_if_it_cannot(shell: str, act: Any) -> None:
    callback = Tokens("good", "bad")
    peer = OIDCPeer("good")

    async def twice(client: Any, wait: Wait) -> None:
        await act(client, wait)
        peer.next[act.__name__] = [REAUTHENTICATE]
        with pytest.raises(OperationFailure) as caught:
            await act(client, wait)
        assert caught.value.code == 18
        assert called(callback, 2)  # closing the client, too, needs a token

    with peer.server as server:
        use(shell, server.uri, twice, **by(callback, retryWrites=False))


@every_way
def test_4_4_hellos_guess_is_not_used_again(shell: str, way: Way) -> None:
    options, callback = way()
    peer = OIDCPeer("good")

    async def act(client: Any, wait: Wait) -> None:
        tokens_of(client).cached = "good"
        await insert(client, wait)
        assert called(callback, 0)
        assert names(server) == ["insert"]
        peer.next["insert"] = [REAUTHENTICATE]
        await insert(client, wait)

    with peer.server as server:
        use(shell, server.uri, act, **options)
    assert called(callback, 1)
    assert names(server) == ["insert", "insert", "saslStart", "insert"]
    assert peer.guesses == 1


@every_way
def test_4_5_a_session_goes_on(shell: str, way: Way) -> None:
    options, callback = way()
    peer = OIDCPeer("good")
    peer.next["find"] = [REAUTHENTICATE]

    async def act(client: Any, wait: Wait) -> None:
        session = client.start_session()
        await wait(client.prose.c.find_one({}, session=session))
        await wait(session.end_session())

    with peer.server as server:
        use(shell, server.uri, act, **options)
    assert called(callback, 2)
    first, second = sent(server, "find")
    assert first["lsid"] == second["lsid"]


@both_shells
def test_an_error_of_the_callback_is_no_secret_and_no_hang(shell: str) -> None:
    class Breaks(Tokens):
        def fetch(self, context: Any) -> OIDCCallbackResult:
            super().fetch(context)
            raise ValueError("s3cret")

    callback = Breaks("good")
    with OIDCPeer("good").server as server:
        for _ in range(2):
            with pytest.raises(MongoError, match="ValueError") as caught:
                use(shell, server.uri, find, **by(callback))
            assert "s3cret" not in str(caught.value)
            assert isinstance(caught.value.__cause__, ValueError)
