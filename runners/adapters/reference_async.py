"""The reference driver, the asyncio API."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import driver.encryption
import driver.gridfs
from driver.aio.client import AsyncMongoClient
from driver.aio.collection import AsyncCollection
from driver.aio.database import AsyncDatabase
from driver.aio.scope import Scope
from driver.engine.session import AsyncClientSession
from driver.runtime.aio import AsyncioRuntime
from runners.adapters import reference as sync
from runners.adapters.base import Adapter
from runners.adapters.pymongo_api.adapter import PyMongoLike
from runners.adapters.pymongo_api.driving import Loop
from runners.adapters.reference_cmap import cmap
from runners.adapters.reference_seedlist import seedlist


def adapter() -> Adapter:
    """The reference driver's asyncio API as a driver under test."""
    sync.keep_log_documents_whole()
    return PyMongoLike(BINDING)


BINDING = replace(
    sync.BINDING,
    name="reference-async",
    driving=Loop,
    classes={
        "client": AsyncMongoClient,
        "database": AsyncDatabase,
        "collection": AsyncCollection,
        "session": AsyncClientSession,
        "bucket": driver.gridfs.AsyncGridFSBucket,
        **(
            {"clientEncryption": driver.encryption.AsyncClientEncryption}
            if sync.CAN_ENCRYPT
            else {}
        ),
    },
    logic={
        **sync.BINDING.logic,
        **seedlist(AsyncioRuntime, asyncio.run),
        **cmap(AsyncioRuntime, asyncio.run),
    },
    forwards={
        AsyncMongoClient.get_database: Scope.changed,
        AsyncDatabase.get_collection: Scope.changed,
        AsyncCollection.find_one: AsyncCollection.find,
        driver.gridfs.AsyncGridFSBucket.find: AsyncCollection.find,
    },
)
