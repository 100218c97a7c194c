from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from runners.adapters.base import AdapterError
from runners.adapters.pymongo_api.driving import Inline, Loop, settle


async def _value() -> int:
    return 7


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.stop()


def test_settle_gives_plain_values_and_awaits_the_others() -> None:
    assert Inline().run(settle(3)) == 3
    assert asyncio.run(settle(_value())) == 7


def test_a_sync_driver_that_suspends_is_an_error() -> None:
    with pytest.raises(AdapterError, match="suspended"):
        Inline().run(asyncio.sleep(0))


def test_inline_runs_on_the_calling_thread() -> None:
    driving = Inline()

    async def where() -> tuple[int, int]:
        return threading.get_ident(), await driving.offload(threading.get_ident)

    here = threading.get_ident()
    assert driving.run(where()) == (here, here)


def test_the_loop_has_a_thread_of_its_own_and_offloads_to_others(loop: Loop) -> None:
    async def where() -> tuple[int, int]:
        return threading.get_ident(), await loop.offload(threading.get_ident)

    on, off = loop.run(where())
    assert len({threading.get_ident(), on, off}) == 3


def test_the_loop_serves_a_nested_run_of_an_offloaded_function(loop: Loop) -> None:
    async def outer() -> int:
        return await loop.offload(lambda: loop.run(_value()))

    assert loop.run(outer()) == 7


def test_callbacks_have_the_form_that_the_driver_calls(loop: Loop) -> None:
    async def add(left: int, right: int) -> int:
        return left + right

    assert Inline().callback(add)(2, 3) == 5
    assert loop.callback(add) is add


def test_errors_come_out_of_run(loop: Loop) -> None:
    async def fail() -> None:
        raise KeyError("x")

    for driving in (Inline(), loop):
        with pytest.raises(KeyError):
            driving.run(fail())


def test_stop_cancels_what_still_runs() -> None:
    loop = Loop()
    cancelled = threading.Event()
    started = threading.Event()

    async def forever() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(forever())

    task = loop.run(start())
    started.wait(5)
    loop.stop()
    assert cancelled.is_set()
    assert task.cancelled()
