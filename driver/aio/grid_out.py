"""A stored file, being read (gridfs spec, "File Download")."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from driver.aio.collection import AsyncCollection
from driver.aio.cursor import AsyncCursor
from driver.aio.timed import timed
from driver.deadline import Deadline, block, earlier
from driver.errors import CorruptGridFile


class AsyncGridOut:
    """A stored file, read chunk by chunk; every chunk is checked. Iterating gives its lines.

    A timeout counts from the moment it was opened, and is for all that follows, `close` included.
    Whatever contradicts the file's own length and chunk size raises CorruptGridFile.
    """

    def __init__(
        self, chunks: AsyncCollection, document: Mapping[str, Any], session: Any = None
    ) -> None:
        self._document = document
        self._chunks = chunks
        self._session = session
        self._cursor: AsyncCursor | None = None
        self._number = 0
        self._skip = 0
        self._position = 0
        self._buffer = b""
        self._deadline = block.get()

    def _by(self, _session: object = None) -> Deadline | None:
        return earlier(self._deadline, block.get())

    @property
    def _id(self) -> Any:
        """The file's id."""
        return self._document["_id"]

    @property
    def length(self) -> int:
        """The file's size in bytes."""
        return self._whole_number("length", least=0)

    @property
    def chunk_size(self) -> int:
        """The size in bytes of every chunk but the last."""
        return self._whole_number("chunkSize", least=1)

    def _whole_number(self, name: str, least: int) -> int:
        value: Any = self._document.get(name)
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not whole or value < least:
            raise CorruptGridFile(f"the file {self._id!r} has {name} {value!r}")
        return int(value)

    @property
    def filename(self) -> str | None:
        """The name it was stored under."""
        return self._document.get("filename")

    name = filename

    @property
    def upload_date(self) -> Any:
        """When its upload ended, in UTC."""
        return self._document.get("uploadDate")

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What its writer said about it."""
        return self._document.get("metadata")

    @timed
    async def readchunk(self) -> bytes:
        """What is left of a chunk, else the next one; empty at the end."""
        part, self._buffer = self._buffer, b""
        if not part and self._position < self.length:
            part = (await self._next_chunk())[self._skip :]
            self._skip = 0
        elif not part:
            await self._check_end()
        self._position += len(part)
        return part

    async def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that are left."""
        return await self._read(size)

    async def readline(self, size: int = -1) -> bytes:
        """The next line with its newline, at most `size` bytes of it; empty at the end."""
        return await self._read(size, line=True)

    async def _read(self, size: int, *, line: bool = False) -> bytes:
        parts: list[bytes] = []
        left = size
        ended = False
        while left != 0 and not ended and (part := await self.readchunk()):
            newline = part.find(b"\n") + 1 if line else 0
            end = newline or len(part)
            if left > 0:
                end = min(end, left)
                left -= end
            ended = end == newline
            parts.append(part[:end])
            self._buffer = part[end:]
            self._position -= len(self._buffer)
        return b"".join(parts)

    def tell(self) -> int:
        """How many bytes into the file the next read begins."""
        return self._position

    async def seek(self, pos: int, whence: int = os.SEEK_SET) -> int:
        """Read on from elsewhere; past the end there is nothing to read. Gives the position."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.length}
        if whence not in origin:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence!r}")
        position = origin[whence] + pos
        if position < 0:
            raise ValueError(f"position {position} is before the beginning of the file")
        await self.close()
        self._buffer = b""
        self._position = position
        self._number, self._skip = divmod(position, self.chunk_size)
        return position

    async def close(self) -> None:
        """Free the cursor."""
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            await cursor._batches.close(self._by())

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _next_chunk(self) -> bytes:
        number, chunk_size = self._number, self.chunk_size
        if self._cursor is None:
            wanted: dict[str, Any] = {"files_id": self._id}
            if number:
                wanted["n"] = {"$gte": number}
            self._cursor = self._chunks.find(wanted, sort={"n": 1}, session=self._session)
        found = await self._cursor.try_next()
        if found is None or found.get("n") != number:
            await self._corrupt(f"chunk {number} is missing")
        data = _data_of(found)
        expected = min(chunk_size, self.length - number * chunk_size)
        if len(data) != expected:
            await self._corrupt(f"chunk {number} has {len(data)} bytes; {expected} were expected")
        self._number += 1
        return data

    async def _check_end(self) -> None:
        """Refuse data beyond the file's length, as far as the cursor at hand can tell."""
        found = await self._cursor.try_next() if self._cursor is not None else None
        if found is not None and _data_of(found):
            await self._corrupt(f"chunk {found.get('n')} is beyond the end of the file")
        await self.close()

    async def _corrupt(self, what: str) -> None:
        await self.close()
        raise CorruptGridFile(f"the file {self._id!r} is corrupt: {what}")


def _data_of(chunk: Mapping[str, Any]) -> bytes:
    data = chunk.get("data", b"")
    return bytes(data) if isinstance(data, bytes) else b""


class AsyncGridOutCursor(AsyncCursor):
    """A cursor over stored files: each is an AsyncGridOut."""

    def __init__(self, chunks: AsyncCollection, query: AsyncCursor) -> None:
        super().__init__(query._core, query._find, query._session)
        self._chunks = chunks

    def open(self, document: Mapping[str, Any]) -> AsyncGridOut:
        """The file that a document of the files collection describes."""
        return AsyncGridOut(self._chunks, document, self._session)

    async def next(self) -> AsyncGridOut:
        """The next file; raises StopAsyncIteration at the end."""
        return self.open(await super().next())

    async def try_next(self) -> AsyncGridOut | None:
        """The next file, or None when there is none."""
        document = await super().try_next()
        return None if document is None else self.open(document)

    async def to_list(self, length: int | None = None) -> list[AsyncGridOut]:
        """The remaining files, or the next `length` of them."""
        return [self.open(document) for document in await super().to_list(length)]

    def clone(self) -> AsyncGridOutCursor:
        """A fresh cursor of the same query."""
        return AsyncGridOutCursor(self._chunks, super().clone())
