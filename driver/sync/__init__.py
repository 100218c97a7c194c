"""The blocking API, under PyMongo's names: tables over `driver.aio`."""

from driver.sync.client import MongoClient
from driver.sync.collection import Collection
from driver.sync.cursor import CommandCursor, Cursor
from driver.sync.database import Database
from driver.sync.session import ClientSession

__all__ = [
    "ClientSession",
    "Collection",
    "CommandCursor",
    "Cursor",
    "Database",
    "MongoClient",
]
