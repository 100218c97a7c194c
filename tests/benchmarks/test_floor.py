"""The bare socket: what is recorded, and what changes when it is sent again."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import closing

import pytest

from benchmarks.floor import Bare, Relay
from driver import bson

OWN = b"ABCDE"


def message(document: dict[str, object]) -> bytes:
    body = bytes(4) + b"\0" + bson.encode(document)
    return struct.pack("<iiii", 16 + len(body), 1, 0, 2013) + body


def answering(connection: socket.socket, reply: bytes) -> list[bytes]:
    """Answers every message with the same reply; returns what came."""
    came: list[bytes] = []

    def answer() -> None:
        with connection, connection.makefile("rb") as stream:
            while head := stream.read(4):
                came.append(head + stream.read(int.from_bytes(head, "little") - 4))
                connection.sendall(reply)

    threading.Thread(target=answer, daemon=True).start()
    return came


def test_ids_numbers_and_cursors_are_new() -> None:
    oid = bson.ObjectId(b"time" + OWN + b"num")
    requests = [
        message({"insert": "a", "_id": oid, "txnNumber": bson.Int64(7)}),
        message({"getMore": bson.Int64(1), "of": oid}),
    ]
    reply = message({"cursor": {"batch": [{"id": bson.Int64(3)}], "id": bson.Int64(99)}, "ok": 1})
    ours, theirs = socket.socketpair()
    came = answering(theirs, reply)
    with ours:
        bare = Bare(ours, requests, OWN)
        bare.check()
        assert len(bare.repeat(2)) == 2
    documents = [bson.decode(each[21:]) for each in came]
    inserts, more = documents[::2], documents[1::2]
    assert [each["txnNumber"] for each in inserts] == [9, 11, 13]
    assert len({each["_id"] for each in inserts} | {oid}) == 4
    assert [each["_id"] for each in inserts] == [each["of"] for each in more]
    assert [each["getMore"] for each in more] == [99, 99, 99]


@pytest.mark.parametrize("reply", [{"ok": 0}, {"ok": 1, "writeErrors": [{}]}])
def test_a_request_that_fails(reply: dict[str, object]) -> None:
    ours, theirs = socket.socketpair()
    answering(theirs, message(reply))
    with ours, pytest.raises(RuntimeError, match="does not take a recorded request again"):
        Bare(ours, [message({"insert": "a"})], OWN).check()


def test_a_relay_keeps_what_goes_to_the_server() -> None:
    reply = message({"ok": 1})
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        closing(Relay(server.getsockname())) as relay,
        socket.create_connection(("127.0.0.1", relay.port)) as client,
    ):
        came = answering(server.accept()[0], reply)
        for request in (message({"a": 1}), message({"b": 1})):
            relay.forget()
            client.sendall(request * 2)
            assert client.recv(2 * len(reply), socket.MSG_WAITALL) == 2 * reply
            assert relay.requests() == [request] * 2
    assert len(came) == 4
