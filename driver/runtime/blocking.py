"""Threads and blocking sockets: every awaited method finishes without suspending."""

from __future__ import annotations

import os
import random
import select
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from ssl import SSLContext
from typing import Any, TypeVar
from weakref import WeakMethod

from driver.runtime import http, tls_exchange
from driver.runtime.base import SRVRecords, Stream, Task, Waiter
from driver.topology.description import Address
from driver.wire.header import Bytes, frame_length
from driver.wire.socks5 import Proxy, ProxyError, ProxyTimeoutError, greet

T = TypeVar("T")

_RECEIVE = 64 * 1024


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run an engine coroutine to its end on this thread.

    The blocking runtime never suspends, so one `send` is enough; anything else is a bug.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise RuntimeError("the engine awaited something that is not the blocking runtime")


class BlockingStream:
    """A socket read in whole frames through one buffer that is used again and again."""

    __slots__ = ("_buffer", "_end", "_socket", "_start", "_timeout")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._buffer = bytearray(_RECEIVE)
        self._start = 0
        self._end = 0
        self._timeout = sock.gettimeout()

    async def write(self, parts: Sequence[Bytes], until: float | None) -> None:
        """Send all of a message."""
        for part in parts:
            if until is not None or self._timeout is not None:
                self._limit(until)
            self._socket.sendall(part)

    async def read_frame(self, limit: int, until: float | None) -> memoryview:
        """One whole frame; the time limit is for all of it, not for each read."""
        if self._start == self._end:
            self._start = self._end = 0
        self._fill(4, until)
        length = frame_length(self._buffer, self._start, limit)
        if self._end - self._start < length:
            self._fill(length, until)
        start = self._start
        self._start += length
        return memoryview(self._buffer)[start : self._start]

    def _fill(self, size: int, until: float | None) -> None:
        """Read until `size` bytes from the start are there."""
        if self._end - self._start >= size:
            return
        if self._start + size > len(self._buffer):
            kept = self._buffer[self._start : self._end]
            # A new buffer, since a view of the last frame may still be in use.
            self._buffer = bytearray(max(_RECEIVE, size))
            self._buffer[: len(kept)] = kept
            self._start, self._end = 0, len(kept)
        view = memoryview(self._buffer)
        while self._end - self._start < size:
            if until is not None or self._timeout is not None:
                self._limit(until)
            count = self._socket.recv_into(view[self._end :])
            if count == 0:
                raise EOFError("the server closed the connection")
            self._end += count

    def _limit(self, until: float | None) -> None:
        timeout = left(until)
        if timeout != self._timeout:
            self._socket.settimeout(timeout)
            self._timeout = timeout

    def has_input(self) -> bool:
        """Whether the socket has something to read (or is closed)."""
        if self._start != self._end:
            return True
        try:
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True

    def close(self) -> None:
        """Shut the socket down first, so that a read on another thread ends."""
        with suppress(OSError):  # not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


class BlockingWaiter(threading.Event):
    """A `threading.Event` whose wait is a coroutine that never suspends."""

    async def wait(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """Wait for the flag; False when the time is over first."""
        return super().wait(timeout)


class ThreadTask:
    """A coroutine on a daemon thread."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        self._thread = threading.Thread(target=run, args=(coroutine,), name=name, daemon=True)
        self._thread.start()

    async def join(self, timeout: float | None) -> None:
        """Wait for the thread, unless it is the caller's own."""
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)


# Threads and sockets stay with the parent of a fork: children must not use their copies.
_forgotten_in_children: list[WeakMethod[Callable[[], None]]] = []


def _begin_in_child() -> None:
    errors = []
    for method in _forgotten_in_children.copy():  # beginning anew may free others
        begin = method()
        try:
            if begin is not None:
                begin()
        except Exception as error:  # noqa: BLE001 - the other clients must begin anew all the same
            errors.append(error)
    if errors:
        raise ExceptionGroup("clients that cannot be used after a fork", errors)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)


class BlockingRuntime:
    """The world as plain threads see it."""

    now = staticmethod(time.monotonic)
    random = staticmethod(random.random)

    def lock(self) -> AbstractContextManager[Any]:
        """A mutex that its holder may enter again."""
        return threading.RLock()

    def waiter(self) -> Waiter:
        """A new flag, down."""
        return BlockingWaiter()

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> Task:
        """Start a daemon thread."""
        return ThreadTask(coroutine, name)

    def after_fork(self, begin: Callable[[], None]) -> None:
        """Call a method again in every forked child, as long as its object lives."""
        _forgotten_in_children.append(WeakMethod(begin, _forgotten_in_children.remove))

    async def connect(
        self,
        address: Address,
        until: float | None,
        tls: SSLContext | None,
        proxy: Proxy | None = None,
    ) -> Stream:
        """Open a socket: Unix domain, or TCP with Nagle off and keep-alive on."""
        if address.port is None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(left(until))
                sock.connect(address.host)
            except BaseException:
                sock.close()
                raise
            return BlockingStream(sock)
        if proxy is None:
            sock = socket.create_connection((address.host, address.port), left(until))
        else:
            sock = _through(proxy, address.host, address.port, until)
        try:
            tune(sock)
            if tls is not None:
                sock.settimeout(left(until))
                sock = tls.wrap_socket(sock, server_hostname=address.host)
        except BaseException:
            sock.close()
            raise
        return BlockingStream(sock)

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call it."""
        return function(*arguments)

    async def http_get(
        self, url: str, headers: Mapping[str, str], until: float, limit: int
    ) -> tuple[int, str]:
        """Status and text of an HTTP answer."""
        return http.get(url, headers, until, limit)

    async def exchange(
        self,
        address: Address,
        tls: SSLContext,
        message: bytes,
        missing: Callable[[], int],
        feed: Callable[[bytes], object],
        until: float,
    ) -> None:
        """Send a message over TLS and feed its answer."""
        tls_exchange.exchange(address, tls, message, missing, feed, until)

    async def lookup_srv(self, name: str, until: float) -> SRVRecords:
        """The SRV records of a name."""
        from driver.runtime import dns  # noqa: PLC0415 - slow to import, and seldom needed

        return dns.srv(name, left(until))

    async def lookup_txt(self, name: str, until: float) -> list[str]:
        """The texts of a name's TXT records."""
        from driver.runtime import dns  # noqa: PLC0415 - as above

        return dns.txt(name, left(until))


def _through(proxy: Proxy, host: str, port: int, until: float | None) -> socket.socket:
    """A socket that the proxy has connected to the host."""
    with as_proxy_errors(proxy):
        sock = socket.create_connection((proxy.host, proxy.port), left(until))
        try:
            steps = greet(proxy, host, port)
            step = next(steps)
            while True:
                sock.settimeout(left(until))
                sock.sendall(step.send)
                step = steps.send(_exactly(sock, step.read, until))
        except StopIteration:
            return sock
        except BaseException:
            sock.close()
            raise


def _exactly(sock: socket.socket, size: int, until: float | None) -> bytes:
    data = b""
    while len(data) < size:
        sock.settimeout(left(until))
        part = sock.recv(size - len(data))
        if not part:
            raise EOFError("it closed the connection")
        data += part
    return data


@contextmanager
def as_proxy_errors(proxy: Proxy) -> Iterator[None]:
    """Say of errors of the network that it is the proxy they are about."""
    try:
        yield
    except ProxyError:
        raise
    except TimeoutError as error:
        raise ProxyTimeoutError(f"the proxy {proxy.host}:{proxy.port} took too long") from error
    except (OSError, EOFError) as error:
        raise ProxyError(f"the proxy {proxy.host}:{proxy.port} failed: {error}") from error


def left(until: float | None) -> float | None:
    """Seconds until then; raises TimeoutError when it has passed."""
    if until is None:
        return None
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds


def tune(sock: socket.socket) -> None:
    """Set the TCP options that the connection-establishment part of the specs asks for."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, most in (("TCP_KEEPIDLE", 120), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 9)):
        option = getattr(socket, name, None)
        if option is not None and sock.getsockopt(socket.IPPROTO_TCP, option) > most:
            sock.setsockopt(socket.IPPROTO_TCP, option, most)
