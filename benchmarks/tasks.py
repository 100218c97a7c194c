"""The tasks of the official benchmark: BSON, single documents, many documents.

A task makes, for each driver, an operation: what is repeated and measured. In asyncio an operation
gives an awaitable; both styles share all the rest, since both have the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias

from benchmarks.contenders import Contender
from benchmarks.data import Data

SYNC, ASYNCIO = STYLES = ("sync", "asyncio")
DATABASE = "perftest"
MANY = 10_000
FEW = 10

Operation: TypeAlias = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Task:
    """Something to measure.

    `size`: bytes that one operation handles, by which throughput is counted; 0 where there are
    none. `make` gives the operation of a driver; of one with a server, for its `perftest` database,
    in which `prepare` has put what `documents` says and which is emptied before every sample where
    the task `writes`.
    """

    name: str
    size: int
    make: Callable[[Contender, Any], Operation]
    needs_server: bool = False
    writes: bool = False
    documents: Callable[[Contender], Iterable[dict[str, Any]]] | None = None


def all_tasks(data: Data) -> list[Task]:
    """Every task, in the order of the specification."""
    return [*bson_tasks(data), *single_document_tasks(data), *multi_document_tasks(data)]


def bson_tasks(data: Data) -> list[Task]:
    """Encoding and decoding, without a server."""
    tasks = []
    for name in ("flat", "deep", "full"):
        text = data.bson(name)
        tasks.append(Task(f"{name} BSON encoding", len(text), _encoding(text)))
        tasks.append(Task(f"{name} BSON decoding", len(text), _decoding(text)))
    return tasks


def _encoding(text: str) -> Callable[[Contender, Any], Operation]:
    def make(driver: Contender, database: Any) -> Operation:
        encode, document = driver.encode, driver.loads(text)
        return lambda: encode(document)

    return make


def _decoding(text: str) -> Callable[[Contender, Any], Operation]:
    def make(driver: Contender, database: Any) -> Operation:
        decode, encoded = driver.decode, driver.encode(driver.loads(text))
        return lambda: decode(encoded)

    return make


def single_document_tasks(data: Data) -> list[Task]:
    """One command an operation."""
    tweet = data.document("tweet")
    tasks = [
        Task("run command", len('{"hello": true}'), _hello, needs_server=True),
        Task("find one by ID", len(tweet), _find_one, needs_server=True, documents=_copies(tweet)),
    ]
    for size in ("small", "large"):
        text = data.document(f"{size}_doc")
        tasks.append(Task(f"{size} doc insertOne", len(text), _insert_one(text), True, writes=True))
    return tasks


def _hello(driver: Contender, database: Any) -> Operation:
    return lambda: database.command({"hello": True})


def _find_one(driver: Contender, database: Any) -> Operation:
    find_one, numbers = database.corpus.find_one, count()
    return lambda: find_one({"_id": next(numbers) % MANY + 1})


def _insert_one(text: str) -> Callable[[Contender, Any], Operation]:
    def make(driver: Contender, database: Any) -> Operation:
        document, insert_one = driver.loads(text), database.corpus.insert_one
        return lambda: insert_one(document.copy())

    return make


def multi_document_tasks(data: Data) -> list[Task]:
    """Many documents an operation."""
    tweet = data.document("tweet")
    small, large = data.document("small_doc"), data.document("large_doc")
    return [
        Task("find many", MANY * len(tweet), _find_many, True, documents=_copies(tweet)),
        Task("small doc bulk insert", MANY * len(small), _insert_many(small, MANY), True, True),
        Task("large doc bulk insert", FEW * len(large), _insert_many(large, FEW), True, True),
    ]


def _find_many(driver: Contender, database: Any) -> Operation:
    find = database.corpus.find
    return lambda: find().to_list()


def _insert_many(text: str, times: int) -> Callable[[Contender, Any], Operation]:
    def make(driver: Contender, database: Any) -> Operation:
        document, insert_many = driver.loads(text), database.corpus.insert_many
        return lambda: insert_many([document.copy() for _ in range(times)])

    return make


def _copies(text: str) -> Callable[[Contender], Iterable[dict[str, Any]]]:
    def documents(driver: Contender) -> Iterable[dict[str, Any]]:
        document = driver.loads(text)
        document.pop("_id", None)
        return ({"_id": number, **document} for number in range(1, MANY + 1))

    return documents
