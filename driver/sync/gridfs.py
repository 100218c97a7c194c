"""Sync GridFS: a table over `driver.aio.gridfs`."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Any

from driver.aio.grid_in import AsyncGridIn
from driver.aio.grid_out import AsyncGridOut, AsyncGridOutCursor
from driver.aio.gridfs import DEFAULT_CHUNK_SIZE, AsyncGridFSBucket
from driver.runtime.blocking import run
from driver.sync.cursor import Cursor
from driver.sync.database import Database
from driver.sync.facade import (
    ClosingFacade,
    Facade,
    attribute,
    blocking,
    blocking_as,
    forwarding,
    wrapping,
)


class GridIn(ClosingFacade[AsyncGridIn]):
    """A file that is written to; it exists once `close` has returned."""

    __slots__ = ()

    _id = attribute("_id")
    filename = attribute("filename")
    name = attribute("name")
    length = attribute("length")
    chunk_size = attribute("chunk_size")
    metadata = attribute("metadata")
    upload_date = attribute("upload_date")
    closed = attribute("closed")
    write = blocking(AsyncGridIn.write)
    writelines = blocking(AsyncGridIn.writelines)
    abort = blocking(AsyncGridIn.abort)
    close = blocking(AsyncGridIn.close)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        run(self._core_object.finish(error))


class GridOut(ClosingFacade[AsyncGridOut]):
    """A stored file, read chunk by chunk. Iterating gives its lines."""

    __slots__ = ()

    _id = attribute("_id")
    filename = attribute("filename")
    name = attribute("name")
    length = attribute("length")
    chunk_size = attribute("chunk_size")
    metadata = attribute("metadata")
    upload_date = attribute("upload_date")
    read = blocking(AsyncGridOut.read)
    readchunk = blocking(AsyncGridOut.readchunk)
    readline = blocking(AsyncGridOut.readline)
    seek = blocking(AsyncGridOut.seek)
    tell = forwarding(AsyncGridOut.tell)
    close = blocking(AsyncGridOut.close)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


class GridOutCursor(Cursor):
    """A cursor over stored files: each is a GridOut."""

    __slots__ = ()
    _core_object: AsyncGridOutCursor

    def __iter__(self) -> Iterator[GridOut]:
        return map(self._open, super().__iter__())

    def __next__(self) -> GridOut:
        return self._open(super().__next__())

    next = __next__

    def try_next(self) -> GridOut | None:
        """The next file, or None when there is none."""
        file = run(self._core_object.try_next())
        return None if file is None else GridOut(file)

    def to_list(self, length: int | None = None) -> list[GridOut]:
        """The remaining files, or the next `length` of them."""
        return [GridOut(file) for file in run(self._core_object.to_list(length))]

    def clone(self) -> GridOutCursor:
        """A fresh cursor of the same query."""
        return GridOutCursor(self._core_object.clone())

    def _open(self, document: Any) -> GridOut:
        return GridOut(self._core_object.open(document))


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

    open_upload_stream = blocking_as(GridIn)(AsyncGridFSBucket.open_upload_stream)
    open_upload_stream_with_id = blocking_as(GridIn)(AsyncGridFSBucket.open_upload_stream_with_id)
    upload_from_stream = blocking(AsyncGridFSBucket.upload_from_stream)
    upload_from_stream_with_id = blocking(AsyncGridFSBucket.upload_from_stream_with_id)
    open_download_stream = blocking_as(GridOut)(AsyncGridFSBucket.open_download_stream)
    open_download_stream_by_name = blocking_as(GridOut)(
        AsyncGridFSBucket.open_download_stream_by_name
    )
    download_to_stream = blocking(AsyncGridFSBucket.download_to_stream)
    download_to_stream_by_name = blocking(AsyncGridFSBucket.download_to_stream_by_name)
    find = wrapping(GridOutCursor)(AsyncGridFSBucket.find)
    rename = blocking(AsyncGridFSBucket.rename)
    rename_by_name = blocking(AsyncGridFSBucket.rename_by_name)
    delete = blocking(AsyncGridFSBucket.delete)
    delete_by_name = blocking(AsyncGridFSBucket.delete_by_name)
    drop = blocking(AsyncGridFSBucket.drop)
