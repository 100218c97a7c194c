"""The tasks of the official benchmark with bulk writes, of a collection and of a client."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from typing import Any

from benchmarks import tasks
from benchmarks.data import Data
from benchmarks.style import Operation
from benchmarks.tasks import DATABASE, MULTI, WRITE, Setting, Task, empty_corpus

_NEW = "8.0"  # the first server with the command bulkWrite
_HERE: list[dict[str, str]] = [{}]  # a model of a collection's bulk names no other
_NAMES = [f"corpus_{number}" for number in range(1, 11)]


def bulk_tasks(data: Data) -> list[Task]:
    """Inserts, and (a share of them) inserts with replacements and deletions."""
    read, scores = data.document, (MULTI, WRITE)
    made = []
    for of, since in (("Collection", ""), ("Client", _NEW)):
        for size, times in (("small", tasks.MANY), ("large", tasks.FEW)):
            text = read(f"{size}_doc")
            make = _bulk(of, text, times, _insertions)
            name, count = f"{size} doc {of} BulkWrite insert", times * len(text)
            task = Task(name, count, make, before=empty_corpus, since=since, scores=scores)
            made.append(task)
    small, times = read("small_doc"), max(1, tasks.MANY // data.share)
    for of, since, before in (("Client", _NEW, _new_database), ("Collection", "", empty_corpus)):
        make = _bulk(of, small, times, _mixed)
        name, count = f"small doc {of} BulkWrite Mixed Operations", 2 * times * len(small)
        made.append(Task(name, count, make, before=before, since=since, scores=scores))
    return made


def _new_database(setting: Setting) -> Sequence[Operation]:
    create = setting.database.create_collection
    return (
        partial(setting.client.drop_database, DATABASE),
        *(partial(create, name) for name in _NAMES),
    )


def _bulk(
    of: str, text: str, times: int, models: Callable[..., Iterator[Any]]
) -> Callable[[Setting], Operation]:
    def make(setting: Setting) -> Operation:
        document, kinds = setting.driver.loads(text), setting.driver.models
        write, targets = setting.database.corpus.bulk_write, _HERE
        if of == "Client":
            names = ["corpus"] if models is _insertions else _NAMES
            write = setting.client.bulk_write
            targets = [{"namespace": f"{DATABASE}.{name}"} for name in names]
        return lambda: write(list(models(kinds, document, islice(cycle(targets), times))))

    return make


def _insertions(kinds: Any, document: Any, targets: Iterator[Any]) -> Iterator[Any]:
    for target in targets:
        yield kinds.insert_one(document.copy(), **target)


def _mixed(kinds: Any, document: Any, targets: Iterator[Any]) -> Iterator[Any]:
    for target in targets:
        yield kinds.insert_one(document.copy(), **target)
        yield kinds.replace_one({}, document.copy(), **target)
        yield kinds.delete_one({}, **target)
