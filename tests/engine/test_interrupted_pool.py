"""Clearing a pool under its users, in virtual time: who is interrupted, and what they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from driver.engine.connection import DEFAULT_CODEC
from driver.engine.handshake import Dialer
from driver.engine.pool import Pool
from driver.errors import RETRYABLE, MongoError, PoolClearedError
from driver.events import ConnectionCheckOutFailedEvent, ConnectionClosedEvent
from driver.metadata import ClientMetadata
from driver.operations.base import Command
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.runtime.base import Stream
from driver.runtime.simulated import SimulatedRuntime
from driver.topology.description import Address
from driver.wire.header import HEADER, OP_MSG, Bytes
from driver.wire.message import op_msg
from tests.engine.recording import Recorder


class Peer:
    """Answers as many requests as it is told, and is silent then."""

    def __init__(self, world: SimulatedRuntime, answers: int) -> None:
        self._closed = world.waiter()
        self._left = answers
        self._request = 0

    async def write(self, parts: Sequence[Bytes], until: float | None) -> None:
        if self._closed.is_set():
            raise OSError("closed")
        _, self._request, _, _ = HEADER.unpack_from(parts[0])

    async def read_frame(self, limit: int, until: float | None) -> memoryview:
        if not self._left:
            await self._closed.wait(None)
            raise EOFError("closed")
        self._left -= 1
        hello = {"ok": 1, "maxWireVersion": 25}
        reply = bytearray().join(op_msg(self._request, hello, DEFAULT_CODEC))
        HEADER.pack_into(reply, 0, len(reply), 1, self._request, OP_MSG)
        return memoryview(reply)

    def has_input(self) -> bool:
        return False

    def close(self) -> None:
        self._closed.set()


class World:
    """A pool, its events, and what it reported as failures; connecting takes a second."""

    def __init__(self, answers: int) -> None:
        async def connect(address: Address) -> Stream:
            await self.runtime.waiter().wait(1)
            return Peer(self.runtime, answers)

        self.runtime = SimulatedRuntime(connect)
        self.heard = Recorder()
        self.failures: list[MongoError] = []
        self.publisher = Publisher([self.heard], self.runtime.lock())
        options = ClientOptions.resolve("mongodb://a:1")
        dialer = Dialer(options, self.runtime, self.publisher, ClientMetadata(options))
        common = (Address("a", 1), options, self.runtime, self.publisher, dialer)
        self.pool = Pool(*common, lambda error, *_: self.failures.append(error))
        self.pool.ready()

    async def after(self, seconds: float, do: Callable[[], None]) -> None:
        await self.runtime.waiter().wait(seconds)
        do()
        self.publisher.drain()


def clear(world: World, interrupt: bool) -> Callable[[], None]:
    return lambda: world.pool.clear(None, interrupt_in_use=interrupt)


@pytest.mark.parametrize(
    "moment", [pytest.param(0.5, id="connecting"), pytest.param(1.5, id="shaking hands")]
)
def test_a_pending_connection_is_interrupted(moment: float) -> None:
    world = World(answers=0)

    async def act() -> None:
        world.runtime.spawn(world.after(moment, clear(world, interrupt=True)), "clear")
        with pytest.raises(PoolClearedError, match="interrupted") as caught:
            await world.pool.check_out()
        assert RETRYABLE not in caught.value.labels
        assert caught.value.host == "a:1"
        assert world.runtime.now() == max(moment, 1)

    world.runtime.run(act())
    (closed,) = world.heard.of(ConnectionClosedEvent)
    (failed,) = world.heard.of(ConnectionCheckOutFailedEvent)
    assert (closed.reason, failed.reason) == ("error", "connectionError")
    assert world.failures == [failed.error]


def test_a_connection_in_use_is_interrupted() -> None:
    world = World(answers=1)

    async def act() -> None:
        connection = await world.pool.check_out()
        world.runtime.spawn(world.after(1, clear(world, interrupt=True)), "clear")
        with pytest.raises(PoolClearedError, match="interrupted"):
            await connection.run(Command("t", {"ping": 1}), publisher=world.publisher)
        world.pool.check_in(connection)

    world.runtime.run(act())
    assert [event.reason for event in world.heard.of(ConnectionClosedEvent)] == ["error"]


@pytest.mark.parametrize("interrupt", [False, True])
def test_only_what_the_clear_made_stale_is_interrupted(interrupt: bool) -> None:
    world = World(answers=2)

    async def act() -> dict[str, Any]:
        clear(world, interrupt)()
        world.pool.ready()
        connection = await world.pool.check_out()
        return await connection.run(Command("t", {"ping": 1}), publisher=world.publisher)

    assert world.runtime.run(act())["ok"] == 1


def test_without_interruption_a_pending_connection_is_made() -> None:
    world = World(answers=2)

    async def act() -> None:
        world.runtime.spawn(world.after(0.5, clear(world, interrupt=False)), "clear")
        connection = await world.pool.check_out()
        reply = await connection.run(Command("t", {"ping": 1}), publisher=world.publisher)
        assert reply["ok"] == 1
        world.pool.check_in(connection)

    world.runtime.run(act())
    assert [event.reason for event in world.heard.of(ConnectionClosedEvent)] == ["stale"]
