"""The simulated runtime: time passes only while everybody waits."""

from __future__ import annotations

import pytest

from driver.runtime.base import Stream
from driver.runtime.simulated import SimulatedRuntime, Standstill
from driver.topology.description import Address


async def nowhere(address: Address) -> Stream:
    raise ConnectionRefusedError(str(address))


@pytest.fixture
def world() -> SimulatedRuntime:
    return SimulatedRuntime(nowhere)


def test_an_hour_passes_at_once(world: SimulatedRuntime) -> None:
    async def act() -> tuple[float, bool]:
        raised = await world.waiter().wait(3600)
        return world.now(), raised

    assert world.run(act()) == (3600, False)


def test_a_flag_ends_a_wait_before_its_time(world: SimulatedRuntime) -> None:
    flag = world.waiter()

    async def raise_it() -> None:
        await world.waiter().wait(2)
        flag.set()

    async def act() -> tuple[bool, float]:
        world.spawn(raise_it(), "other")
        return await flag.wait(5), world.now()

    assert world.run(act()) == (True, 2)


def test_a_flag_wakes_all_who_wait_in_order(world: SimulatedRuntime) -> None:
    flag = world.waiter()
    told: list[str] = []

    async def wait(name: str) -> None:
        await flag.wait(None)
        told.append(name)

    async def act() -> None:
        tasks = [world.spawn(wait(name), name) for name in "abc"]
        await world.waiter().wait(1)
        assert told == []
        flag.set()
        for task in tasks:
            await task.join(1)

    world.run(act())
    assert told == ["a", "b", "c"]
    assert world.now() == 1


def test_waits_end_in_the_order_of_their_moments(world: SimulatedRuntime) -> None:
    ended: list[float] = []

    async def wait(seconds: float) -> None:
        await world.waiter().wait(seconds)
        ended.append(world.now())

    async def act() -> None:
        for seconds in (3, 1, 2):
            world.spawn(wait(seconds), str(seconds))
        await world.waiter().wait(10)

    world.run(act())
    assert ended == [1, 2, 3]


def test_a_raised_flag_and_no_time_are_no_wait(world: SimulatedRuntime) -> None:
    async def act() -> list[bool]:
        flag = world.waiter()
        lowered = await flag.wait(0)
        flag.set()
        raised = await flag.wait(None)
        flag.clear()
        return [lowered, raised, flag.is_set()]

    assert world.run(act()) == [False, True, False]


def test_joining_is_limited(world: SimulatedRuntime) -> None:
    async def wait() -> None:
        await world.waiter().wait(9)

    async def act() -> list[float]:
        task = world.spawn(wait(), "long")
        await task.join(4)
        first = world.now()
        await task.join(None)
        return [first, world.now()]

    assert world.run(act()) == [4, 9]


def test_a_wait_for_nothing_is_a_standstill(world: SimulatedRuntime) -> None:
    async def act() -> None:
        await world.waiter().wait(None)

    with pytest.raises(Standstill, match="waits in vain"):
        world.run(act())


def test_an_error_comes_out_wherever_it_was_raised(world: SimulatedRuntime) -> None:
    async def fail() -> None:
        raise KeyError("other")

    async def act() -> None:
        world.spawn(fail(), "other")
        await world.waiter().wait(1)

    with pytest.raises(KeyError, match="other"):
        world.run(act())


def test_the_end_stops_what_was_spawned(world: SimulatedRuntime) -> None:
    ended: list[bool] = []

    async def wait() -> None:
        try:
            await world.waiter().wait(None)
        finally:
            ended.append(True)

    async def act() -> None:
        world.spawn(wait(), "left behind")
        await world.waiter().wait(1)

    world.run(act())
    assert ended == [True]


def test_the_network_is_the_one_given_and_there_is_no_dns(world: SimulatedRuntime) -> None:
    async def act() -> None:
        with pytest.raises(ConnectionRefusedError):
            await world.connect(Address("a", 1), None, None)
        with pytest.raises(OSError, match="no DNS"):
            await world.lookup_srv("a", 1)
        with pytest.raises(OSError, match="no DNS"):
            await world.lookup_txt("a", 1)

    world.run(act())


def test_random_numbers_are_the_same_each_time() -> None:
    assert SimulatedRuntime(nowhere).random() == SimulatedRuntime(nowhere).random()
    assert SimulatedRuntime(nowhere, 1).random() != SimulatedRuntime(nowhere, 2).random()
