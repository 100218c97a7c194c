"""asyncio: streams as buffered protocols, one timer a read, nothing wrapped in tasks."""

from __future__ import annotations

import asyncio
import inspect
import random
import socket
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from ssl import SSLContext
from typing import Any

from driver.runtime import http, tls_exchange
from driver.runtime.base import SRVRecords, Stream, Task, Waiter
from driver.runtime.blocking import as_proxy_errors, left, tune
from driver.topology.description import Address
from driver.wire.header import Bytes, frame_length
from driver.wire.socks5 import Proxy, greet

_RECEIVE = 64 * 1024
_SEND = 256 * 1024


class AsyncioStream(asyncio.BufferedProtocol):
    """A transport read in whole frames; bytes land in our buffer without a copy."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray(_RECEIVE)
        self._start = 0
        self._end = 0
        self._limit = 0
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._writable = True
        self._reading = True
        self._failure: Exception | None = None

    # Called by the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room after what has been read; a new buffer when there is none left."""
        if self._end == len(self._buffer):
            self._grow(max(_RECEIVE, 2 * (self._end - self._start)))
        return memoryview(self._buffer)[self._end :]

    def buffer_updated(self, nbytes: int) -> None:
        """Wake the reader when its frame is whole; stop the peer when nobody reads."""
        self._end += nbytes
        if self._reader is not None:
            self._wake_reader()
        elif self._transport is not None and self._reading and self._end - self._start > _RECEIVE:
            self._transport.pause_reading()
            self._reading = False

    def eof_received(self) -> None:
        """The peer closed its side."""
        self._fail(EOFError("the server closed the connection"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone."""
        self._fail(exc or EOFError("the connection was closed"))

    def pause_writing(self) -> None:
        """The transport's buffer is full."""
        self._writable = False

    def resume_writing(self) -> None:
        """The transport's buffer has room again."""
        self._writable = True
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # Called by the engine.

    async def write(self, parts: Sequence[Bytes], until: float | None) -> None:
        """Send all of a message; waits only when the transport's buffer is full.

        It is given little at a time, since it copies what it cannot send at once.
        """
        for part in parts:
            for start in range(0, len(part), _SEND):
                if self._failure is not None:
                    raise self._failure
                left(until)
                assert self._transport is not None
                self._transport.write(
                    part if len(part) <= _SEND else memoryview(part)[start : start + _SEND]
                )
                if not self._writable:
                    await self._until_writable(until)

    async def _until_writable(self, until: float | None) -> None:
        self._writer = self._loop.create_future()
        try:
            await self._wait(self._writer, until)
        finally:
            self._writer = None

    async def read_frame(self, limit: int, until: float | None) -> memoryview:
        """One whole frame, at most `limit` bytes."""
        if self._start == self._end:
            self._start = self._end = 0
        self._limit = limit
        length = self._whole_frame()
        if not length:
            if self._failure is not None:
                raise self._failure
            if not self._reading and self._transport is not None:
                self._transport.resume_reading()
                self._reading = True
            self._reader = self._loop.create_future()
            try:
                await self._wait(self._reader, until)
            finally:
                self._reader = None
            length = self._whole_frame()
        start = self._start
        self._start += length
        return memoryview(self._buffer)[start : self._start]

    def has_input(self) -> bool:
        """Whether bytes or the end of the stream wait to be read."""
        return self._failure is not None or self._start != self._end

    def close(self) -> None:
        """Close at once; a pending read fails."""
        if self._transport is not None:
            self._transport.abort()
        self._fail(ConnectionAbortedError("the connection was closed"))

    # Within.

    async def _wait(self, future: asyncio.Future[None], until: float | None) -> None:
        timeout = left(until)
        if timeout is None:
            await future
            return
        timer = self._loop.call_later(timeout, _expire, future)
        try:
            await future
        finally:
            timer.cancel()

    def _whole_frame(self) -> int:
        """The length of the frame at the start if all of it is there, else 0."""
        ready = self._end - self._start
        if ready < 4:
            return 0
        length = frame_length(self._buffer, self._start, self._limit)
        if ready >= length:
            return length
        if self._start + length > len(self._buffer):
            self._grow(length)
        return 0

    def _wake_reader(self) -> None:
        assert self._reader is not None
        if self._reader.done():
            return
        try:
            if self._whole_frame():
                self._reader.set_result(None)
        except Exception as error:  # noqa: BLE001 - handed to the reader
            self._reader.set_exception(error)

    def _grow(self, size: int) -> None:
        # A new buffer, since a view of the last frame may still be in use.
        kept = self._buffer[self._start : self._end]
        self._buffer = bytearray(max(size, len(kept) + _RECEIVE))
        self._buffer[: len(kept)] = kept
        self._start, self._end = 0, len(kept)

    def _fail(self, failure: Exception) -> None:
        self._failure = self._failure or failure
        for future in (self._reader, self._writer):
            if future is not None and not future.done():
                future.set_exception(self._failure)


def _expire(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_exception(TimeoutError("timed out"))


class AsyncioWaiter:
    """A flag over one future."""

    __slots__ = ("_future", "_loop", "_set")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._set = False
        self._future: asyncio.Future[bool] | None = None

    def set(self) -> None:
        """Raise the flag."""
        self._set = True
        if self._future is not None and not self._future.done():
            self._future.set_result(True)

    def clear(self) -> None:
        """Lower the flag."""
        self._set = False

    def is_set(self) -> bool:
        """Whether the flag is up."""
        return self._set

    async def wait(self, timeout: float | None) -> bool:
        """Wait for the flag; False when the time is over first."""
        if self._set:
            return True
        if timeout is not None and timeout <= 0:
            return False
        future: asyncio.Future[bool] = self._loop.create_future()
        self._future = future
        timer = None if timeout is None else self._loop.call_later(timeout, _give_up, future)
        try:
            return await future
        finally:
            self._future = None
            if timer is not None:
                timer.cancel()


def _give_up(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(False)


class AsyncioTask:
    """An asyncio task that is waited for without being cancelled."""

    def __init__(self, coroutine: Coroutine[Any, Any, None], name: str) -> None:
        self._task = asyncio.get_running_loop().create_task(coroutine, name=name)

    async def join(self, timeout: float | None) -> None:
        """Wait for its end, unless it is the caller's own."""
        if self._task is not asyncio.current_task():
            await asyncio.wait({self._task}, timeout=timeout)


class AsyncioRuntime:
    """The world as one event loop sees it; made inside a running loop."""

    now = staticmethod(time.monotonic)
    random = staticmethod(random.random)
    _lock: AbstractContextManager[Any] = nullcontext()

    def lock(self) -> AbstractContextManager[Any]:
        """Nothing to guard: a section without awaits runs alone."""
        return self._lock

    def waiter(self) -> Waiter:
        """A new flag, down."""
        return AsyncioWaiter(asyncio.get_running_loop())

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> Task:
        """Start a task."""
        return AsyncioTask(coroutine, name)

    def after_fork(self, begin: Callable[[], None]) -> None:
        """Nothing to do: an event loop does not survive a fork."""

    async def connect(
        self,
        address: Address,
        until: float | None,
        tls: SSLContext | None,
        proxy: Proxy | None = None,
    ) -> Stream:
        """Open a transport: Unix domain, or TCP with Nagle off and keep-alive on."""
        loop = asyncio.get_running_loop()
        if proxy is not None and address.port is not None:
            return await _through(loop, proxy, address.host, address.port, until, tls)
        async with asyncio.timeout(left(until)):
            if address.port is None:
                _, stream = await loop.create_unix_connection(
                    lambda: AsyncioStream(loop), address.host
                )
                return stream
            transport, stream = await loop.create_connection(
                lambda: AsyncioStream(loop), address.host, address.port, ssl=tls
            )
        _tune(transport)
        return stream

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Await what is `async def`; call all else on a thread."""
        if inspect.iscoroutinefunction(function):
            return await function(*arguments)
        return await asyncio.to_thread(function, *arguments)

    async def http_get(
        self, url: str, headers: Mapping[str, str], until: float, limit: int
    ) -> tuple[int, str]:
        """Status and text of an HTTP answer."""
        return await asyncio.to_thread(http.get, url, headers, until, limit)

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
        await asyncio.to_thread(tls_exchange.exchange, address, tls, message, missing, feed, until)

    async def lookup_srv(self, name: str, until: float) -> SRVRecords:
        """The SRV records of a name."""
        from driver.runtime import dns  # noqa: PLC0415 - slow to import, and seldom needed

        return await dns.srv_async(name, left(until))

    async def lookup_txt(self, name: str, until: float) -> list[str]:
        """The texts of a name's TXT records."""
        from driver.runtime import dns  # noqa: PLC0415 - as above

        return await dns.txt_async(name, left(until))


def _tune(transport: asyncio.BaseTransport) -> None:
    sock: socket.socket | None = transport.get_extra_info("socket")
    if sock is not None:
        tune(sock)


async def _through(
    loop: asyncio.AbstractEventLoop,
    proxy: Proxy,
    host: str,
    port: int,
    until: float | None,
    tls: SSLContext | None,
) -> AsyncioStream:
    """A stream over a socket that the proxy has connected to the host."""
    with as_proxy_errors(proxy):
        async with asyncio.timeout(left(until)):
            sock = await _connected_by(loop, proxy, host, port)
    try:
        async with asyncio.timeout(left(until)):
            transport, stream = await loop.create_connection(
                lambda: AsyncioStream(loop),
                sock=sock,
                ssl=tls,
                server_hostname=host if tls is not None else None,
            )
    except BaseException:
        sock.close()
        raise
    _tune(transport)
    return stream


async def _connected_by(
    loop: asyncio.AbstractEventLoop, proxy: Proxy, host: str, port: int
) -> socket.socket:
    found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
    sock = await _first_of(loop, found)
    try:
        steps = greet(proxy, host, port)
        step = next(steps)
        while True:
            await loop.sock_sendall(sock, step.send)
            step = steps.send(await _exactly(loop, sock, step.read))
    except StopIteration:
        return sock
    except BaseException:
        sock.close()
        raise


async def _first_of(loop: asyncio.AbstractEventLoop, found: list[Any]) -> socket.socket:
    """A socket connected to the first address that takes it."""
    failure: OSError = OSError("its name has no address")
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


async def _exactly(loop: asyncio.AbstractEventLoop, sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = await loop.sock_recv(sock, size - len(data))
        if not part:
            raise EOFError("it closed the connection")
        data += part
    return data


def in_event_loop() -> bool:
    """Whether the caller runs inside an event loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
