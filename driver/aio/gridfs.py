"""GridFS (gridfs spec): files of any size, kept as chunks in two collections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.aio.collection import AsyncCollection
from driver.aio.database import AsyncDatabase
from driver.aio.grid_in import AsyncGridIn, settle
from driver.aio.grid_out import AsyncGridOut, AsyncGridOutCursor
from driver.aio.timed import timed
from driver.bson import ObjectId
from driver.concerns import ReadConcern, WriteConcern
from driver.deadline import Deadline
from driver.engine.session import AsyncClientSession
from driver.errors import NoFile
from driver.read_preferences import ReadPreference

DEFAULT_CHUNK_SIZE = 255 * 1024
_FILES_INDEX = {"filename": 1, "uploadDate": 1}
_CHUNKS_INDEX = {"files_id": 1, "n": 1}


class AsyncGridFSBucket:
    """Files in `<name>.files` and `<name>.chunks`.

    Before its first write it makes the indexes that GridFS needs, if there are no files yet. The
    database's timeout is for every method as a whole, and for all the life of a stream; how long a
    stream of the user's takes to read or write is beyond it.
    """

    def __init__(
        self,
        db: AsyncDatabase,
        bucket_name: str = "fs",
        chunk_size_bytes: int = DEFAULT_CHUNK_SIZE,
        write_concern: WriteConcern | None = None,
        read_preference: ReadPreference | None = None,
        read_concern: ReadConcern | None = None,
    ) -> None:
        options = {
            "write_concern": write_concern,
            "read_preference": read_preference,
            "read_concern": read_concern,
        }
        self.chunk_size_bytes = _checked_size(chunk_size_bytes)
        self._files = db.get_collection(f"{bucket_name}.files", **options)
        self._chunks = db.get_collection(f"{bucket_name}.chunks", **options)
        self._has_indexes = False

    def _by(self, session: AsyncClientSession | None) -> Deadline | None:
        return self._files._core.deadline(self._files._scope.timeout, session)

    # Writing.

    @timed
    async def open_upload_stream(
        self,
        filename: str,
        chunk_size_bytes: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        session: Any = None,
    ) -> AsyncGridIn:
        """A new file, to be written to and closed; its id is `_id`."""
        return await self.open_upload_stream_with_id(
            ObjectId(), filename, chunk_size_bytes, metadata, session
        )

    @timed
    async def open_upload_stream_with_id(
        self,
        file_id: Any,
        filename: str,
        chunk_size_bytes: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        session: Any = None,
    ) -> AsyncGridIn:
        """A new file of that id, to be written to and closed."""
        if not isinstance(filename, str):
            raise TypeError(f"filename must be a string, not {type(filename).__name__}")
        size = self.chunk_size_bytes if chunk_size_bytes is None else chunk_size_bytes
        stream = AsyncGridIn(
            self._files,
            self._chunks,
            file_id=file_id,
            filename=filename,
            chunk_size=_checked_size(size),
            metadata=metadata,
            session=session,
        )
        await self._create_indexes(session)
        return stream

    @timed
    async def upload_from_stream(
        self,
        filename: str,
        source: Any,
        chunk_size_bytes: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        session: Any = None,
    ) -> ObjectId:
        """Store bytes, or what an object with `read` has, and give the new file's id."""
        file_id = ObjectId()
        await self.upload_from_stream_with_id(
            file_id, filename, source, chunk_size_bytes, metadata, session
        )
        return file_id

    @timed
    async def upload_from_stream_with_id(
        self,
        file_id: Any,
        filename: str,
        source: Any,
        chunk_size_bytes: int | None = None,
        metadata: Mapping[str, Any] | None = None,
        session: Any = None,
    ) -> None:
        """Store bytes, or what an object with `read` has; if reading fails, nothing is stored."""
        async with await self.open_upload_stream_with_id(
            file_id, filename, chunk_size_bytes, metadata, session
        ) as stream:
            await stream.write(source)

    async def _create_indexes(self, session: Any) -> None:
        if self._has_indexes:
            return
        files = self._files.with_options(read_preference=ReadPreference.PRIMARY)
        if await files.find_one({}, projection={"_id": 1}, session=session) is None:
            await _create_index(self._files, _FILES_INDEX, session)
            await _create_index(self._chunks, _CHUNKS_INDEX, session, unique=True)
        self._has_indexes = True

    # Reading.

    @timed
    async def open_download_stream(self, file_id: Any, session: Any = None) -> AsyncGridOut:
        """The file of that id, to be read; raises NoFile."""
        document = await self._files.find_one({"_id": file_id}, session=session)
        if document is None:
            raise NoFile(f"no file has the id {file_id!r}")
        return AsyncGridOut(self._chunks, document, session)

    @timed
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
        if document is not None:
            return AsyncGridOut(self._chunks, document, session)
        if revision in (0, -1):
            raise NoFile(f"no file is named {filename!r}")
        raise NoFile(f"the file {filename!r}, if there is one, has no revision {revision}")

    @timed
    async def download_to_stream(self, file_id: Any, destination: Any, session: Any = None) -> None:
        """Write the file's bytes to `destination`, which has `write`; raises NoFile."""
        await _copy(await self.open_download_stream(file_id, session), destination)

    @timed
    async def download_to_stream_by_name(
        self, filename: str, destination: Any, revision: int = -1, session: Any = None
    ) -> None:
        """Write a revision's bytes to `destination`, which has `write`; raises NoFile."""
        stream = await self.open_download_stream_by_name(filename, revision, session)
        await _copy(stream, destination)

    def find(self, *args: Any, **kwargs: Any) -> AsyncGridOutCursor:
        """A cursor over the files that match: `{"metadata.owner": "me"}`, sort, skip, limit …"""
        return AsyncGridOutCursor(self._chunks, self._files.find(*args, **kwargs))

    # Renaming and deleting.

    @timed
    async def rename(self, file_id: Any, new_filename: str, session: Any = None) -> None:
        """Give a file another name; raises NoFile."""
        change = {"$set": {"filename": new_filename}}
        result = await self._files.update_one({"_id": file_id}, change, session=session)
        if not result.matched_count:
            raise NoFile(f"no file to rename has the id {file_id!r}")

    @timed
    async def rename_by_name(self, filename: str, new_filename: str, session: Any = None) -> None:
        """Give all revisions of a file another name; raises NoFile."""
        change = {"$set": {"filename": new_filename}}
        result = await self._files.update_many({"filename": filename}, change, session=session)
        if not result.matched_count:
            raise NoFile(f"no file to rename is named {filename!r}")

    @timed
    async def delete(self, file_id: Any, session: Any = None) -> None:
        """Delete a file; raises NoFile, after deleting chunks that may have been left behind."""
        result = await self._files.delete_one({"_id": file_id}, session=session)
        await self._chunks.delete_many({"files_id": file_id}, session=session)
        if not result.deleted_count:
            raise NoFile(f"no file to delete has the id {file_id!r}")

    @timed
    async def delete_by_name(self, filename: str, session: Any = None) -> None:
        """Delete all revisions of a file; raises NoFile."""
        found = self._files.find({"filename": filename}, projection={"_id": 1}, session=session)
        ids = [document["_id"] for document in await found.to_list()]
        if not ids:
            raise NoFile(f"no file to delete is named {filename!r}")
        await self._files.delete_many({"_id": {"$in": ids}}, session=session)
        await self._chunks.delete_many({"files_id": {"$in": ids}}, session=session)

    @timed
    async def drop(self, session: Any = None) -> None:
        """Delete all files of the bucket with their collections."""
        await self._files.drop(session)
        await self._chunks.drop(session)
        self._has_indexes = False


async def _create_index(
    collection: AsyncCollection, keys: Mapping[str, int], session: Any, **options: Any
) -> None:
    """Create an index, unless it exists; who may only read must be able to find it there."""
    for index in (await collection.index_information(session)).values():
        if index["key"] == list(keys.items()):  # 1.0 and Int64(1) are 1
            return
    await collection.create_index(list(keys.items()), session=session, **options)


async def _copy(stream: AsyncGridOut, destination: Any) -> None:
    async with stream:
        while chunk := await stream.readchunk():
            await settle(destination.write(chunk))


def _checked_size(size: Any) -> int:
    if type(size) is not int or size < 1:
        raise ValueError(f"chunk_size_bytes must be a whole number above 0, not {size!r}")
    return size
