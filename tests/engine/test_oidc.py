"""MONGODB-OIDC: many connections and one token, and the environments that tokens come from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from driver.auth.credentials import Credentials
from driver.auth_oidc import OIDCCallbackContext, OIDCCallbackResult
from driver.bson import encode
from driver.engine import oidc, oidc_environments
from driver.engine.oidc import MIN_INTERVAL
from driver.errors import ConfigurationError, MongoError, OperationFailure
from driver.runtime.simulated import SimulatedRuntime
from tests.engine.clients import both_shells, use
from tests.engine.members import failure, names, sent, together
from tests.engine.oidc_peer import (
    ISSUER,
    OIDCPeer,
    Tokens,
    by,
    by_environment,
    by_human,
    tokens_of,
)
from tests.engine.scram_peer import ScramPeer
from tests.engine.scripted import ScriptedServer
from tests.prose.faults import Wait


async def ping(client: Any, wait: Wait) -> None:
    await wait(client.admin.command("ping"))


class Slow(Tokens):
    """Takes its time, and knows whether it was called twice at once."""

    def __init__(self, *tokens: str) -> None:
        super().__init__(*tokens)
        self.calls = 0
        self.at_once = False
        self._free = threading.Lock()

    def fetch(self, context: OIDCCallbackContext) -> OIDCCallbackResult:
        self.calls += 1
        if not self._free.acquire(blocking=False):
            self.at_once = True
        threading.Event().wait(0.05)
        self._free.release()
        return super().fetch(context)


@both_shells
def test_connections_wait_for_one_token(shell: str) -> None:
    callback = Slow("good")

    async def act(client: Any, wait: Wait) -> None:
        command = client.admin.command
        done = await together(shell, *[lambda: command("ping")] * 8)
        assert [reply["ok"] for reply in done] == [1] * 8

    with OIDCPeer("good").server as server:
        use(shell, server.uri, act, **by(callback, maxConnecting=8))
    assert callback.calls == 1


@both_shells
def test_calls_never_overlap(shell: str) -> None:
    callback = Slow("bad")

    async def act(client: Any, wait: Wait) -> None:
        command = client.admin.command
        done = await together(shell, *[lambda: command("ping")] * 4)
        assert all(isinstance(error, MongoError) for error in done)

    with OIDCPeer("good").server as server:
        use(shell, server.uri, act, **by(callback, maxConnecting=4))
    assert not callback.at_once
    assert callback.calls > 1


def test_calls_have_a_pause() -> None:
    async def network(_: Any) -> Any:
        raise OSError

    runtime = SimulatedRuntime(network)
    times: list[float] = []

    class Timed(Tokens):
        def fetch(self, context: OIDCCallbackContext) -> OIDCCallbackResult:
            times.append(runtime.now())
            return super().fetch(context)

    credentials = Credentials.of(
        username=None,
        password=None,
        mechanism="MONGODB-OIDC",
        properties={"OIDC_CALLBACK": Timed("token")},
    )
    assert credentials is not None

    async def act() -> None:
        tokens = oidc.Tokens(credentials, runtime, None)
        for _ in range(3):
            assert await tokens.fetch(None) == ("token", True)
            assert await tokens.fetch(None) == ("token", False)
            tokens.invalidate("token")

    runtime.run(act())
    assert times == pytest.approx([0, MIN_INTERVAL, 2 * MIN_INTERVAL])


@both_shells
def test_only_the_token_that_was_refused_is_forgotten(shell: str) -> None:
    callback = Tokens("old", "new", "newest")
    peer = OIDCPeer("old", "new")

    async def act(client: Any, wait: Wait) -> None:
        await ping(client, wait)
        tokens = tokens_of(client)
        tokens.cached = "new"  # as another connection would have left it
        peer.next["ping"] = [failure(391)]
        await ping(client, wait)
        assert tokens.cached == "new"
        assert len(callback.contexts) == 1

    with peer.server as server:
        use(shell, server.uri, act, **by(callback))


@both_shells
def test_any_mechanism_authenticates_again(shell: str) -> None:
    peer = ScramPeer("ada", "pencil")
    refusals = [failure(391)]

    def script(command: dict[str, Any]) -> Any:
        if "ping" in command and refusals:
            return refusals.pop()
        return peer.script(command)

    with ScriptedServer(script, peer.hello) as server:
        use(shell, server.uri, ping, username="ada", password="pencil")
    assert names(server) == ["saslContinue", "ping", "saslStart", "saslContinue", "ping"]
    assert peer.authenticated == 2


@both_shells
def test_who_is_nobody_cannot_authenticate_again(shell: str) -> None:
    with (
        ScriptedServer(lambda _: failure(391)) as server,
        pytest.raises(OperationFailure) as caught,
    ):
        use(shell, server.uri, ping)
    assert caught.value.code == 391
    assert names(server) == ["ping"]


@both_shells
def test_it_authenticates_again_only_once(shell: str) -> None:
    peer = OIDCPeer("good")
    peer.next["ping"] = [failure(391), failure(391)]
    with peer.server as server, pytest.raises(OperationFailure) as caught:
        use(shell, server.uri, ping, **by(Tokens("good")))
    assert caught.value.code == 391
    assert len(sent(server, "ping")) == 2


@both_shells
def test_a_guess_that_is_not_enough(shell: str) -> None:
    callback = Tokens("other")
    peer = OIDCPeer("good")
    peer.doubts = True

    async def act(client: Any, wait: Wait) -> None:
        tokens_of(client).cached = "good"
        peer.next["saslStart"] = [failure(20)]
        with pytest.raises(OperationFailure) as caught:
            await ping(client, wait)
        assert caught.value.code == 20
        await ping(client, wait)

    with peer.server as server:
        use(shell, server.uri, act, **by(callback))
    assert names(server) == ["saslStart", "saslStart", "ping"]
    assert callback.contexts == []


@both_shells
@pytest.mark.parametrize("command", ["saslStart", "saslContinue"])
def test_a_token_must_be_accepted(shell: str, command: str) -> None:
    peer = OIDCPeer("good")
    not_done = {"ok": 1, "conversationId": 1, "done": False, "payload": encode(ISSUER)}
    peer.next[command] = [not_done]
    options = by(Tokens("good")) if command == "saslStart" else by_human(Tokens("good"))
    with peer.server as server, pytest.raises(OperationFailure, match="not done"):
        use(shell, server.uri, ping, **options)


@both_shells
def test_who_fails_to_authenticate_again_is_nobody(shell: str) -> None:
    """So the connection cannot be used by the next operation."""
    peer = OIDCPeer("good")

    async def act(client: Any, wait: Wait) -> None:
        await ping(client, wait)
        peer.next["ping"] = [failure(391)]
        peer.next["saslStart"] = [failure(20)]
        with pytest.raises(OperationFailure):
            await ping(client, wait)
        await ping(client, wait)

    with peer.server as server:
        use(shell, server.uri, act, **by(Tokens("good")))
    first, second, third = (command["peer"] for command in sent(server, "ping"))
    assert first == second != third


# Environments.


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({"AZURE_FEDERATED_TOKEN_FILE": "azure", "AWS_WEB_IDENTITY_TOKEN_FILE": "aws"}, "azure"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "aws"}, "aws"),
        ({}, "default"),
    ],
)
@both_shells
def test_kubernetes_has_a_file(
    shell: str,
    variables: dict[str, str],
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable in ("AZURE_FEDERATED_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(variable, raising=False)
    for variable, file in variables.items():
        monkeypatch.setenv(variable, str(tmp_path / file))
    monkeypatch.setattr(oidc_environments, "KUBERNETES_FILE", str(tmp_path / "default"))
    for file in ("azure", "aws", "default"):
        (tmp_path / file).write_text(f"token of {file}")
    with OIDCPeer(f"token of {name}").server as server:
        use(shell, server.uri, ping, **by_environment("k8s"))


@both_shells
def test_a_file_that_is_not_there(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")
    monkeypatch.delenv("OIDC_TOKEN_FILE", raising=False)
    for environment, says in (("k8s", "/nowhere/token"), ("test", "OIDC_TOKEN_FILE")):
        with OIDCPeer().server as server, pytest.raises(ConfigurationError, match=says):
            use(shell, server.uri, ping, **by_environment(environment))


@contextmanager
def metadata_service(status: int, body: bytes) -> Iterator[tuple[str, list[Any]]]:
    """An endpoint's URL, and the requests that came: path, query and headers."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: value for name, (value,) in parse_qs(parts.query).items()}
            asked.append((parts.path, query, dict(self.headers)))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/path", asked
        finally:
            server.shutdown()
            thread.join(5)


RESOURCE = "api://some,thing:else"


def by_cloud(name: str, **options: Any) -> dict[str, Any]:
    options = by_environment(name, **options)
    options["authMechanismProperties"]["TOKEN_RESOURCE"] = RESOURCE
    return options


@both_shells
@pytest.mark.parametrize("username", [None, "client id"])
def test_azure(shell: str, username: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(200, b'{"access_token": "good", "expires_in": "5"}') as (url, asked):
        monkeypatch.setattr(oidc_environments, "AZURE_URL", url)
        with OIDCPeer("good").server as server:
            use(shell, server.uri, ping, **by_cloud("azure", username=username))
    ((path, query, headers),) = asked
    assert path == "/path"
    client = {} if username is None else {"client_id": username}
    assert query == {"api-version": "2018-02-01", "resource": RESOURCE, **client}
    assert (headers["Accept"], headers["Metadata"]) == ("application/json", "true")


@both_shells
def test_gcp(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(200, b"good") as (url, asked):
        monkeypatch.setattr(oidc_environments, "GCP_URL", url)
        with OIDCPeer("good").server as server:
            use(shell, server.uri, ping, **by_cloud("gcp"))
    ((_, query, headers),) = asked
    assert query == {"audience": RESOURCE}
    assert headers["Metadata-Flavor"] == "Google"


@both_shells
@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"no such identity", "status 404, no such identity"),
        (200, b"x" * 70_000, "more than 65536 bytes"),
        (200, b"", "without an access_token"),
        (200, b'{"access_token": 5}', "without an access_token"),
        (200, b'["access_token"]', "without an access_token"),
        (200, b"[" * 60_000, "without an access_token"),
        (200, b'{"access_token": ""}', "empty token"),
    ],
)
def test_clouds_that_give_no_token(
    shell: str, status: int, body: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with metadata_service(status, body) as (url, _):
        monkeypatch.setattr(oidc_environments, "AZURE_URL", url)
        with OIDCPeer("good").server as server, pytest.raises(MongoError, match=says):
            use(shell, server.uri, ping, **by_cloud("azure"))


@both_shells
def test_a_cloud_that_is_not_there(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with metadata_service(200, b"") as (url, _):
        pass
    monkeypatch.setattr(oidc_environments, "GCP_URL", url)
    with OIDCPeer("good").server as server, pytest.raises(MongoError, match="no OIDC token from"):
        use(shell, server.uri, ping, **by_cloud("gcp"))


@both_shells
def test_what_is_not_http(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(greeting=b"hello\r\n\r\n") as other:
        monkeypatch.setattr(oidc_environments, "GCP_URL", f"http://127.0.0.1:{other.port}/")
        with OIDCPeer("good").server as server, pytest.raises(MongoError, match="not HTTP"):
            use(shell, server.uri, ping, **by_cloud("gcp"))
