"""The asyncio API: the engine's own `async def` methods, under PyMongo's names."""

from driver.aio.client import AsyncMongoClient
from driver.aio.collection import AsyncCollection
from driver.aio.cursor import AsyncCommandCursor, AsyncCursor, CursorType
from driver.aio.database import AsyncDatabase
from driver.engine.session import AsyncClientSession

__all__ = [
    "AsyncClientSession",
    "AsyncCollection",
    "AsyncCommandCursor",
    "AsyncCursor",
    "AsyncDatabase",
    "AsyncMongoClient",
    "CursorType",
]
