"""The reference driver's answer for the CMAP format: a pool of the engine's, led by a script.

The question `cmap` has `poolOptions` and `operations` as in the file and, for a real server, its
`uri`. The answer has the `events` until the script's end, as the format spells them, and the
`error` that ended it (`type`, `message`, `address`), or null.

Without a `uri` the pool lives in a simulated world, where waiting takes no time and a peer answers
each hello after a moment; with one, in the driver's own runtime.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from driver import events
from driver.engine.connection import DEFAULT_CODEC, Connection
from driver.engine.handshake import Dialer
from driver.engine.pool import Pool
from driver.errors import MongoError
from driver.metadata import ClientMetadata
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.runtime.base import Runtime
from driver.runtime.simulated import SimulatedRuntime
from driver.topology.failures import application_error
from driver.topology.transitions import initial
from driver.wire.header import HEADER, OP_MSG, Bytes
from driver.wire.message import op_msg
from runners.model import Json, JsonObject

Ask = Callable[[JsonObject], Json]

PATIENCE = 20.0
"""Seconds for an event, or a thread's end, where the file names no limit."""
MOST = 60.0
"""Seconds that a file's own waits may take."""

_NOWHERE = "mongodb://simulated.example:27017/?directConnection=true"
_ROUND_TRIP = 0.001
_INTERVAL = "backgroundThreadIntervalMS"
_HELLO = {"ok": 1, "isWritablePrimary": True, "minWireVersion": 0, "maxWireVersion": 25}


def cmap(
    runtime: Callable[[], Runtime], run: Callable[[Coroutine[Any, Any, Json]], Json]
) -> dict[str, Ask]:
    """The format's question, over a runtime where there is a server; `run` runs a coroutine."""

    def answer(asked: JsonObject) -> Json:
        if "uri" in asked:
            return run(_ask(asked, runtime))
        world = SimulatedRuntime(lambda address: _connect(world))
        return world.run(_ask(asked, lambda: world))

    return {"cmap": answer}


class _Stuck(Exception):
    """The pool does not do what the script needs to go on."""


async def _ask(asked: Any, make_runtime: Callable[[], Runtime]) -> Json:
    runtime = make_runtime()
    heard = _Heard(runtime)
    publisher = Publisher([heard], runtime.lock())
    pool = _pool(asked.get("uri", _NOWHERE), asked["poolOptions"], runtime, publisher)
    publisher.drain()
    script = _Script(pool, publisher, heard, runtime)
    main = _Thread("the main thread", script.go_on, runtime)
    error: Json = None
    try:
        for operation in asked["operations"]:
            main.hand(operation)
        await main.join(2 * MOST)
    except (MongoError, _Stuck) as failure:
        error = _described(failure)
    seen: list[Json] = [*heard.events]
    await script.end()
    return {"events": seen, "error": error}


def _described(error: MongoError | _Stuck) -> Json:
    """An error as the format spells it."""
    if isinstance(error, MongoError):
        kind = type(error).__name__
        return {"type": kind, "message": error.message, "address": error.host}
    return {"type": "Stuck", "message": str(error)}


def _pool(uri: str, options: Mapping[str, Any], runtime: Runtime, publisher: Publisher) -> Pool:
    """A pool of the only server, cleared when the driver says that a failure asks for it."""
    keywords = {name: value for name, value in options.items() if name != _INTERVAL}
    resolved = ClientOptions.resolve(uri, **keywords)
    (address,) = resolved.seeds
    topology = initial([address], direct_connection=True, load_balanced=False, set_name=None)

    def on_failure(error: MongoError, generation: int, service_id: Any) -> None:
        effect = application_error(
            topology,
            address,
            error,
            handshake_completed=False,
            generation=generation,
            pool_generation=pool.generation_of(service_id),
        )
        if effect.clear_pool:
            pool.clear(error, interrupt_in_use=effect.interrupt_in_use)
            publisher.drain()

    dialer = Dialer(resolved, runtime, publisher, ClientMetadata(resolved))
    interval = options.get(_INTERVAL, 1000)
    pool = Pool(
        address,
        resolved,
        runtime,
        publisher,
        dialer,
        on_failure,
        interval / 1000 if interval > 0 else None,
    )
    return pool


class _Script:
    """A case's operations, on a pool and in threads of their own."""

    def __init__(self, pool: Pool, publisher: Publisher, heard: _Heard, runtime: Runtime) -> None:
        self._pool = pool
        self._publisher = publisher
        self._heard = heard
        self._runtime = runtime
        self._connections: dict[str, Connection] = {}
        self._threads: dict[str, _Thread] = {}

    async def go_on(self, operation: Mapping[str, Any]) -> None:
        """The next operation, or its hand-over to its thread."""
        thread = operation.get("thread")
        if thread is None:
            await self._perform(operation)
        else:
            self._threads[thread].hand(operation)

    async def end(self) -> None:
        """Close the pool and every connection; no thread goes on."""
        self._pool.clear(None, interrupt_in_use=True)
        await self._pool.close()
        for thread in self._threads.values():
            thread.finish()

    async def _perform(self, operation: Mapping[str, Any]) -> None:
        pool = self._pool
        match operation["name"]:
            case "start":
                name = operation["target"]
                self._threads[name] = _Thread(name, self._perform, self._runtime)
            case "wait":
                await self._runtime.waiter().wait(operation["ms"] / 1000)
            case "waitForThread":
                await self._threads[operation["target"]].join(PATIENCE)
            case "waitForEvent":
                timeout = operation.get("timeout", PATIENCE * 1000) / 1000
                await self._heard.wait_for(operation["event"], operation["count"], timeout)
            case "checkOut":
                connection = await pool.check_out()
                self._connections[operation.get("label", "")] = connection
            case "checkIn":
                label = operation["connection"]
                if label not in self._connections:
                    raise _Stuck(f"{label} cannot be checked in, it was never checked out")
                pool.check_in(self._connections[label])
            case "clear":
                interrupt = operation.get("interruptInUseConnections", False)
                pool.clear(None, interrupt_in_use=interrupt)
            case "ready":
                pool.ready()
            case "close":
                await pool.close()
        self._publisher.drain()


class _Thread:
    """Performs what it is handed, in order, until the first error."""

    def __init__(
        self,
        name: str,
        perform: Callable[[Mapping[str, Any]], Coroutine[Any, Any, None]],
        runtime: Runtime,
    ) -> None:
        self._name = name
        self._perform = perform
        self._handed: deque[Mapping[str, Any]] = deque()
        self._finishing = False
        self._more = runtime.waiter()
        self._ended = runtime.waiter()
        self._error: Exception | None = None
        runtime.spawn(self._run(), name)

    def hand(self, operation: Mapping[str, Any]) -> None:
        """Let it perform an operation after those before."""
        self._handed.append(operation)
        self._more.set()

    def finish(self) -> None:
        """Let it end when it has done what it was handed."""
        self._finishing = True
        self._more.set()

    async def join(self, patience: float) -> None:
        """Wait for its end, and raise its error."""
        self.finish()
        if not await self._ended.wait(patience):
            raise _Stuck(f"{self._name} is still busy after {patience:g} s")
        if self._error is not None:
            raise self._error

    async def _run(self) -> None:
        try:
            while self._handed or not self._finishing:
                while self._handed:
                    await self._perform(self._handed.popleft())
                if not self._finishing:
                    await self._more.wait(None)
                    self._more.clear()
        except (MongoError, _Stuck) as error:
            self._error = error
        finally:
            self._ended.set()


class _Heard(events.ConnectionPoolListener):
    """The pool's events as the format spells them."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.events: list[JsonObject] = []
        self._waiting: list[Any] = []

    def _hear(self, event: Any) -> None:
        self.events.append(_event(event))
        for waiter in self._waiting.copy():
            waiter.set()

    pool_created = pool_ready = pool_cleared = pool_closed = _hear
    connection_created = connection_ready = connection_closed = connection_checked_in = _hear
    connection_check_out_started = connection_check_out_failed = connection_checked_out = _hear

    async def wait_for(self, kind: str, count: int, timeout: float) -> None:
        """Wait until there were `count` of these events."""
        waiter = self._runtime.waiter()
        self._waiting.append(waiter)
        until = self._runtime.now() + timeout
        while (seen := sum(event["type"] == kind for event in self.events)) < count:
            left = until - self._runtime.now()
            if left <= 0 or not await waiter.wait(left):
                raise _Stuck(f"{kind} was seen {seen} times in {timeout:g} s, not {count}")
            waiter.clear()
        self._waiting.remove(waiter)


def _event(event: Any) -> JsonObject:
    kind = type(event).__name__.removesuffix("Event")
    told: JsonObject = {
        "type": f"Connection{kind}" if kind.startswith("Pool") else kind,
        "address": str(event.address),
    }
    if isinstance(event, events.PoolCreatedEvent):
        told["options"] = {**event.options}
    if isinstance(event, events.PoolClearedEvent):
        told["interruptInUseConnections"] = event.interrupt_in_use_connections
    if hasattr(event, "connection_id"):
        told["connectionId"] = event.connection_id
    if hasattr(event, "duration"):
        told["duration"] = event.duration * 1000
    if hasattr(event, "reason"):
        told["reason"] = event.reason
    return told


class _Peer:
    """A stream at whose other end every hello is answered after a moment."""

    def __init__(self, world: SimulatedRuntime) -> None:
        self._world = world
        self._closed = world.waiter()
        self._asked = 0

    async def write(self, parts: Sequence[Bytes], until: float | None) -> None:
        """Take a request."""
        _, self._asked, _, _ = HEADER.unpack_from(parts[0])

    async def read_frame(self, limit: int, until: float | None) -> memoryview:
        """Answer it."""
        if await self._closed.wait(_ROUND_TRIP):
            raise EOFError("the stream was closed")
        reply = bytearray().join(op_msg(self._asked, _HELLO, DEFAULT_CODEC))
        HEADER.pack_into(reply, 0, len(reply), self._asked, self._asked, OP_MSG)
        return memoryview(reply)

    def has_input(self) -> bool:
        """Nothing comes unasked."""
        return False

    def close(self) -> None:
        """End a read that is under way."""
        self._closed.set()


async def _connect(world: SimulatedRuntime) -> _Peer:
    return _Peer(world)
