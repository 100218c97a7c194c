"""A peer that answers by script: the server that no test could otherwise have."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from driver.bson import decode, encode

OP_REPLY, OP_QUERY, OP_COMPRESSED, OP_MSG = 1, 2004, 2012, 2013
_UNPACK: dict[int, Callable[[bytes], bytes]] = {2: zlib.decompress}


@dataclass(frozen=True)
class Bytes:
    """An answer of exactly these bytes; `{request}` fields are the script's own business."""

    data: bytes
    then_close: bool = False


CLOSE = Bytes(b"", then_close=True)
SILENCE = None

Answer = Mapping[str, Any] | Bytes | None
Script = Callable[[dict[str, Any]], Answer]


def hello_reply(**changes: Any) -> dict[str, Any]:
    """What a healthy standalone of MongoDB 6.0 says."""
    return {
        "helloOk": True,
        "isWritablePrimary": True,
        "ismaster": True,
        "maxBsonObjectSize": 16777216,
        "maxMessageSizeBytes": 48000000,
        "maxWriteBatchSize": 100000,
        "minWireVersion": 0,
        "maxWireVersion": 17,
        "readOnly": False,
        "ok": 1.0,
        **changes,
    }


def op_msg_reply(request_id: int, document: Mapping[str, Any], flags: int = 0) -> bytes:
    """An OP_MSG that answers `request_id`."""
    body = struct.pack("<IB", flags, 0) + encode(document)
    return struct.pack("<iiii", 16 + len(body), 1, request_id, OP_MSG) + body


def op_reply(request_id: int, document: Mapping[str, Any]) -> bytes:
    """An OP_REPLY that answers `request_id`."""
    body = struct.pack("<iqii", 8, 0, 0, 1) + encode(document)
    return struct.pack("<iiii", 16 + len(body), 1, request_id, OP_REPLY) + body


@dataclass
class ScriptedServer:
    """Listens on loopback; `hello` and `script` say what it answers to each command.

    `seen` has the commands that came, hello left out, each with its `peer` port; `request_id` is
    that of the last one. `wrapped` has, for each command by name (hellos too), the compressor's
    number, or None where it came plain. A `greeting` is for peers that hang up after it.
    """

    script: Script = lambda _: {"ok": 1}
    hello: Script = field(default=lambda _: hello_reply())
    seen: list[dict[str, Any]] = field(default_factory=list)
    request_id: int = 0
    wrapped: list[tuple[str, int | None]] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    greeting: bytes | None = None

    def __enter__(self) -> ScriptedServer:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._closing = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        for sock in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(2)

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?directConnection=true"

    def _accept(self) -> None:
        while not self._closing:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self.greeting is not None:
                sock.recv(65536)
                sock.sendall(self.greeting)
                return
            if self.tls is not None:
                sock = self.tls.wrap_socket(sock, server_side=True)
                self._open.add(sock)
            while self._answer(sock):
                pass
        except OSError:
            pass
        finally:
            sock.close()

    def _answer(self, sock: socket.socket) -> bool:
        header = _exactly(sock, 16)
        if not header:
            return False
        length, request_id, _, op_code = struct.unpack("<iiii", header)
        body = _exactly(sock, length - 16)
        self.request_id = request_id
        number: int | None = None
        if op_code == OP_COMPRESSED:
            op_code, _, number = struct.unpack_from("<iiB", body)
            body = _UNPACK[number](body[9:])
        legacy = op_code == OP_QUERY
        command = _query_document(body) if legacy else _msg_document(body)
        name = next(iter(command))
        self.wrapped.append((name, number))
        if name.lower() in ("hello", "ismaster"):
            answer = self.hello(command)
        else:
            self.seen.append({**command, "peer": sock.getpeername()[1]})
            answer = self.script(command)
        if answer is None:
            return True
        if isinstance(answer, Bytes):
            sock.sendall(answer.data)
            return not answer.then_close
        sock.sendall((op_reply if legacy else op_msg_reply)(request_id, answer))
        return True


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            return b""
        data += part
    return data


def _query_document(body: bytes) -> dict[str, Any]:
    start = 4 + body[4:].index(0) + 1 + 8
    return decode(body[start:])


def _msg_document(body: bytes) -> dict[str, Any]:
    size = struct.unpack_from("<i", body, 5)[0]
    document = decode(body[5 : 5 + size])
    rest = body[5 + size :]
    while rest:
        (length,) = struct.unpack_from("<i", rest, 1)
        section = rest[5 : 1 + length]
        end = section.index(0)
        document[section[:end].decode()] = _documents(section[end + 1 :])
        rest = rest[1 + length :]
    return document


def _documents(data: bytes) -> list[dict[str, Any]]:
    found = []
    while data:
        (size,) = struct.unpack_from("<i", data)
        found.append(decode(data[:size]))
        data = data[size:]
    return found
