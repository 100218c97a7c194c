"""GridFS, the reading half (gridfs spec): files kept as chunks in two collections."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from driver.aio.collection import AsyncCollection
from driver.aio.cursor import AsyncCursor
from driver.aio.database import AsyncDatabase
from driver.concerns import WriteConcern
from driver.errors import MongoError
from driver.read_preferences import ReadPreference

DEFAULT_CHUNK_SIZE = 255 * 1024


class GridFSError(MongoError):
    """Base of GridFS errors."""


class NoFile(GridFSError):
    """No such file, or not so many revisions of it."""


class CorruptGridFile(GridFSError):
    """A chunk is missing, out of order, or of the wrong size."""


class AsyncGridOut:
    """A stored file, read chunk by chunk; every chunk is checked."""

    def __init__(self, chunks: AsyncCollection, document: Mapping[str, Any], session: Any) -> None:
        self._document = document
        self._chunks = chunks
        self._session = session
        self._cursor: AsyncCursor | None = None
        self._number = 0
        self._buffer = b""

    @property
    def length(self) -> int:
        """The file's size in bytes."""
        return int(self._document["length"])

    @property
    def filename(self) -> str | None:
        """The name it was stored under."""
        return self._document.get("filename")

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What its writer said about it."""
        return self._document.get("metadata")

    async def readchunk(self) -> bytes:
        """The next chunk; empty at the end."""
        if self._buffer:
            chunk, self._buffer = self._buffer, b""
            return chunk
        return await self._next_chunk()

    async def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that are left."""
        parts: list[bytes] = []
        left = size
        while left != 0 and (part := await self.readchunk()):
            if 0 < left < len(part):
                part, self._buffer = part[:left], part[left:]
            parts.append(part)
            left -= len(part) if left > 0 else 0
        return b"".join(parts)

    async def close(self) -> None:
        """Free the cursor."""
        if self._cursor is not None:
            await self._cursor.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self.readchunk():
            yield chunk

    async def _next_chunk(self) -> bytes:
        chunk_size = int(self._document["chunkSize"])
        expected = min(chunk_size, self.length - self._number * chunk_size)
        if expected <= 0 and self.length == 0:
            return b""
        if self._cursor is None:
            self._cursor = self._chunks.find(
                {"files_id": self._document["_id"]}, sort={"n": 1}, session=self._session
            )
        found = await self._cursor.try_next()
        if expected <= 0:
            if found is not None and len(found["data"]):
                raise CorruptGridFile(f"chunk {found['n']} is beyond the end of the file")
            return b""
        if found is None or found["n"] != self._number:
            await self._cursor.close()
            raise CorruptGridFile(f"chunk {self._number} is missing")
        data = bytes(found["data"])
        if len(data) != expected:
            await self._cursor.close()
            raise CorruptGridFile(
                f"chunk {self._number} has {len(data)} bytes; {expected} were expected"
            )
        self._number += 1
        return data


class AsyncGridFSBucket:
    """Files in `<name>.files` and `<name>.chunks`."""

    def __init__(
        self,
        db: AsyncDatabase,
        bucket_name: str = "fs",
        chunk_size_bytes: int = DEFAULT_CHUNK_SIZE,
        write_concern: WriteConcern | None = None,
        read_preference: ReadPreference | None = None,
    ) -> None:
        options = {"write_concern": write_concern, "read_preference": read_preference}
        self.chunk_size_bytes = chunk_size_bytes
        self._files = db.get_collection(f"{bucket_name}.files", **options)
        self._chunks = db.get_collection(f"{bucket_name}.chunks", **options)

    async def open_download_stream(self, file_id: Any, session: Any = None) -> AsyncGridOut:
        """The file of that id, to be read; raises NoFile."""
        document = await self._files.find_one({"_id": file_id}, session=session)
        if document is None:
            raise NoFile(f"no file has the id {file_id!r}")
        return AsyncGridOut(self._chunks, document, session)

    async def open_download_stream_by_name(
        self, filename: str, revision: int = -1, session: Any = None
    ) -> AsyncGridOut:
        """A revision of a file: 0 the first, -1 the latest; raises NoFile."""
        newest_first = revision < 0
        document = await self._files.find_one(
            {"filename": filename},
            sort={"uploadDate": -1 if newest_first else 1},
            skip=-revision - 1 if newest_first else revision,
            session=session,
        )
        if document is None:
            raise NoFile(f"no revision {revision} of a file named {filename!r}")
        return AsyncGridOut(self._chunks, document, session)

    async def download_to_stream(self, file_id: Any, destination: Any, session: Any = None) -> None:
        """Write the file's bytes to `destination`, which has `write`."""
        async for chunk in await self.open_download_stream(file_id, session):
            destination.write(chunk)

    def find(self, *args: Any, **kwargs: Any) -> AsyncCursor:
        """A cursor over the files' documents."""
        return self._files.find(*args, **kwargs)
