"""A MongoDB driver written to be read: pure core, one engine, a sync and an asyncio shell.

Names follow PyMongo: `MongoClient`, `AsyncMongoClient`, write models, results, errors.
"""

from driver.aio import AsyncMongoClient
from driver.aio.cursor import CursorType
from driver.concerns import ReadConcern, WriteConcern
from driver.driver_info import DriverInfo
from driver.models import (
    DeleteMany,
    DeleteOne,
    IndexModel,
    InsertOne,
    ReplaceOne,
    ReturnDocument,
    SearchIndexModel,
    UpdateMany,
    UpdateOne,
)
from driver.normalize import ASCENDING, DESCENDING
from driver.operations.timeout_mode import TimeoutMode
from driver.read_preferences import ReadPreference
from driver.runtime.block import timeout
from driver.server_api import ServerApi, ServerApiVersion
from driver.session.options import SessionOptions, TransactionOptions
from driver.sync import MongoClient
from driver.version import __version__

__all__ = [
    "ASCENDING",
    "DESCENDING",
    "AsyncMongoClient",
    "CursorType",
    "DeleteMany",
    "DeleteOne",
    "DriverInfo",
    "IndexModel",
    "InsertOne",
    "MongoClient",
    "ReadConcern",
    "ReadPreference",
    "ReplaceOne",
    "ReturnDocument",
    "SearchIndexModel",
    "ServerApi",
    "ServerApiVersion",
    "SessionOptions",
    "TimeoutMode",
    "TransactionOptions",
    "UpdateMany",
    "UpdateOne",
    "WriteConcern",
    "__version__",
    "timeout",
]
