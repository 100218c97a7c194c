"""Sync GridFS: a table over `driver.aio.gridfs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from driver.aio.gridfs import DEFAULT_CHUNK_SIZE, AsyncGridFSBucket, AsyncGridOut
from driver.sync.cursor import Cursor
from driver.sync.database import Database
from driver.sync.facade import Facade, attribute, blocking, blocking_as, wrapping


class GridOut(Facade[AsyncGridOut]):
    """A stored file, read chunk by chunk."""

    __slots__ = ()

    length = attribute("length")
    filename = attribute("filename")
    metadata = attribute("metadata")
    read = blocking(AsyncGridOut.read)
    readchunk = blocking(AsyncGridOut.readchunk)
    close = blocking(AsyncGridOut.close)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readchunk, b"")


class GridFSBucket(Facade[AsyncGridFSBucket]):
    """Files in `<name>.files` and `<name>.chunks`."""

    __slots__ = ()

    def __init__(
        self,
        db: Database,
        bucket_name: str = "fs",
        chunk_size_bytes: int = DEFAULT_CHUNK_SIZE,
        **options: Any,
    ) -> None:
        super().__init__(
            AsyncGridFSBucket(db._core_object, bucket_name, chunk_size_bytes, **options)
        )

    open_download_stream = blocking_as(GridOut)(AsyncGridFSBucket.open_download_stream)
    open_download_stream_by_name = blocking_as(GridOut)(
        AsyncGridFSBucket.open_download_stream_by_name
    )
    download_to_stream = blocking(AsyncGridFSBucket.download_to_stream)
    find = wrapping(Cursor)(AsyncGridFSBucket.find)
