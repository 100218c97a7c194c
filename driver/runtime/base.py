"""What the engine asks of the world outside it.

The engine is written once, as `async def`, and awaits nothing but the methods below. In the
blocking runtime they do their work and never suspend; in the asyncio runtime they suspend.
`until` is a moment on the clock `now`, or None for no limit, so that one deadline serves all steps;
a timeout is seconds from now. Being late raises `TimeoutError`, a broken peer `OSError` or
`EOFError`, and bytes that are no frame `ProtocolError`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from ssl import SSLContext
from typing import Any, NamedTuple, Protocol

from driver.topology.description import Address
from driver.wire.header import Bytes
from driver.wire.socks5 import Proxy


class Stream(Protocol):
    """A connection's bytes, cut into length-prefixed frames."""

    async def write(self, parts: Sequence[Bytes], until: float | None) -> None:
        """Send all of a message."""

    async def read_frame(self, limit: int, until: float | None) -> memoryview:
        """One whole frame, header included; at most `limit` bytes.

        The view is valid until the next read on this stream.
        """

    def has_input(self) -> bool:
        """Whether bytes or the end of the stream wait to be read; true means an idle one broke."""

    def close(self) -> None:
        """Close; a read that is under way elsewhere fails. May be called twice."""


class Waiter(Protocol):
    """A flag that one coroutine waits for and others raise."""

    def set(self) -> None:
        """Raise the flag and wake whoever waits."""

    def clear(self) -> None:
        """Lower the flag."""

    def is_set(self) -> bool:
        """Whether the flag is up."""

    async def wait(self, timeout: float | None) -> bool:
        """Wait for the flag; False when the time is over first."""


class Task(Protocol):
    """A coroutine that runs beside its maker."""

    async def join(self, timeout: float | None) -> None:
        """Wait for its end, at most `timeout`; returns either way."""


class SRVRecords(NamedTuple):
    """What DNS lists under a name: different hosts, and for how many seconds that is good."""

    hosts: tuple[Address, ...]
    ttl: float


class Runtime(Protocol):
    """Sockets, waiting, tasks and the clock."""

    def now(self) -> float:
        """Seconds on a monotonic clock."""

    def random(self) -> float:
        """A number in [0, 1)."""

    def lock(self) -> AbstractContextManager[Any]:
        """A mutex for a section without awaits; it may be entered again by its holder."""

    def waiter(self) -> Waiter:
        """A new flag, down."""

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> Task:
        """Start a coroutine beside the caller."""

    def after_fork(self, begin: Callable[[], None]) -> None:
        """Call a method again in every forked child, as long as its object lives."""

    async def connect(
        self,
        address: Address,
        until: float | None,
        tls: SSLContext | None,
        proxy: Proxy | None = None,
    ) -> Stream:
        """Open a stream to `address`, through a proxy unless it is a Unix domain socket.

        What goes wrong with a proxy raises ProxyError.
        """

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call what may block; or, where there is an event loop, await what is `async def`."""

    async def http_get(
        self, url: str, headers: Mapping[str, str], until: float, limit: int
    ) -> tuple[int, str]:
        """Status and text of an HTTP answer of at most `limit` bytes; raises OSError."""

    async def exchange(
        self,
        address: Address,
        tls: SSLContext,
        message: bytes,
        missing: Callable[[], int],
        feed: Callable[[bytes], object],
        until: float,
    ) -> None:
        """Send a message over TLS and `feed` its answer, until no bytes are `missing`.

        Raises OSError, and what `feed` raises.
        """

    async def lookup_srv(self, name: str, until: float) -> SRVRecords:
        """The SRV records of a name; raises OSError with the reason where there are none."""

    async def lookup_txt(self, name: str, until: float) -> list[str]:
        """The texts of a name's TXT records; raises OSError where DNS fails."""


FRAME_HEADER = 16
