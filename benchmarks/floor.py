"""The least that a driver could take: its own requests, sent through a bare socket.

The reference driver's requests for an operation are recorded by a relay between it and the server,
and sent again, one after the other, each when the reply to the last one is there.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from time import perf_counter
from typing import TypeAlias

from benchmarks.tasks import Setting, Task
from driver import bson

Address: TypeAlias = tuple[str, int]

_QUIET = "directConnection=true&heartbeatFrequencyMS=600000&serverMonitoringMode=poll"
_BODY = 21  # header, flags and the kind of the first section
_LONG = struct.Struct("<q")
_GET_MORE, _CURSOR, _NUMBER = b"\x12getMore\0", b"\x12id\0", b"\x12txnNumber\0"


class Bare:
    """A connection that sends recorded requests.

    Of each operation the ids that the driver made are new ones, as is the number of its writes;
    `getMore` names the cursor of the last reply.
    """

    def __init__(self, connection: socket.socket, requests: list[bytes], own: bytes) -> None:
        self._connection = connection
        self._requests = requests
        self._own = own
        self._reply = bytearray(1 << 16)
        self._length = 0
        self._done = 0

    def repeat(self, times: int) -> list[float]:
        """Send all requests of an operation so many times; the seconds of each."""
        took = []
        for _ in range(times):
            requests = self._fresh()
            start = perf_counter()
            for request in requests:
                self._exchange(request)
            took.append(perf_counter() - start)
        return took

    def check(self) -> None:
        """Run the operation once; raises RuntimeError where the server does not do it."""
        for request in self._fresh():
            reply = bson.decode(bytes(self._exchange(request)[_BODY:]))
            if reply.get("ok") != 1 or reply.get("writeErrors") or reply.get("nErrors"):
                raise RuntimeError(f"the server does not take a recorded request again: {reply}")

    def _fresh(self) -> list[bytearray]:
        self._done += 1
        new = os.urandom(len(self._own))
        requests = [bytearray(request.replace(self._own, new)) for request in self._requests]
        for request in requests:
            place = request.find(_NUMBER)
            if place >= 0:
                place += len(_NUMBER)
                (number,) = _LONG.unpack_from(request, place)
                _LONG.pack_into(request, place, number + self._done * len(requests))
        return requests

    def _exchange(self, request: bytearray) -> memoryview:
        place = request.find(_GET_MORE, 0, 64)
        if place >= 0:
            cursor = self._reply.rfind(_CURSOR, 0, self._length) + len(_CURSOR)
            place += len(_GET_MORE)
            request[place : place + 8] = self._reply[cursor : cursor + 8]
        self._connection.sendall(request)
        have = self._receive(0)
        while have < 4:
            have += self._receive(have)
        self._length = int.from_bytes(self._reply[:4], "little")
        if self._length > len(self._reply):
            self._reply.extend(bytes(self._length - len(self._reply)))
        while have < self._length:
            have += self._receive(have)
        return memoryview(self._reply)[: self._length]

    def _receive(self, start: int) -> int:
        with memoryview(self._reply) as view, view[start:] as rest:
            size = self._connection.recv_into(rest)
        if not size:
            raise ConnectionError("the server closed the connection of the bare socket")
        return size


@contextmanager
def bare(task: Task, setting: Setting, server: Address) -> Iterator[Bare]:
    """A socket that does what the setting's driver does for the task; it has done it once."""
    requests = _recorded(task, setting, server)
    own = setting.driver.object_id().binary[4:9]
    with socket.create_connection(server) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made = Bare(connection, requests, own)
        for operation in task.before(setting):
            setting.style.do(operation)
        made.check()
        yield made


def _recorded(task: Task, setting: Setting, server: Address) -> list[bytes]:
    """The requests that an operation sends, once its client is connected."""
    style = setting.style
    with closing(Relay(server)) as relay:
        client = style.client(setting.driver, f"mongodb://127.0.0.1:{relay.port}/?{_QUIET}")
        try:
            through = Setting(setting.driver, style, client)
            operation = task.make(through)
            for _ in range(2):
                for each in task.before(setting):
                    style.do(each)
                relay.forget()
                style.do(operation)
            return relay.requests()
        finally:
            style.do(client.close)


class Relay:
    """Hands on what is sent to it, and keeps what goes to the server."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._sent: list[bytearray] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that there are end with their client."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def forget(self) -> None:
        """Keep only what comes from now on; nothing may be under way."""
        for sent in self._sent:
            sent.clear()

    def requests(self) -> list[bytes]:
        """What the connection that sent most has sent; another may be a monitor's."""
        sent = max(self._sent, key=len)
        requests, start = [], 0
        while start < len(sent):
            (size,) = struct.unpack_from("<i", sent, start)
            requests.append(bytes(sent[start : start + size]))
            start += size
        return requests

    def _accept(self) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sent = bytearray()
                self._sent.append(sent)
                for target in (
                    partial(_pump, client, server, sent),
                    partial(_pump, server, client),
                ):
                    threading.Thread(target=target, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, kept: bytearray | None = None) -> None:
    """Hand on all bytes until one side is through."""
    with suppress(OSError), source, sink:
        while data := source.recv(1 << 16):
            if kept is not None:
                kept += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)
