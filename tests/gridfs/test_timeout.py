"""Timeouts of GridFS against a scripted peer: one deadline for a method, or a stream's life."""

from __future__ import annotations

import io
import time
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any

import pytest

import driver
from driver.bson import Int64
from driver.errors import MongoError, NetworkTimeout
from driver.gridfs import AsyncGridFSBucket, GridFSBucket
from tests.engine.clients import both_shells, use
from tests.engine.members import QUICK, batch, in_turn, names, primary, quick_monitors, sent
from tests.engine.scripted import SILENCE, Answer, Script, ScriptedServer

Wait = Callable[[Any], Awaitable[Any]]
Act = Callable[[Any, Wait], Awaitable[Any]]

PATIENT = 20_000


@pytest.fixture(autouse=True)
def _monitors(monkeypatch: pytest.MonkeyPatch) -> None:
    quick_monitors(monkeypatch)


def bucket_of(shell: str, client: Any, **options: Any) -> Any:
    return (GridFSBucket if shell == "sync" else AsyncGridFSBucket)(client.t, **options)


def file(length: int = 4, chunk_size: int = 2) -> dict[str, Any]:
    return {"_id": 1, "length": Int64(length), "chunkSize": chunk_size, "filename": "name"}


def found(number: int, *documents: dict[str, Any], first: bool = True) -> Answer:
    key = "firstBatch" if first else "nextBatch"
    return {"ok": 1, "cursor": {"id": Int64(number), "ns": "t.fs", key: list(documents)}}


def chunk(number: int) -> dict[str, Any]:
    return {"_id": number, "files_id": 1, "n": number, "data": b"xx"}


def told(server: ScriptedServer) -> list[int]:
    """What the commands told of their time; a getMore tells none."""
    return [command["maxTimeMS"] for command in sent(server) if "getMore" not in command]


async def connect(client: Any, wait: Wait) -> None:
    """Have a connection at hand, however long that takes."""
    await wait(client.t.with_options(timeout_ms=0).command("ping"))


async def upload(bucket: Any, wait: Wait) -> None:
    await wait(bucket.upload_from_stream("name", b"data"))


async def upload_in_pieces(bucket: Any, wait: Wait) -> None:
    stream = await wait(bucket.open_upload_stream("name"))
    await wait(stream.write(b"da"))
    await wait(stream.write(b"ta"))
    await wait(stream.close())


async def take_back(bucket: Any, wait: Wait) -> None:
    stream = await wait(bucket.open_upload_stream("name"))
    await wait(stream.write(b"data"))
    await wait(stream.abort())


async def download(bucket: Any, wait: Wait) -> None:
    target = io.BytesIO()
    await wait(bucket.download_to_stream(1, target))
    assert target.getvalue() == b"xxxx"


async def download_in_pieces(bucket: Any, wait: Wait) -> None:
    stream = await wait(bucket.open_download_stream_by_name("name"))
    assert await wait(stream.read(2)) == b"xx"
    assert await wait(stream.read()) == b"xx"
    await wait(stream.close())


async def delete(bucket: Any, wait: Wait) -> None:
    await wait(bucket.delete(1))


async def delete_by_name(bucket: Any, wait: Wait) -> None:
    await wait(bucket.delete_by_name("name"))


async def rename(bucket: Any, wait: Wait) -> None:
    await wait(bucket.rename(1, "other"))


async def drop(bucket: Any, wait: Wait) -> None:
    await wait(bucket.drop())


STORED: dict[str, list[Answer]] = {"find": [batch(0, 1, first=True)]}
"""There is a file already, so that no index is looked for."""
READ: dict[str, list[Answer]] = {"find": [found(0, file()), found(0, chunk(0), chunk(1))]}
NAMED: dict[str, list[Answer]] = {"find": [batch(0, 1, first=True)]}

# A use of a bucket, the answers that it needs, and its commands.
USES: list[tuple[Act, dict[str, list[Answer]], list[str]]] = [
    (upload, STORED, ["find", "insert", "insert"]),
    (upload_in_pieces, STORED, ["find", "insert", "insert"]),
    (take_back, STORED, ["find", "delete"]),
    (download, READ, ["find", "find"]),
    (download_in_pieces, READ, ["find", "find"]),
    (delete, {}, ["delete", "delete"]),
    (delete_by_name, NAMED, ["find", "delete", "delete"]),
    (rename, {}, ["update"]),
    (drop, {}, ["drop", "drop"]),
]
uses = pytest.mark.parametrize(
    ("act", "answers", "commands"), USES, ids=[act.__name__ for act, _, _ in USES]
)


def copied(answers: dict[str, list[Answer]]) -> dict[str, list[Answer]]:
    return {name: list(each) for name, each in answers.items()}


def slowly(script: Script) -> Script:
    """The same answers, each after two milliseconds at least."""

    def answer(command: dict[str, Any]) -> Answer:
        since = time.monotonic()
        while time.monotonic() - since < 0.002:
            pass
        return script(command)

    return answer


@both_shells
@uses
def test_all_commands_share_one_deadline(
    shell: str, act: Act, answers: dict[str, list[Answer]], commands: list[str]
) -> None:
    async def using(client: Any, wait: Wait) -> None:
        await act(bucket_of(shell, client), wait)

    with primary(slowly(in_turn(**copied(answers)))) as server:
        use(shell, server.uri, using, **QUICK, timeoutMS=PATIENT)
    assert names(server) == commands
    left = told(server)
    assert left[-1] > PATIENT / 2
    assert left[0] <= PATIENT
    assert all(later < earlier for earlier, later in pairwise(left))


@both_shells
@uses
def test_without_a_timeout_nothing_is_told(
    shell: str, act: Act, answers: dict[str, list[Answer]], commands: list[str]
) -> None:
    async def using(client: Any, wait: Wait) -> None:
        await act(bucket_of(shell, client), wait)

    with primary(in_turn(**copied(answers))) as server:
        use(shell, server.uri, using, **QUICK)
    assert not any("maxTimeMS" in command for command in sent(server))


@both_shells
@uses
def test_a_silent_server_is_given_up_wherever_it_falls_silent(
    shell: str, act: Act, answers: dict[str, list[Answer]], commands: list[str]
) -> None:
    """At the last command of each use."""
    left = commands.count(commands[-1]) - 1
    silent = copied(answers)
    before = silent.get(commands[-1], [])[:left] or [{"ok": 1, "n": 1}] * left
    silent[commands[-1]] = [*before, SILENCE]

    async def using(client: Any, wait: Wait) -> None:
        await connect(client, wait)
        began = time.monotonic()
        with pytest.raises(NetworkTimeout) as caught:
            await act(bucket_of(shell, client), wait)
        assert caught.value.timeout
        assert time.monotonic() - began < 10

    with primary(in_turn(**silent)) as server:
        use(shell, server.uri, using, **QUICK, timeoutMS=500)
    assert names(server) == ["ping", *commands]


@both_shells
def test_an_upload_that_is_over_sends_nothing_more(shell: str) -> None:
    """Its time began when it was opened, whatever it was used for."""

    async def act(client: Any, wait: Wait) -> None:
        await connect(client, wait)
        bucket = bucket_of(shell, client)
        stream = await wait(bucket.open_upload_stream("name"))
        await wait(stream.write(b"data"))
        since = time.monotonic()
        while time.monotonic() - since < 0.6:
            await connect(client, wait)
        with pytest.raises(MongoError) as caught:
            await wait(stream.close())
        assert caught.value.timeout

    with primary(in_turn(**copied(STORED))) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=500)
    assert "insert" not in names(server)


@both_shells
def test_a_download_goes_on_by_its_deadline_from_batch_to_batch(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        await connect(client, wait)
        stream = await wait(bucket_of(shell, client).open_download_stream(1))
        assert await wait(stream.readchunk()) == b"xx"
        with pytest.raises(NetworkTimeout):
            await wait(stream.readchunk())

    script = in_turn(find=[found(0, file()), found(7, chunk(0))], getMore=[SILENCE])
    with primary(script) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=500)
    assert names(server)[1:4] == ["find", "find", "getMore"]


@both_shells
def test_the_databases_timeout_and_a_block_stand_in_place_of_the_clients(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        kind: Any = GridFSBucket if shell == "sync" else AsyncGridFSBucket
        await wait(kind(client.t.with_options(timeout_ms=PATIENT)).delete(1))
        with driver.timeout(100):
            await wait(kind(client.t).delete(1))

    with primary(in_turn()) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=1)
    left = told(server)
    assert all(PATIENT / 2 < each <= PATIENT for each in left[:2])
    assert all(PATIENT < each <= 100_000 for each in left[2:])
    assert len(left) == 4


@both_shells
def test_finding_files_has_the_timeout(shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        files = await wait(bucket_of(shell, client).find({}).to_list())
        assert [each.filename for each in files] == ["name"]

    with primary(in_turn(find=[found(0, file())])) as server:
        use(shell, server.uri, act, **QUICK, timeoutMS=PATIENT)
    (left,) = told(server)
    assert PATIENT / 2 < left <= PATIENT
