"""A small SOCKS5 proxy: it maps names, may want a password, and can be told to misbehave."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

Address = tuple[str, int]
Misbehaviour = Callable[[socket.socket], None]


@dataclass
class SocksProxy:
    """`asked` has the destinations as they were asked for, `methods` what clients offered.

    `misbehave` is called with each connection instead of serving it.
    """

    credentials: tuple[str, str] | None = None
    names: Mapping[Address, Address] = field(default_factory=dict)
    misbehave: Misbehaviour | None = None
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    methods: list[bytes] = field(default_factory=list)

    def __enter__(self) -> SocksProxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sock in (self._listener, *self._open):
            _close(sock)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(sock)
            self._start(self._serve, sock)

    def _serve(self, sock: socket.socket) -> None:
        try:
            if self.misbehave is not None:
                self.misbehave(sock)
            else:
                self._relay(sock, self._connect(sock))
        except (OSError, EOFError):
            _close(sock)

    def _connect(self, sock: socket.socket) -> socket.socket:
        """The RFCs' words, up to a connection with the destination."""
        _, count = exactly(sock, 2)
        offered = exactly(sock, count)
        self.methods.append(offered)
        method = 0 if self.credentials is None else 2
        if method not in offered:
            sock.sendall(b"\x05\xff")
            raise EOFError
        sock.sendall(bytes((5, method)))
        if self.credentials is not None:
            exactly(sock, 1)
            given = (_text(sock), _text(sock))
            sock.sendall(b"\x01\x00" if given == self.credentials else b"\x01\x01")
            if given != self.credentials:
                raise EOFError
        kind, host, port = self._destination(sock)
        self.asked.append((kind, host, port))
        try:
            far = socket.create_connection(self.names.get((host, port), (host, port)), 5)
        except OSError:
            sock.sendall(b"\x05\x05\x00\x01" + bytes(6))
            raise
        self._open.add(far)
        sock.sendall(b"\x05\x00\x00\x03\x04back\x00\x07")
        return far

    def _destination(self, sock: socket.socket) -> tuple[str, str, int]:
        kind = exactly(sock, 4)[3]
        if kind == 3:
            what, host = "name", _text(sock)
        else:
            what, size = {1: ("ipv4", 4), 4: ("ipv6", 16)}[kind]
            family = socket.AF_INET if size == 4 else socket.AF_INET6
            host = socket.inet_ntop(family, exactly(sock, size))
        return what, host, struct.unpack(">H", exactly(sock, 2))[0]

    def _relay(self, one: socket.socket, other: socket.socket) -> None:
        self._start(_pump, other, one)
        _pump(one, other)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    _close(source)
    _close(sink)


def _close(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _text(sock: socket.socket) -> str:
    return exactly(sock, exactly(sock, 1)[0]).decode()
