"""The same test for both shells: an async client, and the sync one behind the same words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from driver import AsyncMongoClient, MongoClient

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


async def _in_sync(client: MongoClient, act: Act) -> Any:
    return await act(client, _done)


async def _in_async(uri: str, act: Act, options: dict[str, Any]) -> Any:
    async with AsyncMongoClient(uri, **options) as client:
        return await act(client, _awaited)


both_shells = pytest.mark.parametrize("shell", ["sync", "asyncio"])
