"""GridFS under PyMongo's names."""

from driver.aio.grid_in import AsyncGridIn
from driver.aio.grid_out import AsyncGridOut, AsyncGridOutCursor
from driver.aio.gridfs import DEFAULT_CHUNK_SIZE, AsyncGridFSBucket
from driver.errors import CorruptGridFile, FileExists, GridFSError, NoFile
from driver.sync.gridfs import GridFSBucket, GridIn, GridOut, GridOutCursor

__all__ = [
    "DEFAULT_CHUNK_SIZE",
    "AsyncGridFSBucket",
    "AsyncGridIn",
    "AsyncGridOut",
    "AsyncGridOutCursor",
    "CorruptGridFile",
    "FileExists",
    "GridFSBucket",
    "GridFSError",
    "GridIn",
    "GridOut",
    "GridOutCursor",
    "NoFile",
]
