"""Peers that misbehave: each gives a clear error in time, and nothing is left running."""

from __future__ import annotations

import struct
import threading
import time
from typing import Any

import pytest

from driver.bson import encode
from driver.errors import (
    AutoReconnect,
    ConfigurationError,
    MongoError,
    NetworkTimeout,
    ProtocolError,
    ServerSelectionTimeoutError,
)
from tests.engine.clients import both_shells, use
from tests.engine.scripted import (
    CLOSE,
    OP_MSG,
    SILENCE,
    Answer,
    Bytes,
    ScriptedServer,
    hello_reply,
    op_msg_reply,
)

FAST: dict[str, Any] = {
    "serverSelectionTimeoutMS": 1500,
    "connectTimeoutMS": 400,
    "heartbeatFrequencyMS": 500,
    "retryReads": False,
}


async def ping(client: Any, wait: Any) -> Any:
    return await wait(client.admin.command("ping"))


def failing(shell: str, server: ScriptedServer, **options: Any) -> MongoError:
    """The error of a ping, which must come within seconds and leave no thread."""
    started = time.monotonic()
    with pytest.raises(MongoError) as caught:
        use(shell, server.uri, ping, **{**FAST, **options})
    assert time.monotonic() - started < 6
    assert not [t.name for t in threading.enumerate() if t.name.startswith("mongospec-")]
    return caught.value


def framed(payload: bytes, *, op_code: int = OP_MSG, response_to: int = 0, size: int = 0) -> bytes:
    header = struct.pack("<iiii", size or 16 + len(payload), 7, response_to, op_code)
    return header + payload


def answering(server: ScriptedServer, make: Any) -> None:
    """Answer pings with bytes made from the request's id."""
    server.script = lambda _: make(server.request_id)


@both_shells
def test_a_healthy_peer_is_answered(shell: str) -> None:
    with ScriptedServer(script=lambda _: {"ok": 1, "hi": "there"}) as server:
        assert use(shell, server.uri, ping, **FAST)["hi"] == "there"


@both_shells
@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (lambda i: framed(b"", response_to=i, size=3), "3 bytes long"),
        (lambda i: framed(b"", response_to=i, size=2**30), "is allowed"),
        (lambda i: framed(b"", response_to=i, size=-5), "-5 bytes long"),
        (lambda i: framed(b"", response_to=i), "ends too early"),
        (lambda i: framed(b"\0\0\0\0", response_to=i), "without sections"),
        (lambda i: framed(struct.pack("<IB", 0, 9) + encode({}), response_to=i), "kind 9"),
        (lambda i: framed(struct.pack("<IB", 4, 0) + encode({}), response_to=i), "flags"),
        (lambda i: framed(encode({}), response_to=i, op_code=2002), "op code 2002"),
        (lambda i: op_msg_reply(i + 1, {"ok": 1}), "answered request"),
        (
            lambda i: framed(struct.pack("<IB", 0, 0) + b"\x20\0\0\0\x10a\0", response_to=i),
            "claims 32 bytes",
        ),
        (
            lambda i: framed(
                struct.pack("<IB", 0, 0) + b"\x0c\0\0\0\x99a\0\1\0\0\0\0", response_to=i
            ),
            "not valid BSON",
        ),
    ],
)
def test_a_corrupt_frame_names_what_is_wrong(shell: str, frame: Any, says: str) -> None:
    with ScriptedServer() as server:
        answering(server, lambda request_id: Bytes(frame(request_id)))
        error = failing(shell, server)
    assert isinstance(error, ProtocolError)
    assert says in str(error)
    assert f"127.0.0.1:{server.port}" in str(error)


@both_shells
def test_every_truncation_of_a_reply_ends_the_operation(shell: str) -> None:
    whole = op_msg_reply(0, {"ok": 1, "text": "x" * 20})
    for size in range(0, len(whole), 9):
        with ScriptedServer() as server:
            answering(
                server,
                lambda i, size=size: Bytes(
                    op_msg_reply(i, {"ok": 1, "text": "x" * 20})[:size], then_close=True
                ),
            )
            error = failing(shell, server)
        assert isinstance(error, AutoReconnect)
        assert "closed" in str(error)


@both_shells
def test_a_peer_that_closes_instead_of_answering(shell: str) -> None:
    with ScriptedServer(script=lambda _: CLOSE) as server:
        error = failing(shell, server)
    assert isinstance(error, AutoReconnect)
    assert error.operation == "ping"
    assert error.host is not None
    assert error.elapsed is not None


@both_shells
def test_a_peer_that_never_answers_runs_into_the_socket_timeout(shell: str) -> None:
    with ScriptedServer(script=lambda _: SILENCE) as server:
        error = failing(shell, server, socketTimeoutMS=300)
    assert isinstance(error, NetworkTimeout)


@both_shells
def test_a_peer_that_answers_half_and_then_nothing(shell: str) -> None:
    with ScriptedServer() as server:
        answering(server, lambda i: Bytes(op_msg_reply(i, {"ok": 1})[:20]))
        error = failing(shell, server, socketTimeoutMS=300)
    assert isinstance(error, NetworkTimeout)


@both_shells
def test_a_peer_that_does_not_even_say_hello(shell: str) -> None:
    with ScriptedServer(hello=lambda _: SILENCE) as server:
        error = failing(shell, server)
    assert isinstance(error, ServerSelectionTimeoutError)
    assert "did not answer in time" in str(error)


@both_shells
@pytest.mark.parametrize(
    ("least", "most", "says"), [(99, 120, "99"), (0, 2, "2")], ids=["too new", "too old"]
)
def test_an_unsupported_wire_version_is_told(shell: str, least: int, most: int, says: str) -> None:
    def hello(_: dict[str, Any]) -> Answer:
        return hello_reply(minWireVersion=least, maxWireVersion=most)

    with ScriptedServer(hello=hello) as server:
        error = failing(shell, server)
    assert isinstance(error, ConfigurationError)
    assert says in str(error)


@both_shells
def test_a_malformed_hello_names_the_field(shell: str) -> None:
    with ScriptedServer(hello=lambda _: hello_reply(hosts="a:1", setName="rs")) as server:
        error = failing(shell, server)
    assert isinstance(error, ServerSelectionTimeoutError)
    assert "hosts" in str(error)


@both_shells
def test_another_replica_set_than_the_one_asked_for(shell: str) -> None:
    def hello(_: dict[str, Any]) -> Answer:
        here = f"127.0.0.1:{server.port}"
        return hello_reply(setName="blue", hosts=[here], me=here)

    with ScriptedServer(hello=hello) as server:
        error = failing(shell, server, replicaSet="green")
    assert isinstance(error, ServerSelectionTimeoutError)
    assert "green" in str(error)


@both_shells
def test_an_unknown_host_is_told(shell: str) -> None:
    with pytest.raises(ServerSelectionTimeoutError, match=r"no-such-host\.invalid"):
        use(shell, "mongodb://no-such-host.invalid/", ping, **FAST)


@both_shells
def test_a_port_where_nobody_listens_is_told(shell: str) -> None:
    with ScriptedServer() as server:
        port = server.port
    with pytest.raises(ServerSelectionTimeoutError, match="refused"):
        use(shell, f"mongodb://127.0.0.1:{port}/", ping, **FAST)
