"""GridFS under PyMongo's names."""

from driver.aio.gridfs import (
    AsyncGridFSBucket,
    AsyncGridOut,
    CorruptGridFile,
    GridFSError,
    NoFile,
)
from driver.sync.gridfs import GridFSBucket, GridOut

__all__ = [
    "AsyncGridFSBucket",
    "AsyncGridOut",
    "CorruptGridFile",
    "GridFSBucket",
    "GridFSError",
    "GridOut",
    "NoFile",
]
