"""The same test for both shells: an async client, and the sync one behind the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import AsyncMongoClient, MongoClient
from driver.engine.handshake import Dialer
from driver.errors import ConnectionFailure
from driver.metadata import ClientMetadata
from driver.options import ClientOptions
from driver.publisher import Publisher
from driver.runtime.aio import AsyncioRuntime
from driver.runtime.blocking import BlockingRuntime, run
from tests.waiting import wait_until

Act = Callable[[Any, Callable[[Any], Awaitable[Any]]], Awaitable[Any]]


async def _done(value: Any) -> Any:
    return value


async def _awaited(value: Any) -> Any:
    return await value


def use(shell: str, uri: str, act: Act, **options: Any) -> Any:
    """Run `act(client, wait)` with a client of that shell; `wait` takes what a call gave."""
    if shell == "sync":
        with MongoClient(uri, **options) as client:
            return asyncio.run(_in_sync(client, act))
    return asyncio.run(_in_async(uri, act, options))


async def known(client: Any, count: int) -> None:
    """Wait until the client knows so many servers."""
    await asyncio.to_thread(wait_until, lambda: len(client.nodes) >= count)


async def _in_sync(client: MongoClient, act: Act) -> Any:
    return await act(client, _done)


async def _in_async(uri: str, act: Act, options: dict[str, Any]) -> Any:
    async with AsyncMongoClient(uri, **options) as client:
        return await act(client, _awaited)


def dialled(shell: str, uri: str, **options: Any) -> ConnectionFailure:
    """The error of a pool's connection to the first seed, which cannot be made."""
    resolved = ClientOptions.resolve(uri, None, **options)

    async def dial(runtime: Any) -> None:
        publisher = Publisher((), runtime.lock())
        dialer = Dialer(resolved, runtime, publisher, ClientMetadata(resolved))
        connection, _ = await dialer.open(resolved.seeds[0], 1, 0)
        connection.close()

    def attempt() -> None:
        if shell == "sync":
            run(dial(BlockingRuntime()))
        else:
            asyncio.run(dial(AsyncioRuntime()))

    with pytest.raises(ConnectionFailure) as caught:
        attempt()
    return caught.value


both_shells = pytest.mark.parametrize("shell", ["sync", "asyncio"])
