"""The two drivers that are compared; their APIs have the same names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from driver import DeleteOne, InsertOne, ReplaceOne
from driver import bson as reference_bson
from driver.aio import AsyncMongoClient
from driver.aio.gridfs import AsyncGridFSBucket
from driver.bson.codec import COMPILED
from driver.bson.extended_json import loads
from driver.sync import MongoClient
from driver.sync.gridfs import GridFSBucket
from driver.version import __version__


@dataclass(frozen=True, slots=True)
class Contender:
    """A driver: its codec, its write models, and how its clients and buckets are made."""

    name: str
    version: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    loads: Callable[[str], Any]
    object_id: Callable[[], Any]
    models: Models
    client: Callable[[str], Any]
    async_client: Callable[[str], Any]
    bucket: Callable[[Any], Any]
    async_bucket: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Models:
    """The models of bulk writes."""

    insert_one: Callable[..., Any]
    replace_one: Callable[..., Any]
    delete_one: Callable[..., Any]


def reference() -> Contender:
    """This project's driver."""
    return Contender(
        "reference",
        f"{__version__} ({'compiled' if COMPILED else 'Python'} codec)",
        reference_bson.encode,
        reference_bson.decode,
        loads,
        reference_bson.ObjectId,
        Models(InsertOne, ReplaceOne, DeleteOne),
        MongoClient,
        AsyncMongoClient,
        GridFSBucket,
        AsyncGridFSBucket,
    )


def pymongo() -> Contender:
    """PyMongo; raises ImportError where it is not installed."""
    import bson  # noqa: PLC0415 - an extra
    import gridfs  # noqa: PLC0415
    import pymongo as theirs  # noqa: PLC0415
    from bson import json_util  # noqa: PLC0415

    return Contender(
        "pymongo",
        f"{theirs.version} ({'C' if bson.has_c() else 'Python'} codec)",
        bson.encode,
        bson.decode,
        json_util.loads,
        bson.ObjectId,
        Models(theirs.InsertOne, theirs.ReplaceOne, theirs.DeleteOne),
        theirs.MongoClient,
        theirs.AsyncMongoClient,
        gridfs.GridFSBucket,
        gridfs.AsyncGridFSBucket,
    )
