"""PyMongo, the asyncio API."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import gridfs
import pymongo
from gridfs.asynchronous.grid_file import AsyncGridOutCursor
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.asynchronous.encryption import AsyncClientEncryption
from pymongo.asynchronous.uri_parser import parse_uri

from runners.adapters import pymongo as sync
from runners.adapters.base import Adapter
from runners.adapters.pymongo_api.adapter import PyMongoLike
from runners.adapters.pymongo_api.driving import Loop
from runners.adapters.pymongo_logic import logic
from runners.adapters.pymongo_seedlist import seedlist


def adapter() -> Adapter:
    """PyMongo's asyncio API as a driver under test."""
    sync.keep_log_documents_whole()
    return PyMongoLike(BINDING)


BINDING = replace(
    sync.BINDING,
    name="pymongo-async",
    driving=Loop,
    classes={
        "client": pymongo.AsyncMongoClient,
        "database": AsyncDatabase,
        "collection": AsyncCollection,
        "session": AsyncClientSession,
        "bucket": gridfs.AsyncGridFSBucket,
        **({"clientEncryption": AsyncClientEncryption} if sync.CAN_ENCRYPT else {}),
    },
    logic={
        **sync.BINDING.logic,
        **logic(pymongo.AsyncMongoClient, asyncio.run),
        **seedlist(parse_uri, asyncio.run),
    },
    forwards={
        AsyncCollection.find: AsyncCursor,
        AsyncCollection.find_one: AsyncCursor,
        gridfs.AsyncGridFSBucket.find: AsyncGridOutCursor,
    },
)
