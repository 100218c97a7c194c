"""The tasks of the official benchmark with files: GridFS, and import and export at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.data import LINES_SIZE, PHOTO_SIZE, Data
from benchmarks.style import Operation
from benchmarks.tasks import MULTI, PARALLEL, READ, WRITE, Setting, Task, empty_corpus

_AT_ONCE = 8
_LARGE = 52_428_800
_DOCUMENTS = 5_000  # a file of lines


def gridfs_tasks(data: Data) -> list[Task]:
    """One large file, from and to memory."""

    def upload(setting: Setting) -> Operation:
        content = data.large_file()
        return lambda: setting.bucket.upload_from_stream("gridfstest", BytesIO(content))

    def fill(setting: Setting) -> Sequence[Operation]:
        return (_put(setting, 0, data.large_file()),)

    def download(setting: Setting) -> Operation:
        return lambda: setting.bucket.download_to_stream(0, BytesIO())

    return [
        Task("GridFS upload", _LARGE, upload, before=_empty_bucket, scores=(MULTI, WRITE)),
        Task("GridFS download", _LARGE, download, fill=fill, scores=(MULTI, READ)),
    ]


def parallel_tasks(data: Data) -> list[Task]:
    """Files on disk to the server and back, some at once."""
    lines, photos = data.line_files * LINES_SIZE, data.photo_files * PHOTO_SIZE
    to_server, from_server = (PARALLEL, WRITE), (PARALLEL, READ)

    def task(name: str, size: int, make: Callable[[Data, Setting], Any], **more: Any) -> Task:
        def together(setting: Setting) -> Operation:
            return setting.style.together(list(make(data, setting)), _AT_ONCE)

        return Task(name, size, together, at_once=_AT_ONCE, **more)

    many_lines, many_photos = partial(_many_lines, data), partial(_many_photos, data)
    return [
        task("LDJSON multi-file import", lines, _import, before=empty_corpus, scores=to_server),
        task("LDJSON multi-file export", lines, _export, fill=many_lines, scores=from_server),
        task("GridFS multi-file upload", photos, _upload, before=_empty_bucket, scores=to_server),
        task("GridFS multi-file download", photos, _download, fill=many_photos, scores=from_server),
    ]


def _put(setting: Setting, key: int, content: bytes) -> Operation:
    put = setting.bucket.upload_from_stream_with_id
    return lambda: put(key, "gridfstest", BytesIO(content))


def _empty_bucket(setting: Setting) -> Sequence[Operation]:
    """No files, but the indexes, which come with a first file."""
    drop = [setting.database[name].drop for name in ("fs.files", "fs.chunks")]
    return *drop, _put(setting, -1, b"1")


def _documents(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _import(data: Data, setting: Setting) -> Iterator[Operation]:
    insert_many = setting.database.corpus.insert_many

    def insert(path: Path) -> Any:
        return insert_many(_documents(path), ordered=False)

    return (partial(insert, path) for path in data.lines())


def _many_lines(data: Data, setting: Setting) -> Iterator[Operation]:
    insert_many = setting.database.corpus.insert_many

    def insert(number: int, path: Path) -> Any:
        documents = enumerate(_documents(path), number * _DOCUMENTS)
        return insert_many([{"_id": place, **document} for place, document in documents])

    return (partial(insert, number, path) for number, path in enumerate(data.lines()))


def _export(data: Data, setting: Setting) -> Iterator[Operation]:
    find, then = setting.database.corpus.find, setting.style.then

    def read(first: int) -> Any:
        return find({"_id": {"$gte": first, "$lt": first + _DOCUMENTS}}).to_list()

    def write(path: Path, documents: list[Any]) -> None:
        path.write_text("".join(f"{json.dumps(each)}\n" for each in documents), encoding="utf-8")

    for number in range(data.line_files):
        path = data.scratch / f"exported{number}.txt"
        yield then(partial(read, number * _DOCUMENTS), partial(write, path))


def _upload(data: Data, setting: Setting) -> Iterator[Operation]:
    def upload(path: Path) -> Any:
        return setting.bucket.upload_from_stream(path.name, BytesIO(path.read_bytes()))

    return (partial(upload, path) for path in data.photos())


def _many_photos(data: Data, setting: Setting) -> Iterator[Operation]:
    for number, path in enumerate(data.photos()):
        yield _put(setting, number, path.read_bytes())


def _download(data: Data, setting: Setting) -> Iterator[Operation]:
    def read(number: int, sinks: dict[int, BytesIO]) -> Any:
        sinks[number] = BytesIO()
        return setting.bucket.download_to_stream(number, sinks[number])

    def write(number: int, sinks: dict[int, BytesIO], result: None) -> None:
        path = data.scratch / f"downloaded{number}.bin"
        path.write_bytes(sinks.pop(number).getbuffer())

    sinks: dict[int, BytesIO] = {}
    for number in range(data.photo_files):
        yield setting.style.then(partial(read, number, sinks), partial(write, number, sinks))
