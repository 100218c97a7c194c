"""Every mechanism with a scripted peer: it lets in, it is refused, and nobody hears a secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from driver.auth.handshake import _CONVERSATIONS
from driver.auth.oidc import MECHANISM
from driver.errors import MongoError, OperationFailure
from tests.engine.accounts import ACCOUNTS, PASSWORD, Account
from tests.engine.clients import both_shells, use
from tests.engine.members import failure, names
from tests.engine.recording import Recorder
from tests.engine.scram_peer import ScramPeer
from tests.engine.scripted import CLOSE, ScriptedServer
from tests.engine.test_redaction import everything
from tests.prose.faults import Wait


async def ping(client: Any, wait: Wait) -> str:
    await wait(client.admin.command("ping"))
    return repr(client) + repr(client.options) + repr(client.topology_description)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """All that the driver can log."""
    with caplog.at_level(logging.DEBUG, logger="mongospec"):
        yield caplog


@pytest.fixture(params=ACCOUNTS)
def account(request: pytest.FixtureRequest) -> Account:
    return ACCOUNTS[request.param]()


def test_no_mechanism_is_forgotten() -> None:
    assert {name.partition(" ")[0] for name in ACCOUNTS} == {*_CONVERSATIONS, MECHANISM}


@both_shells
def test_it_lets_in(shell: str, account: Account, logged: pytest.LogCaptureFixture) -> None:
    heard = Recorder()
    with account.server() as server:
        shown = use(shell, server.uri, ping, **account.options, event_listeners=[heard])
    assert names(server) == [*account.steps, "ping"]
    assert account.found_in(everything(heard, logged, shown)) == []


@both_shells
def test_it_is_refused(shell: str, account: Account, logged: pytest.LogCaptureFixture) -> None:
    heard = Recorder()
    with account.server(refusal=failure(18)) as server, pytest.raises(MongoError) as caught:
        use(shell, server.uri, ping, **account.options, event_listeners=[heard])
    assert getattr(caught.value, "code", None) == 18
    assert "ping" not in names(server)
    assert account.found_in(everything(heard, logged, caught.value)) == []


@both_shells
def test_the_server_hangs_up(
    shell: str, account: Account, logged: pytest.LogCaptureFixture
) -> None:
    heard = Recorder()
    options = {**account.options, "serverSelectionTimeoutMS": 500}
    with account.server(refusal=CLOSE) as server, pytest.raises(MongoError) as caught:
        use(shell, server.uri, ping, **options, event_listeners=[heard])
    assert "ping" not in names(server)
    assert account.found_in(everything(heard, logged, caught.value)) == []


@both_shells
@pytest.mark.parametrize("mechanism", [name for name in ACCOUNTS if name != "MONGODB-X509"])
@pytest.mark.parametrize("payload", [b"", b"garbage", None])
def test_the_server_talks_nonsense(
    shell: str, mechanism: str, payload: Any, logged: pytest.LogCaptureFixture
) -> None:
    """With X.509 there is nothing for it to say but ok."""
    account = ACCOUNTS[mechanism]()
    nonsense = {"ok": 1, "conversationId": 1, "done": False, "payload": payload}
    with account.server(refusal=nonsense) as server, pytest.raises(MongoError) as caught:
        use(shell, server.uri, ping, **account.options)
    assert "ping" not in names(server)
    assert account.found_in(everything(Recorder(), logged, caught.value)) == []


@both_shells
@pytest.mark.parametrize("speculative", [True, False])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_a_server_that_does_not_know_the_password_is_refused(
    shell: str, mechanism: str, speculative: bool
) -> None:
    peer = ScramPeer("ada", "guessed", mechanism=mechanism, speculative=speculative, honest=False)
    credentials = {"username": "ada", "password": PASSWORD, "authMechanism": mechanism}
    with (
        ScriptedServer(peer.script, peer.hello) as server,
        pytest.raises(OperationFailure, match="did not prove that it knows the password"),
    ):
        use(shell, server.uri, ping, **credentials)
    assert peer.authenticated
    assert "ping" not in names(server)
