"""Compression: the scenarios of the spec on a live server, then a peer that sees every message."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from driver.errors import ProtocolError
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.engine.scram_peer import ScramPeer
from tests.engine.scripted import Bytes, ScriptedServer, hello_reply, op_msg_reply

Wait = Callable[[Any], Awaitable[Any]]

ZLIB = 2


async def ping(client: Any, wait: Wait) -> Any:
    return await wait(client.admin.command("ping"))


# The spec's connection strings. A server counts what it decompressed, by compressor.


async def decompressed(client: Any, wait: Wait) -> Mapping[str, int]:
    """Bytes of messages that the server unpacked so far."""
    status = await wait(client.admin.command("serverStatus"))
    counters = status["network"]["compression"]
    return {name: counters[name]["decompressor"]["bytesIn"] for name in counters}


@pytest.mark.live
@both_shells
@pytest.mark.parametrize(
    ("compressors", "used"),
    [
        ("snappy", "snappy"),
        ("snappy,zlib", "snappy"),
        ("zlib,snappy", "zlib"),
        ("zstd", "zstd"),
        ("snoopy", None),
    ],
)
def test_connection_strings(
    standalone: LocalDeployment, shell: str, compressors: str, used: str | None
) -> None:
    before: dict[str, int] = {}
    after: dict[str, int] = {}

    async def count(client: Any, wait: Wait) -> None:
        before.update(await decompressed(client, wait))

    async def act(client: Any, wait: Wait) -> None:
        collection = client.compression.c
        await wait(collection.drop())
        await wait(collection.insert_many([{"_id": i, "text": "x" * 1000} for i in range(500)]))
        found = await wait(collection.find(sort={"_id": 1}).to_list())
        assert [document["_id"] for document in found] == list(range(500))
        assert (await ping(client, wait))["ok"] == 1
        await wait(collection.drop())
        after.update(await decompressed(client, wait))

    use(shell, standalone.info.uri, count)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use(shell, standalone.info.uri, act, compressors=compressors)
    grown = {name for name in after if after[name] > before[name]}
    assert grown == ({used} if used else set())
    assert ("snoopy" in str([str(each.message) for each in caught])) == (used is None)


# A peer.


def peer(**options: Any) -> ScriptedServer:
    return ScriptedServer(hello=lambda _: hello_reply(compression=["zlib"]), **options)


@both_shells
def test_what_is_offered_and_what_is_wrapped(shell: str) -> None:
    offered: list[Any] = []

    def hello(command: dict[str, Any]) -> dict[str, Any]:
        offered.extend([command["compression"]] if "client" in command else [])
        return hello_reply(compression=["zlib"])

    with ScriptedServer(hello=hello) as server:
        use(shell, server.uri, ping, compressors="zstd,zlib")
    assert {tuple(names) for names in offered} == {("zstd", "zlib")}
    by_name = dict(server.wrapped)
    assert by_name.pop("ping") == ZLIB
    assert set(by_name) <= {"isMaster", "hello"}
    assert set(by_name.values()) == {None}


@both_shells
@pytest.mark.parametrize("theirs", [None, [], ["snappy", "lz4"]])
def test_without_a_common_compressor_nothing_is_wrapped(shell: str, theirs: Any) -> None:
    said = hello_reply() if theirs is None else hello_reply(compression=theirs)
    with ScriptedServer(hello=lambda _: said) as server:
        assert use(shell, server.uri, ping, compressors="zlib")["ok"] == 1
    assert ("ping", None) in server.wrapped


@both_shells
def test_without_compressors_the_offer_is_empty(shell: str) -> None:
    offered: list[Any] = []

    def hello(command: dict[str, Any]) -> dict[str, Any]:
        offered.extend([command["compression"]] if "client" in command else [])
        return hello_reply(compression=["zlib"])

    with ScriptedServer(hello=hello) as server:
        use(shell, server.uri, ping)
    assert offered
    assert not any(offered)
    assert ("ping", None) in server.wrapped


@both_shells
@pytest.mark.parametrize("name", ["createUser", "updateUser", "copydb", "getnonce", "CREATEUSER"])
def test_commands_with_credentials_are_never_wrapped(shell: str, name: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await wait(client.admin.command({name: "somebody"}))
        await ping(client, wait)

    with peer() as server:
        use(shell, server.uri, act, compressors="zlib")
    assert (name, None) in server.wrapped
    assert ("ping", ZLIB) in server.wrapped


def wrapped_reply(request_id: int, *, size: int = 0, number: int = ZLIB) -> bytes:
    reply = op_msg_reply(request_id, {"ok": 1, "text": "x" * 1000})
    body = struct.pack("<iiB", 2013, size or len(reply) - 16, number) + zlib.compress(reply[16:])
    return struct.pack("<iiii", 16 + len(body), 1, request_id, 2012) + body


@both_shells
@pytest.mark.parametrize("compressors", ["zlib", "snappy,zlib"])
def test_a_reply_is_unwrapped_as_it_says(shell: str, compressors: str) -> None:
    with ScriptedServer(hello=lambda _: hello_reply()) as server:
        server.script = lambda _: Bytes(wrapped_reply(server.request_id))
        assert use(shell, server.uri, ping, compressors=compressors)["text"] == "x" * 1000


@both_shells
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"size": 2**30}, "are allowed"),
        ({"size": 100}, "claims 100 bytes"),
        ({"number": 9}, "unknown way 9"),
        ({"number": 1}, "cannot be decompressed"),
    ],
)
def test_a_bad_wrapping_ends_the_connection(shell: str, wrong: Any, says: str) -> None:
    with ScriptedServer() as server:
        server.script = lambda _: Bytes(wrapped_reply(server.request_id, **wrong))
        with pytest.raises(ProtocolError, match=says):
            use(shell, server.uri, ping, compressors="zlib", retryReads=False)


@both_shells
def test_a_whole_authentication_is_never_wrapped(shell: str) -> None:
    account = ScramPeer("me", "secret", speculative=False)

    def hello(command: dict[str, Any]) -> Any:
        said = account.hello(command)
        assert isinstance(said, Mapping)
        return {**said, "compression": ["zlib"]}

    with ScriptedServer(hello=hello, script=account.script) as server:
        use(shell, server.uri, ping, compressors="zlib", username="me", password="secret")
    assert account.authenticated
    assert ("saslStart", None) in server.wrapped
    assert ("saslContinue", None) in server.wrapped
    assert ("ping", ZLIB) in server.wrapped
    assert not {("saslStart", ZLIB), ("saslContinue", ZLIB)} & set(server.wrapped)
