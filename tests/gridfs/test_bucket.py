"""A GridFS bucket on a live server, in both shells: what the official suite has no cases for."""

from __future__ import annotations

import io
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from driver import AsyncMongoClient
from driver.aio.grid_in import BATCH
from driver.errors import BulkWriteError, InvalidOperation, MongoError
from driver.events import CommandListener, CommandStartedEvent
from driver.gridfs import (
    AsyncGridFSBucket,
    CorruptGridFile,
    FileExists,
    GridFSBucket,
    NoFile,
)
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use

pytestmark = pytest.mark.live

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Any, Wait], Awaitable[Any]]
Run = Callable[[str, Act], Any]

TEXT = b"first line\nsecond\n\nfourth, without an end"
_names = itertools.count(1)


class Commands(CommandListener):
    """The commands that were sent."""

    def __init__(self) -> None:
        self.sent: list[CommandStartedEvent] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.sent.append(event)

    def names(self) -> list[str]:
        return [event.command_name for event in self.sent]


@pytest.fixture
def commands() -> Commands:
    return Commands()


@pytest.fixture
def on_bucket(standalone: LocalDeployment, commands: Commands) -> Iterator[Run]:
    """Runs `act(bucket, database, wait)` with an empty bucket of its own."""
    name = f"gridfs_{next(_names)}"

    def run(shell: str, act: Act) -> Any:
        async def with_client(client: Any, wait: Wait) -> Any:
            database = client[name]
            await wait(client.drop_database(name))
            commands.sent.clear()
            return await act(bucket_of(client, database), database, wait)

        return use(shell, standalone.info.uri, with_client, event_listeners=[commands])

    yield run
    use("sync", standalone.info.uri, lambda client, wait: wait(client.drop_database(name)))


def bucket_of(client: Any, database: Any) -> Any:
    kind = AsyncGridFSBucket if isinstance(client, AsyncMongoClient) else GridFSBucket
    return kind(database)


async def store(bucket: Any, wait: Wait, data: bytes = TEXT, **options: Any) -> Any:
    return await wait(bucket.upload_from_stream("name", data, **options))


async def all_of(things: Any) -> list[Any]:
    if hasattr(type(things), "__aiter__"):
        return [thing async for thing in things]
    return list(things)


async def documents(collection: Any, wait: Wait) -> list[Any]:
    found: list[Any] = await wait(collection.find({}, sort={"n": 1}).to_list())
    return found


# Writing.


@both_shells
def test_pieces_become_chunks_of_one_size(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        stream = await wait(bucket.open_upload_stream("name", 7, {"owner": "me"}))
        for piece in (b"", TEXT[:3], bytearray(TEXT[3:20]), memoryview(TEXT[20:])):
            await wait(stream.write(piece))
        await wait(stream.writelines([b"!", io.BytesIO(b"?")]))
        assert not await documents(database.fs.files, wait)
        await wait(stream.close())
        await wait(stream.close())
        chunks = await documents(database.fs.chunks, wait)
        whole = TEXT + b"!?"
        assert [chunk["data"] for chunk in chunks] == [
            whole[start : start + 7] for start in range(0, len(whole), 7)
        ]
        assert {chunk["files_id"] for chunk in chunks} == {stream._id}
        (file,) = await documents(database.fs.files, wait)
        assert file["length"] == len(whole) == stream.length
        assert file["metadata"] == {"owner": "me"}
        assert "md5" not in file

    on_bucket(shell, act)


@both_shells
def test_many_chunks_share_an_insert(on_bucket: Run, shell: str, commands: Commands) -> None:
    data = bytes(range(256)) * (2 * BATCH // 256 + 1)

    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        file_id = await store(bucket, wait, data)
        stream = await wait(bucket.open_download_stream(file_id))
        assert await wait(stream.read()) == data

    on_bucket(shell, act)
    inserts = [event for event in commands.sent if event.command_name == "insert"]
    assert [event.command["insert"] for event in inserts] == ["fs.chunks"] * 3 + ["fs.files"]


@both_shells
def test_nothing_is_written_after_the_end(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        stream = await wait(bucket.open_upload_stream("name"))
        await wait(stream.close())
        with pytest.raises(InvalidOperation, match="closed"):
            await wait(stream.write(b"more"))
        with pytest.raises(TypeError, match="bytes, not of str"):
            await store(bucket, wait, "text")  # type: ignore[arg-type]

    on_bucket(shell, act)


@both_shells
def test_abort_takes_everything_back(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        stream = await wait(bucket.open_upload_stream("name", 1000))
        await wait(stream.write(b"x" * (2 * BATCH)))
        assert await documents(database.fs.chunks, wait)
        await wait(stream.abort())
        assert not await documents(database.fs.chunks, wait)
        with pytest.raises(InvalidOperation, match="closed"):
            await wait(stream.write(b"more"))
        await wait(stream.close())
        assert not await documents(database.fs.files, wait)

    on_bucket(shell, act)


class Failing(io.BytesIO):
    """Has some bytes, then breaks."""

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        if not part:
            raise OSError("the disk is gone")
        return part


@both_shells
def test_a_source_that_breaks_leaves_nothing(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        with pytest.raises(OSError, match="disk"):
            await wait(bucket.upload_from_stream("name", Failing(b"x" * 3 * BATCH)))
        assert not await documents(database.fs.files, wait)
        assert not await documents(database.fs.chunks, wait)

    on_bucket(shell, act)


@both_shells
def test_a_failed_insert_leaves_its_orphans_and_no_file(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await store(bucket, wait)  # makes the indexes
        taken = {"files_id": 1, "n": 1, "data": b""}
        await wait(database.fs.chunks.insert_one(taken))
        stream = await wait(bucket.open_upload_stream_with_id(1, "name", 4))
        await wait(stream.write(b"0123456789"))
        with pytest.raises(FileExists):
            await wait(stream.close())
        await wait(stream.close())
        assert await wait(database.fs.chunks.count_documents({"files_id": 1})) == 2
        assert await wait(database.fs.files.count_documents({})) == 1

    on_bucket(shell, act)


@both_shells
def test_other_errors_of_the_server_come_out_as_they_are(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await wait(database.create_collection("fs.chunks", validator={"n": {"$lt": 1}}))
        with pytest.raises(BulkWriteError):
            await store(bucket, wait, chunk_size_bytes=10)

    on_bucket(shell, act)


@both_shells
def test_an_id_is_used_once(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await wait(bucket.upload_from_stream_with_id("mine", "name", b""))
        with pytest.raises(FileExists, match="'mine'"):
            await wait(bucket.upload_from_stream_with_id("mine", "other", b""))

    on_bucket(shell, act)


# Indexes.


@both_shells
def test_the_first_write_makes_the_indexes(on_bucket: Run, shell: str, commands: Commands) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await store(bucket, wait)
        indexes = await wait(database.fs.files.index_information())
        assert list(indexes) == ["_id_", "filename_1_uploadDate_1"]
        indexes = await wait(database.fs.chunks.index_information())
        assert indexes["files_id_1_n_1"]["unique"]
        commands.sent.clear()
        await store(bucket, wait)
        assert set(commands.names()) == {"insert"}

    on_bucket(shell, act)


@both_shells
def test_indexes_of_any_number_type_count(on_bucket: Run, shell: str, commands: Commands) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await wait(database.fs.files.create_index([("filename", 1.0), ("uploadDate", 1)]))
        await wait(database.fs.chunks.create_index([("files_id", 1), ("n", 1.0)]))
        commands.sent.clear()
        await store(bucket, wait)
        assert "createIndexes" not in commands.names()

    on_bucket(shell, act)


@both_shells
def test_a_bucket_with_files_is_left_as_it_is(
    on_bucket: Run, shell: str, commands: Commands
) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await wait(database.fs.files.insert_one({"filename": "old"}))
        commands.sent.clear()
        await store(bucket, wait)
        assert commands.names() == ["find", "insert", "insert"]
        assert commands.sent[0].command["projection"] == {"_id": 1}

    on_bucket(shell, act)


# Reading.


@both_shells
def test_reading_lines_pieces_and_places(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        file_id = await store(bucket, wait, chunk_size_bytes=4)
        stream = await wait(bucket.open_download_stream(file_id))
        assert await all_of(stream) == TEXT.splitlines(keepends=True)
        assert await wait(stream.read()) == b""
        for position in (5, 0, 12, len(TEXT) - 1, len(TEXT), len(TEXT) + 9):
            assert await wait(stream.seek(position)) == position
            assert await wait(stream.read(6)) == TEXT[position : position + 6]
            assert stream.tell() == max(position, min(position + 6, len(TEXT)))
        assert await wait(stream.seek(-4, io.SEEK_END)) == len(TEXT) - 4
        assert await wait(stream.readchunk()) == TEXT[-4:][:3] or len(TEXT) % 4
        await wait(stream.seek(2))
        assert await wait(stream.seek(3, io.SEEK_CUR)) == 5
        assert await wait(stream.readline(3)) == TEXT[5:8]
        assert await wait(stream.readline()) == TEXT[8:11]
        with pytest.raises(ValueError, match="before the beginning"):
            await wait(stream.seek(-1))

    on_bucket(shell, act)


@both_shells
def test_seeking_reads_only_the_chunks_it_needs(
    on_bucket: Run, shell: str, commands: Commands
) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        file_id = await store(bucket, wait, chunk_size_bytes=4)
        stream = await wait(bucket.open_download_stream(file_id))
        await wait(stream.seek(9))
        await wait(stream.read(1))
        assert commands.sent[-1].command["filter"] == {"files_id": file_id, "n": {"$gte": 2}}

    on_bucket(shell, act)


@both_shells
def test_an_empty_file_has_no_chunks_to_ask_for(
    on_bucket: Run, shell: str, commands: Commands
) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        file_id = await store(bucket, wait, b"")
        assert not await documents(database.fs.chunks, wait)
        commands.sent.clear()
        stream = await wait(bucket.open_download_stream(file_id))
        assert await wait(stream.read()) == b""
        assert commands.names() == ["find"]

    on_bucket(shell, act)


@both_shells
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"chunkSize": 0}, "chunkSize 0"),
        ({"chunkSize": "4"}, "chunkSize '4'"),
        ({"length": -1}, "length -1"),
        ({"length": float("inf")}, "length inf"),
        ({"length": 5}, "chunk 1 has 2 bytes; 1 were expected"),
        ({"length": 9}, "chunk 1 has 2 bytes; 4 were expected"),
        ({"chunkSize": 3}, "chunk 0 has 4 bytes; 3 were expected"),
        ({"length": 4}, "chunk 1 is beyond the end"),
    ],
)
def test_a_corrupt_file_is_an_error(on_bucket: Run, shell: str, file: Any, said: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        file_id = await store(bucket, wait, b"012345", chunk_size_bytes=4)
        await wait(database.fs.files.update_one({"_id": file_id}, {"$set": file}))
        stream = await wait(bucket.open_download_stream(file_id))
        with pytest.raises(CorruptGridFile, match=said):
            await wait(stream.read())

    on_bucket(shell, act)


@both_shells
def test_find_gives_files(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        for number in range(4):
            await store(bucket, wait, b"x" * number, metadata={"number": number})
        found = bucket.find({"metadata.number": {"$gt": 0}}).sort("length", -1).limit(2)
        assert [file.length for file in await all_of(found.clone())] == [3, 2]
        (first, second) = await wait(found.to_list())
        assert await wait(first.read()) == b"xxx"
        assert second.metadata == {"number": 2}
        cursor = bucket.find({"length": 1})
        assert (await wait(cursor.try_next())).length == 1
        assert await wait(cursor.try_next()) is None

    on_bucket(shell, act)


@both_shells
def test_revisions(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        for number in range(3):
            await store(bucket, wait, b"%d" % number)
            await wait(
                database.fs.files.update_one({"uploadDate": {"$type": "date"}}, _dated(number))
            )
        for revision, content in ((0, b"0"), (1, b"1"), (-2, b"1"), (-1, b"2")):
            destination = io.BytesIO()
            await wait(bucket.download_to_stream_by_name("name", destination, revision))
            assert destination.getvalue() == content
        with pytest.raises(NoFile, match="no revision 3"):
            await wait(bucket.open_download_stream_by_name("name", 3))
        with pytest.raises(NoFile, match="no file is named 'other'"):
            await wait(bucket.open_download_stream_by_name("other"))

    on_bucket(shell, act)


def _dated(number: int) -> dict[str, Any]:
    return {"$set": {"uploadDate": number}}


@both_shells
def test_what_is_not_there_cannot_be_renamed_or_deleted(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: bucket.delete(1),
            lambda: bucket.delete_by_name("a"),
            lambda: bucket.rename(1, "b"),
            lambda: bucket.rename_by_name("a", "b"),
            lambda: bucket.open_download_stream(1),
            lambda: bucket.download_to_stream_by_name("a", io.BytesIO()),
        ]
        for call in calls:
            with pytest.raises(NoFile):
                await wait(call())

    on_bucket(shell, act)


@both_shells
def test_dropping_a_bucket(on_bucket: Run, shell: str) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        await store(bucket, wait)
        await wait(bucket.drop())
        assert not await wait(database.list_collection_names())
        await store(bucket, wait)
        assert len(await wait(database.fs.files.index_information())) == 2

    on_bucket(shell, act)


def test_a_chunk_has_a_size() -> None:
    client = AsyncMongoClient(connect=False)
    for size in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="above 0"):
            AsyncGridFSBucket(client.t, chunk_size_bytes=size)  # type: ignore[arg-type]


def test_an_asynchronous_source_and_destination(on_bucket: Run) -> None:
    class Source(io.BytesIO):
        async def read(self, size: int = -1) -> bytes:  # type: ignore[override]
            return super().read(size)

    class Destination(io.BytesIO):
        async def write(self, data: Any) -> int:  # type: ignore[override]
            return super().write(data)

    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        file_id = await bucket.upload_from_stream("name", Source(TEXT))
        destination = Destination()
        await bucket.download_to_stream(file_id, destination)
        assert destination.getvalue() == TEXT

    on_bucket("asyncio", act)


def test_a_with_block_stores_or_takes_back(on_bucket: Run) -> None:
    async def act(bucket: Any, database: Any, wait: Wait) -> None:
        with bucket.open_upload_stream("name") as stream:
            stream.write(TEXT)
        with pytest.raises(MongoError, match="mine"):
            write_and_fail(bucket)
        assert [file.length for file in bucket.find()] == [len(TEXT)]
        assert database.fs.chunks.count_documents({}) == 1

    on_bucket("sync", act)


def write_and_fail(bucket: Any) -> None:
    with bucket.open_upload_stream("name", 1000) as stream:
        stream.write(b"x" * BATCH)
        raise MongoError("mine")
