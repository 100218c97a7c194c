"""SOCKS5: the spec's connection strings through two proxies, then proxies that misbehave.

Of the variant with TLS, the last test has what differs: TLS with the server, not with the proxy.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from driver.errors import (
    RETRYABLE,
    SYSTEM_OVERLOADED,
    ConfigurationError,
    NetworkTimeout,
    ServerSelectionTimeoutError,
)
from driver.events import CommandListener, CommandStartedEvent
from driver.options import ClientOptions
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, dialled, use
from tests.engine.scripted import ScriptedServer
from tests.engine.socks_proxy import SocksProxy, exactly

Wait = Callable[[Any], Awaitable[Any]]

MAPPED = ("localhost", 12345)
CREDENTIALS = ("username", "p4ssw0rd")
QUICK: dict[str, Any] = {"serverSelectionTimeoutMS": 1500, "connectTimeoutMS": 1000}


class Commands(CommandListener):
    def __init__(self) -> None:
        self.sent: list[CommandStartedEvent] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(event)


async def hello(client: Any, wait: Wait) -> Any:
    return await wait(client.admin.command("hello"))


def member(deployment: LocalDeployment) -> tuple[str, int]:
    host, _, port = deployment.info.hosts[0].rpartition(":")
    return host, int(port)


@pytest.fixture
def guarded(replica_set: LocalDeployment) -> Iterator[SocksProxy]:
    with SocksProxy(credentials=CREDENTIALS, names={MAPPED: member(replica_set)}) as proxy:
        yield proxy


@pytest.fixture
def unguarded(replica_set: LocalDeployment) -> Iterator[SocksProxy]:
    with SocksProxy(names={MAPPED: member(replica_set)}) as proxy:
        yield proxy


BAD = {"proxyUsername": "nonexistentuser", "proxyPassword": "badauth"}
GOOD = {"proxyUsername": CREDENTIALS[0], "proxyPassword": CREDENTIALS[1]}
ROWS = [
    ("mapped", "guarded", {}, False),
    ("mapped", "unguarded", {}, True),
    ("set", "guarded", {}, False),
    ("set", "unguarded", {}, True),
    ("mapped", "guarded", BAD, False),
    ("mapped", "unguarded", BAD, True),
    ("set", "unguarded", BAD, True),
    ("mapped", "guarded", GOOD, True),
    ("mapped", "unguarded", {}, True),
    ("set", "guarded", GOOD, True),
    ("set", "unguarded", {}, True),
]


@pytest.mark.live
@both_shells
@pytest.mark.parametrize("as_options", [False, True], ids=["uri", "options"])
@pytest.mark.parametrize(
    ("target", "which", "credentials", "succeeds"),
    ROWS,
    ids=[f"row {number}" for number in range(1, len(ROWS) + 1)],
)
def test_connection_strings(
    replica_set: LocalDeployment,
    guarded: SocksProxy,
    unguarded: SocksProxy,
    shell: str,
    as_options: bool,
    target: str,
    which: str,
    credentials: dict[str, str],
    succeeds: bool,
) -> None:
    proxy = guarded if which == "guarded" else unguarded
    listener = Commands()
    options: dict[str, Any] = {"proxyHost": "localhost", "proxyPort": proxy.port, **credentials}
    uri = replica_set.info.uri if target == "set" else "mongodb://localhost:12345/"
    if target == "mapped":
        options["directConnection"] = True
    if not as_options:
        joint = "&" if "?" in uri else "?"
        uri += joint + "&".join(f"{name}={_spelled(value)}" for name, value in options.items())
        options = {}
    options.update(QUICK if not succeeds else {}, event_listeners=[listener])
    if not succeeds:
        with pytest.raises(ServerSelectionTimeoutError, match="proxy"):
            use(shell, uri, hello, **options)
        return
    assert use(shell, uri, hello, **options)["ok"] == 1
    assert proxy.asked
    for event in listener.sent:
        assert event.connection_id.port != proxy.port


def _spelled(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@both_shells
def test_names_are_resolved_by_the_proxy(shell: str) -> None:
    with (
        ScriptedServer() as server,
        SocksProxy(names={("db.invalid", 27017): _at(server)}) as proxy,
    ):
        use(
            shell,
            "mongodb://db.invalid/?directConnection=true",
            hello,
            proxyHost="127.0.0.1",
            proxyPort=proxy.port,
        )
    assert set(proxy.asked) == {("name", "db.invalid", 27017)}


def _at(server: ScriptedServer) -> tuple[str, int]:
    return "127.0.0.1", server.port


def test_wrong_options_are_refused() -> None:
    for options in (
        {"proxyPort": 1080},
        {"proxyUsername": "a", "proxyPassword": "b"},
        {"proxyHost": "h", "proxyUsername": "a"},
        {"proxyHost": "h", "proxyPassword": "b"},
        {"proxyHost": "h", "proxyUsername": "a" * 256, "proxyPassword": "b"},
    ):
        with pytest.raises(ConfigurationError, match="proxy"):
            ClientOptions.resolve(**options)
    empty = ClientOptions.resolve("mongodb://h/?proxyHost=p&proxyUsername=&proxyPassword=")
    assert empty.proxy is not None
    assert empty.proxy.username is None


# Proxies that misbehave.


def closes(sock: socket.socket) -> None:
    sock.close()


def says_nothing(sock: socket.socket) -> None:
    while sock.recv(100):
        pass


def speaks_http(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def trickles(sock: socket.socket) -> None:
    exactly(sock, 3)
    sock.sendall(b"\x05\x00\x05\x00\x00\x03\xff" + b"x" * 10)
    says_nothing(sock)


def refuses(sock: socket.socket) -> None:
    exactly(sock, 3)
    sock.sendall(b"\x05\x00\x05\x02\x00\x01")


@both_shells
@pytest.mark.parametrize(
    ("misbehave", "says"),
    [
        (closes, "failed"),
        (says_nothing, "took too long"),
        (speaks_http, "no SOCKS5 proxy"),
        (trickles, "took too long"),
        (refuses, "its rules do not allow it"),
    ],
)
def test_a_bad_proxy_is_an_error_that_names_it(shell: str, misbehave: Any, says: str) -> None:
    with SocksProxy(misbehave=misbehave) as proxy:
        error = dialled(
            shell,
            "mongodb://db.invalid/",
            proxyHost="127.0.0.1",
            proxyPort=proxy.port,
            proxyUsername="me",
            proxyPassword="secret",
            connectTimeoutMS=400,
        )
    assert "proxy" in str(error)
    assert says in str(error)
    assert "secret" not in str(error)


@both_shells
def test_a_proxys_failure_is_no_sign_of_load(shell: str) -> None:
    overload = {SYSTEM_OVERLOADED, RETRYABLE}
    nobody = "mongodb://127.0.0.1:1/"
    assert dialled(shell, nobody).labels >= overload
    with SocksProxy() as gone:
        port = gone.port
    errors = [dialled(shell, nobody, proxyHost="127.0.0.1", proxyPort=port)]
    errors.append(dialled(shell, nobody, proxyHost="nowhere.invalid"))
    for misbehave in (closes, says_nothing, refuses, None):
        with SocksProxy(misbehave=misbehave) as proxy:
            limited: dict[str, Any] = {"proxyPort": proxy.port, "connectTimeoutMS": 300}
            errors.append(dialled(shell, nobody, proxyHost="127.0.0.1", **limited))
    assert isinstance(errors[3], NetworkTimeout)
    for error in errors:
        assert not error.labels & overload
        assert "proxy" in str(error)


@both_shells
def test_tls_is_spoken_through_the_proxy(shell: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("db.invalid").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with ScriptedServer(tls=context) as server:
        names = {("db.invalid", 27017): _at(server), ("other.invalid", 27017): _at(server)}
        with SocksProxy(names=names) as proxy:
            options = {
                "proxyHost": "127.0.0.1",
                "proxyPort": proxy.port,
                "tls": True,
                "tlsCAFile": str(tmp_path / "ca.pem"),
                "directConnection": True,
            }
            assert use(shell, "mongodb://db.invalid/", hello, **options)["ok"] == 1
            with pytest.raises(ServerSelectionTimeoutError, match=r"other\.invalid"):
                use(shell, "mongodb://other.invalid/", hello, **options, **QUICK)
