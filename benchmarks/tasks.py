"""What is measured: the tasks of the official benchmark, and two with many callers at once.

A task makes an operation of a `Setting`, which is repeated and measured. Both styles share all of
that, since both have the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.style import MOST, Operation, Style

DATABASE = "perftest"
MANY = 10_000
FEW = 10
EACH = 10
"""How often each of many callers calls."""

SINGLE, MULTI, PARALLEL = "SingleBench", "MultiBench", "ParallelBench"
READ, WRITE = "ReadBench", "WriteBench"


@dataclass(frozen=True, slots=True)
class Setting:
    """Whose operation it is, in which style, and with which client; None without a server."""

    driver: Contender
    style: Style
    client: Any = None

    @property
    def database(self) -> Any:
        """Where all tasks work."""
        return self.client[DATABASE]

    @property
    def bucket(self) -> Any:
        """A new GridFS bucket of it."""
        return self.style.bucket(self.driver, self.database)


def nothing(setting: Setting) -> Sequence[Operation]:
    """No operations."""
    return ()


@dataclass(frozen=True, slots=True)
class Task:
    """Something to measure.

    `size`: bytes that one operation handles, by which throughput is counted. `fill` is done once,
    `before` ahead of every sample; neither is measured. An operation consists of so many `calls`,
    `at_once` of them together. `scores` names the composite scores that a task counts for.
    """

    name: str
    size: int
    make: Callable[[Setting], Operation]
    needs_server: bool = True
    fill: Callable[[Setting], Iterable[Operation]] = nothing
    before: Callable[[Setting], Iterable[Operation]] = nothing
    calls: int = 1
    at_once: int = 1
    since: str = ""
    """The server version that it needs."""
    scores: Sequence[str] = field(default=())


def bson_tasks(read: Callable[[str], str]) -> list[Task]:
    """Encoding and decoding "flat", "deep" and "full", without a server."""
    tasks = []
    for name in ("flat", "deep", "full"):
        text = read(name)
        for what, make in (("encoding", _encoding(text)), ("decoding", _decoding(text))):
            task = Task(f"{name} BSON {what}", len(text), make, False, scores=["BSONBench"])
            tasks.append(task)
    return tasks


def _encoding(text: str) -> Callable[[Setting], Operation]:
    def make(setting: Setting) -> Operation:
        encode, document = setting.driver.encode, setting.driver.loads(text)
        return lambda: encode(document)

    return make


def _decoding(text: str) -> Callable[[Setting], Operation]:
    def make(setting: Setting) -> Operation:
        driver = setting.driver
        decode, encoded = driver.decode, driver.encode(driver.loads(text))
        return lambda: decode(encoded)

    return make


def single_document_tasks(read: Callable[[str], str]) -> list[Task]:
    """One command an operation."""
    tweet = read("tweet")
    tasks = [
        Task("run command", len('{"hello": true}'), _hello),
        Task("find one by ID", len(tweet), _find_one, fill=_copies(tweet), scores=(SINGLE, READ)),
    ]
    for size in ("small", "large"):
        text = read(f"{size}_doc")
        make, scores = _insert_one(text), (SINGLE, WRITE)
        name = f"{size} doc insertOne"
        tasks.append(Task(name, len(text), make, before=empty_corpus, scores=scores))
    return tasks


def crowded_tasks(read: Callable[[str], str]) -> list[Task]:
    """Many callers with one client: in threads, or in tasks."""
    tweet, small = read("tweet"), read("small_doc")
    calls = MOST * EACH

    def crowd(make: Callable[[Setting], Operation]) -> Callable[[Setting], Operation]:
        return lambda setting: setting.style.together([make(setting)] * calls, MOST)

    return [
        Task(
            f"find one by ID, {MOST} at once",
            calls * len(tweet),
            crowd(_find_one),
            fill=_copies(tweet),
            calls=calls,
            at_once=MOST,
        ),
        Task(
            f"small doc insertOne, {MOST} at once",
            calls * len(small),
            crowd(_insert_one(small)),
            before=empty_corpus,
            calls=calls,
            at_once=MOST,
        ),
    ]


def empty_corpus(setting: Setting) -> Sequence[Operation]:
    """The collection without documents."""
    database = setting.database
    return database.corpus.drop, lambda: database.create_collection("corpus")


def _hello(setting: Setting) -> Operation:
    command = setting.database.command
    return lambda: command({"hello": True})


def _find_one(setting: Setting) -> Operation:
    find_one, numbers = setting.database.corpus.find_one, count()
    return lambda: find_one({"_id": next(numbers) % MANY + 1})


def _insert_one(text: str) -> Callable[[Setting], Operation]:
    def make(setting: Setting) -> Operation:
        document, insert_one = setting.driver.loads(text), setting.database.corpus.insert_one
        return lambda: insert_one(document.copy())

    return make


def multi_document_tasks(read: Callable[[str], str]) -> list[Task]:
    """Many documents an operation, by `find` and by `insert_many`."""
    tweet, scores = read("tweet"), (MULTI, WRITE)
    tasks = [
        Task("find many", MANY * len(tweet), _find_many, fill=_copies(tweet), scores=(MULTI, READ))
    ]
    for size, times in (("small", MANY), ("large", FEW)):
        text = read(f"{size}_doc")
        make, name = _insert_many(text, times), f"{size} doc bulk insert"
        tasks.append(Task(name, times * len(text), make, before=empty_corpus, scores=scores))
    return tasks


def _find_many(setting: Setting) -> Operation:
    find = setting.database.corpus.find
    return lambda: find().to_list()


def _insert_many(text: str, times: int) -> Callable[[Setting], Operation]:
    def make(setting: Setting) -> Operation:
        document, insert_many = setting.driver.loads(text), setting.database.corpus.insert_many
        return lambda: insert_many([document.copy() for _ in range(times)])

    return make


def _copies(text: str) -> Callable[[Setting], Sequence[Operation]]:
    def fill(setting: Setting) -> Sequence[Operation]:
        document = setting.driver.loads(text)
        document.pop("_id", None)
        documents = [{"_id": number, **document} for number in range(1, MANY + 1)]
        return (lambda: setting.database.corpus.insert_many(documents),)

    return fill
