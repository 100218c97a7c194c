"""MONGODB-OIDC, human flow: the prose tests of the auth spec, on a scripted peer.

The servers that know OIDC are Enterprise ones.
"""

from __future__ import annotations

from typing import Any

import pytest

from driver import MongoClient
from driver.auth_oidc import OIDCCallbackResult, OIDCIdPInfo
from driver.errors import AutoReconnect, ConfigurationError, OperationFailure
from driver.events import CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent
from tests.engine.clients import both_shells, use
from tests.engine.members import failure, names
from tests.engine.oidc_peer import AsyncTokens, Gives, OIDCPeer, Tokens, by_human
from tests.engine.recording import Recorder
from tests.engine.scripted import CLOSE
from tests.prose.faults import Wait

REAUTHENTICATE = failure(391)

USER_1, USER_2 = "test_user1@domain.test", "test_user2@domain.test"
SINGLE = {"": "token 1", USER_1: "token 1"}
MULTI = {USER_1: "token 1", USER_2: "token 2"}


async def find(client: Any, wait: Wait) -> None:
    assert await wait(client.prose.c.find_one({})) is None


def found(shell: str, users: dict[str, str], callback: Any, **options: Any) -> list[str]:
    """The commands that came with a find of a client."""
    with OIDCPeer(users=users).server as server:
        use(shell, server.uri, find, **by_human(callback, **options))
    return names(server)


TWO_STEPS = ["saslStart", "saslContinue", "find"]


@both_shells
@pytest.mark.parametrize(
    ("users", "username"),
    [(SINGLE, None), (SINGLE, USER_1), (MULTI, USER_1), (MULTI, USER_2)],
    ids=["1.1", "1.2", "1.3", "1.4"],
)
def test_1_1_to_1_4_users(shell: str, users: dict[str, str], username: str | None) -> None:
    callback = Tokens(users[username or ""])
    assert found(shell, users, callback, username=username) == TWO_STEPS
    assert [context.username for context in callback.contexts] == [username]


def test_1_1_an_async_callback_is_awaited() -> None:
    assert found("asyncio", SINGLE, AsyncTokens("token 1")) == TWO_STEPS


@both_shells
def test_1_5_nobody_among_several(shell: str) -> None:
    callback = Tokens("token 1")
    with pytest.raises(OperationFailure):
        found(shell, MULTI, callback)
    assert callback.contexts == []


@pytest.mark.filterwarnings("ignore:unknown option")
@both_shells
@pytest.mark.parametrize("allowed", [[], ["example.com"], ["*.127.0.0.1"], ["27.0.0.1"]])
def test_1_6_hosts_that_are_not_allowed(shell: str, allowed: list[str]) -> None:
    callback = Tokens("token 1")
    peer = OIDCPeer(users=SINGLE)
    options = by_human(callback, {"ALLOWED_HOSTS": allowed})
    with (
        peer.server as server,
        pytest.raises(ConfigurationError, match="ALLOWED_HOSTS"),
    ):
        use(shell, f"{server.uri}&ignored=example.com", find, **options)
    assert callback.contexts == []
    assert names(server) == []


@pytest.mark.parametrize("name", ["ALLOWED_HOSTS", "allowed_hosts"])
def test_1_7_a_connection_string_allows_no_hosts(name: str) -> None:
    uri = (
        "mongodb+srv://example.com/?authMechanism=MONGODB-OIDC"
        f"&authMechanismProperties={name}:%5B%22example.com%22%5D"
    )
    with pytest.raises(ConfigurationError, match="ALLOWED_HOSTS"):
        MongoClient(uri, connect=False, **by_human(Tokens("token 1")))


@both_shells
def test_1_8_an_issuer_without_a_client_id(shell: str) -> None:
    callback = Tokens("token")
    with OIDCPeer("token", issuer={"issuer": "https://issuer.test"}).server as server:
        use(shell, server.uri, find, **by_human(callback, username="test_machine"))
    assert callback.contexts[0].idp_info == OIDCIdPInfo("https://issuer.test")


@both_shells
@pytest.mark.parametrize("issuer", [{}, {"issuer": 5}, {"clientId": "abcd"}])
def test_an_issuer_of_no_use(shell: str, issuer: Any) -> None:
    with (
        OIDCPeer("token", issuer=issuer).server as server,
        pytest.raises(OperationFailure, match="no issuer"),
    ):
        use(shell, server.uri, find, **by_human(Tokens("token")))


@both_shells
def test_2_1_what_the_callback_is_told(shell: str) -> None:
    callback = Tokens("token 1")
    found(shell, SINGLE, callback, username=USER_1, timeoutMS=20_000)
    (context,) = callback.contexts
    assert (context.timeout_seconds, context.username, context.version) == (300, USER_1, 1)
    assert context.idp_info == OIDCIdPInfo("https://issuer.test", "abcd", ["a", "b"])
    assert context.refresh_token is None


@both_shells
@pytest.mark.parametrize("result", [None, {}, OIDCCallbackResult("")])
def test_2_2_results_of_no_use(shell: str, result: Any) -> None:
    with pytest.raises(ConfigurationError, match="OIDC callback gave"):
        found(shell, SINGLE, Gives(result))


@both_shells
def test_2_3_the_refresh_token_is_passed_on(shell: str) -> None:
    callback = Tokens("token 1", refresh_token="refresh")
    peer = OIDCPeer(users=SINGLE)
    peer.next["find"] = [REAUTHENTICATE]
    with peer.server as server:
        use(shell, server.uri, find, **by_human(callback))
    assert [context.refresh_token for context in callback.contexts] == [None, "refresh"]
    assert callback.contexts[1].idp_info == callback.contexts[0].idp_info
    assert names(server) == [*TWO_STEPS, "saslStart", "find"]


@both_shells
def test_3_1_a_cached_token_goes_with_hello(shell: str) -> None:
    peer = OIDCPeer(users=SINGLE)
    peer.next["find"] = [CLOSE]

    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(AutoReconnect):
            await find(client, wait)
        peer.next["saslStart"] = [failure(18)]
        await find(client, wait)

    with peer.server as server:
        use(shell, server.uri, act, **by_human(Tokens("token 1")))
    assert peer.guesses == 1
    assert names(server) == [*TWO_STEPS, "find"]


@both_shells
def test_3_2_without_one_nothing_does(shell: str) -> None:
    peer = OIDCPeer(users=SINGLE)
    peer.next["saslStart"] = [failure(18)]
    with peer.server as server, pytest.raises(OperationFailure):
        use(shell, server.uri, find, **by_human(Tokens("token 1")))
    assert peer.guesses == 0


@both_shells
def test_4_1_a_connection_authenticates_again(shell: str) -> None:
    callback = Tokens("token 1", refresh_token="refresh")
    heard = Recorder()
    peer = OIDCPeer(users=SINGLE)

    async def act(client: Any, wait: Wait) -> None:
        await find(client, wait)
        assert len(callback.contexts) == 1
        heard.heard.clear()
        peer.next["find"] = [REAUTHENTICATE]
        await find(client, wait)
        assert len(callback.contexts) == 2

        def finds(kind: type) -> int:
            return sum(event.command_name == "find" for event in heard.of(kind))

        assert finds(CommandStartedEvent) == 2
        assert (finds(CommandFailedEvent), finds(CommandSucceededEvent)) == (1, 1)

    with peer.server as server:
        use(shell, server.uri, act, **by_human(callback, event_listeners=[heard]))


@both_shells
@pytest.mark.parametrize(
    ("refresh_token", "tokens", "calls"),
    [(None, ["token 1"], 2), ("bad", ["token 1"], 2), ("bad", ["token 1", "bad", "token 1"], 3)],
    ids=["4.2", "4.3", "4.3, and the new token is bad"],
)
def test_4_2_and_4_3_with_and_without_a_refresh_token(
    shell: str, refresh_token: str | None, tokens: list[str], calls: int
) -> None:
    callback = Tokens(*tokens, refresh_token=refresh_token)
    peer = OIDCPeer(users=SINGLE)

    async def act(client: Any, wait: Wait) -> None:
        await find(client, wait)
        assert len(callback.contexts) == 1
        peer.next["find"] = [REAUTHENTICATE]
        await find(client, wait)
        assert len(callback.contexts) == calls

    with peer.server as server:
        use(shell, server.uri, act, **by_human(callback))


@both_shells
def test_a_refresh_token_that_was_of_no_use_is_not_tried_again(shell: str) -> None:
    callback = Tokens("token 1", "bad", "token 1", refresh_token="refresh")
    peer = OIDCPeer(users=SINGLE)

    async def act(client: Any, wait: Wait) -> None:
        await find(client, wait)
        peer.next["find"] = [REAUTHENTICATE]
        peer.next["saslStart"] = [failure(18), failure(20)]
        with pytest.raises(OperationFailure) as caught:
            await find(client, wait)
        assert caught.value.code == 20
        await find(client, wait)
        assert [context.refresh_token for context in callback.contexts] == [None, "refresh", None]

    with peer.server as server:
        use(shell, server.uri, act, **by_human(callback))


@both_shells
def test_4_4_it_fails_if_it_cannot(shell: str) -> None:
    callback = Tokens("token 1", "bad", refresh_token="bad")
    peer = OIDCPeer(users=SINGLE)

    async def act(client: Any, wait: Wait) -> None:
        await find(client, wait)
        assert len(callback.contexts) == 1
        peer.next["find"] = [REAUTHENTICATE]
        with pytest.raises(OperationFailure) as caught:
            await find(client, wait)
        assert caught.value.code == 18
        assert [context.refresh_token for context in callback.contexts] == [None, "bad", None]

    with peer.server as server:
        use(shell, server.uri, act, **by_human(callback))
