"""A file, being stored (gridfs spec, "File Upload")."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from driver.aio.collection import AsyncCollection
from driver.aio.timed import timed
from driver.bson import Int64, ObjectId
from driver.deadline import Deadline, block, earlier
from driver.errors import (
    BulkWriteError,
    DuplicateKeyError,
    FileExists,
    InvalidOperation,
    MongoError,
)

DUPLICATE_KEY = 11000
BATCH = 2 * 1024 * 1024
"""Bytes of whole chunks that go to the server in one insert; a single larger chunk goes alone."""
MOST_CHUNKS = 1000
"""In one insert."""


class AsyncGridIn:
    """A file that is written to; it exists once `close` has returned.

    An error of the server ends it, and what was stored until then stays (the spec wants it so);
    `abort`, or an exception inside `async with`, takes it back. Raises FileExists for a used id.
    A timeout counts from the moment it was opened, and is for all that follows; what an object with
    `read` takes to give its bytes cannot be cut short.
    """

    def __init__(
        self,
        files: AsyncCollection,
        chunks: AsyncCollection,
        *,
        file_id: Any,
        filename: str,
        chunk_size: int,
        metadata: Mapping[str, Any] | None,
        session: Any,
    ) -> None:
        self._files = files
        self._chunks = chunks
        self._session = session
        self._buffer = bytearray()
        self._number = 0
        self._id = file_id
        self.filename = filename
        self.chunk_size = chunk_size
        self.metadata = metadata
        self.length = 0
        self.upload_date: datetime | None = None
        self.closed = False
        self._deadline = block.get()

    def _by(self, _session: object = None) -> Deadline | None:
        return earlier(self._deadline, block.get())

    @property
    def name(self) -> str:
        """The file's name."""
        return self.filename

    @timed
    async def write(self, data: Any) -> None:
        """Append bytes, or all that an object with `read` has."""
        if self.closed:
            raise InvalidOperation("the file is closed: nothing more can be written")
        read = getattr(data, "read", None)
        if read is None:
            await self._append(_bytes(data))
            return
        while part := await settle(read(max(BATCH, self.chunk_size))):
            await self._append(_bytes(part))

    async def writelines(self, sequence: Any) -> None:
        """Append each of several pieces; nothing is put between them."""
        for data in sequence:
            await self.write(data)

    async def _append(self, data: memoryview) -> None:
        batch = min(max(BATCH // self.chunk_size, 1), MOST_CHUNKS) * self.chunk_size
        while data:
            room = batch - len(self._buffer)
            self._buffer += data[:room]
            self.length += len(data[:room])
            data = data[room:]
            if len(self._buffer) == batch:
                await self._send()

    async def _send(self) -> None:
        """Store what is buffered: whole chunks, or the rest of the file."""
        if not self._buffer:
            return
        documents = list(self._documents())
        self._buffer = bytearray()
        try:
            await self._chunks.insert_many(documents, session=self._session)
        except BulkWriteError as error:
            self.closed = True
            written = (error.details or {}).get("writeErrors") or [{}]
            if written[0].get("code") == DUPLICATE_KEY:
                raise _exists(self._id) from error
            raise
        except BaseException:
            self.closed = True
            raise

    def _documents(self) -> Iterator[dict[str, Any]]:
        for start in range(0, len(self._buffer), self.chunk_size):
            data = bytes(self._buffer[start : start + self.chunk_size])
            yield {"_id": ObjectId(), "files_id": self._id, "n": self._number, "data": data}
            self._number += 1

    @timed
    async def close(self) -> None:
        """Store the rest and the file's document; the file can be found from then on."""
        if self.closed:
            return
        await self._send()
        self.closed = True
        self.upload_date = datetime.now(UTC)
        document: dict[str, Any] = {
            "_id": self._id,
            "length": Int64(self.length),
            "chunkSize": self.chunk_size,
            "uploadDate": self.upload_date,
            "filename": self.filename,
        }
        if self.metadata is not None:
            document["metadata"] = self.metadata
        try:
            await self._files.insert_one(document, session=self._session)
        except DuplicateKeyError as error:
            raise _exists(self._id) from error

    @timed
    async def abort(self) -> None:
        """Give up: delete the chunks that were stored, and close."""
        if self.closed and self.upload_date is not None:
            return
        self.closed = True
        self._buffer = bytearray()
        await self._chunks.delete_many({"files_id": self._id}, session=self._session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.finish(error)

    async def finish(self, error: BaseException | None) -> None:
        """Close, or abort if the writer failed with an error of its own."""
        if error is None:
            await self.close()
        elif not self.closed:
            with suppress(MongoError):  # the writer's error is the one to see
                await self.abort()


async def settle(value: Any) -> Any:
    """The value itself, or what it resolves to: files may be asynchronous."""
    return await value if inspect.isawaitable(value) else value


def _bytes(data: Any) -> memoryview:
    try:
        return memoryview(data).cast("B")
    except TypeError:
        raise TypeError(f"a file is made of bytes, not of {type(data).__name__}") from None


def _exists(file_id: Any) -> FileExists:
    return FileExists(f"a file with the id {file_id!r} exists already")
