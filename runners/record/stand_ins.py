"""Servers of our own in the place of a deployment's: a port on the loopback for each of them.

A driver learns a replica set's members from hello replies, so these have to name the stand-ins.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar

from runners.model import DeploymentInfo, Json, JsonObject
from runners.unified.uri import Uri

Serve: TypeAlias = Callable[[str, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one connection to the stand-in of a server, which is given as `host:port`."""

J = TypeVar("J", bound=Json)

_LOOPBACK: Final = "127.0.0.1"
_DEFAULT_PORT: Final = "27017"
_BACKLOG: Final = 1024
_LISTS: Final = ("hosts", "passives", "arbiters")
_NAMES: Final = ("me", "primary")


class StandIns:
    """Stand-ins as long as the context lasts, on an event loop of their own.

    One is made when its address is first asked for. Safe on many threads.
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self._sockets: list[socket.socket] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="stand-ins", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(_end_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        for each in self._sockets:
            each.close()

    def address(self, host: str) -> str:
        """Where the stand-in of a server listens."""
        host = with_port(host)
        with self._lock:
            if host not in self._addresses:
                listening = socket.create_server((_LOOPBACK, 0), backlog=_BACKLOG)
                self._sockets.append(listening)
                self._addresses[host] = f"{_LOOPBACK}:{listening.getsockname()[1]}"
                asyncio.run_coroutine_threadsafe(self._listen(host, listening), self._loop)
            return self._addresses[host]

    async def _listen(self, host: str, listening: socket.socket) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await self._serve(host, reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass  # The driver closed its end; or all stand-ins end.
            finally:
                writer.close()

        async with await asyncio.start_server(serve, sock=listening) as server:
            await server.serve_forever()

    def real(self, value: J) -> J:
        """JSON with the servers' own addresses in the place of the stand-ins'."""
        with self._lock:
            hosts = {address: host for host, address in self._addresses.items()}
        if not hosts:
            return value
        known = re.compile(rf"(?<![\w.])(?:{'|'.join(map(re.escape, hosts))})(?!\d)")
        text = known.sub(lambda found: hosts[found[0]], json.dumps(value))
        result: J = json.loads(text)
        return result

    def in_hello(self, reply: JsonObject) -> JsonObject:
        """A hello reply as a client of the stand-ins has to see it.

        Without compression, so that all that follows can be read.
        """
        seen = {name: value for name, value in reply.items() if name != "compression"}
        for name in _LISTS:
            if isinstance(members := seen.get(name), list):
                seen[name] = [self.address(str(each)) for each in members]
        for name in _NAMES:
            if isinstance(member := seen.get(name), str) and member:
                seen[name] = self.address(member)
        return seen

    def of(self, info: DeploymentInfo) -> DeploymentInfo:
        """A deployment as it is reached through the stand-ins."""
        single = info.single_mongos_uri
        return replace(
            info,
            uri=self._uri(info.uri),
            hosts=tuple(map(self.address, info.hosts)),
            single_mongos_uri=None if single is None else self._uri(single),
        )

    def _uri(self, text: str) -> str:
        uri = Uri.parse(text)
        return str(replace(uri, hosts=tuple(map(self.address, uri.hosts))))


async def _end_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)  # a turn of the loop, in which closed connections are let go


def with_port(host: str) -> str:
    """An address as hello replies have it."""
    return host if re.search(r":\d+$", host) else f"{host}:{_DEFAULT_PORT}"


def split(host: str) -> tuple[str, int]:
    """The name and the port of an address."""
    name, _, port = host.rpartition(":")
    return name.strip("[]"), int(port)
