"""Taking turns: what is counted, what is emptied, what a ratio means."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import report
from benchmarks.contenders import Contender, Models
from benchmarks.pair import MIN_SAMPLES, Conditions, measure
from benchmarks.samples import Result, Samples, percentile
from benchmarks.style import ASYNCIO, STYLES, SYNC, style_named
from benchmarks.tasks import Task, empty_corpus


class Log:
    """Stands for a client, a database and a collection; what is called is written down."""

    def __init__(self, called: list[str], awaited: bool) -> None:
        self._called = called
        self._awaited = awaited

    def __getitem__(self, name: str) -> Log:
        return self

    @property
    def corpus(self) -> Log:
        return self

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self._called.append(name)
            return asyncio.sleep(0) if self._awaited else None

        return call


def contenders(called: dict[str, list[str]]) -> tuple[Contender, Contender]:
    def contender(name: str) -> Contender:
        log = called.setdefault(name, [])
        return Contender(
            name,
            "1",
            encode=lambda document: b"",
            decode=lambda data: {},
            loads=lambda text: {},
            object_id=object,
            models=Models(dict, dict, dict),
            client=lambda uri: Log(log, False),
            async_client=lambda uri: Log(log, True),
            bucket=lambda database: database,
            async_bucket=lambda database: database,
        )

    return contender("ours"), contender("theirs")


@pytest.mark.parametrize("name", STYLES)
def test_both_do_the_same(name: str) -> None:
    called: dict[str, list[str]] = {}
    drivers = contenders(called)
    task = Task(
        "insert",
        10,
        lambda setting: setting.database.insert_one,
        fill=lambda setting: [lambda: setting.database.insert_many([])],
        before=empty_corpus,
    )
    with style_named(name) as style:
        result = measure(task, style, Conditions(drivers, "mongodb://a"))
    assert result.style == name
    for samples in result.samples.values():
        assert len(samples.wall) == len(samples.cpu) == MIN_SAMPLES
        assert len(samples.latencies) >= MIN_SAMPLES
        assert samples.frames
        assert samples.frames >= 1
    ours, theirs = called["ours"], called["theirs"]
    assert ours[:2] == ["drop_database", "insert_many"]
    assert "insert_many" not in theirs
    assert ours[-2:] == theirs[-2:] == ["drop_database", "close"]
    assert theirs.count("drop") == theirs.count("create_collection") == MIN_SAMPLES + 2
    per_sample = theirs.count("insert_one") // MIN_SAMPLES
    assert per_sample > 1
    assert theirs[3] == "insert_one"  # warmed up before it is measured


def test_a_task_without_a_server_makes_no_clients() -> None:
    called: dict[str, list[str]] = {}
    task = Task("encode", 10, lambda setting: lambda: setting.driver.encode({}), False)
    with style_named(SYNC) as style:
        measure(task, style, Conditions(contenders(called)))
    assert called == {"ours": [], "theirs": []}


def test_asyncio_awaits() -> None:
    done: list[int] = []

    async def operation() -> int:
        await asyncio.sleep(0)
        done.append(1)
        return 5

    with style_named(ASYNCIO) as style:
        assert len(style.repeat(operation, 3)) == 3
        assert len(done) == 3
        assert style.do(operation) == 5
        style.do(style.then(operation, done.append))
        assert done[-2:] == [1, 5]


@pytest.mark.parametrize("name", STYLES)
def test_at_once(name: str) -> None:
    """Two callers wait for each other, so they are at work at once."""
    threads, tasks = threading.Barrier(2), asyncio.Barrier(2)
    done: list[int] = []

    def part() -> Any:
        if name == ASYNCIO:
            return tasks.wait()
        threads.wait()
        done.append(1)
        return None

    with style_named(name) as style:
        style.do(style.together([part] * 4, 2))
    assert len(done) == (4 if name == SYNC else 0)


def test_percentiles_by_nearest_rank() -> None:
    assert [percentile(range(1, 201), which) for which in (10, 50, 99)] == [20, 100, 198]
    assert percentile([7.0], 99) == 7.0


MEGABYTE = 1 << 20


def a_result() -> Result:
    task = Task("decode", 1_000_000, lambda setting: lambda: None, calls=2)
    first = Samples([0.5, 0.1, 0.1], [0.02] * 3, [0.1] * 99 + [0.9], 6.0, 3 * MEGABYTE)
    second = Samples([0.2, 0.2, 0.9], [0.08] * 3, [0.2] * 99 + [0.3], 14.0, 2 * MEGABYTE)
    floor = Samples(latencies=[0.05])
    return Result(task, SYNC, {"ours": first, "theirs": second}, floor)


def test_ratios() -> None:
    result = a_result()
    assert result.ratio() == pytest.approx(0.5)
    assert result.ratio("cpu") == pytest.approx(0.25)
    assert result.latency_ratio(50) == pytest.approx(0.5)
    assert result.memory_ratio == pytest.approx(1.5)
    assert [result.above_floor(each) for each in result.pair] == pytest.approx([2, 4])


@pytest.mark.parametrize("sizes", [(None, None), (MEGABYTE - 1, 0), (2 * MEGABYTE, 0)])
def test_no_ratio_of_little_memory(sizes: tuple[int | None, int | None]) -> None:
    result = a_result()
    for samples, size in zip(result.pair, sizes, strict=True):
        samples.memory = size
    assert result.memory_ratio is None


def test_composite_scores() -> None:
    def scored(name: str, seconds: float, *scores: str) -> Result:
        task = Task(name, 1_000_000, lambda setting: lambda: None, scores=scores)
        samples = {"ours": Samples([seconds] * 3), "theirs": Samples([2 * seconds] * 3)}
        return Result(task, SYNC, samples)

    results = [
        scored("a", 0.1, "ReadBench"),
        scored("b", 0.5, "ReadBench"),
        scored("c", 1.0, "WriteBench"),
    ]
    scores = report.composites(results, SYNC)
    assert scores["ReadBench"] == pytest.approx([6, 3])
    assert scores["DriverBench"] == pytest.approx([3.5, 1.75])
    assert report.composites(results, ASYNCIO) == {}
    assert report.score_table(results, contenders({})).row_count == 3


def test_reports() -> None:
    drivers = contenders({})
    shown = report.document([a_result()], drivers, "8.2.0")
    assert shown["server"] == "8.2.0"
    assert [driver["name"] for driver in shown["drivers"]] == ["ours", "theirs"]
    (task,) = shown["tasks"]
    assert (task["name"], task["style"], task["bytes"]) == ("decode", SYNC, 1_000_000)
    assert task["latency_ratios"]["99"] == pytest.approx(0.5)
    assert task["floor"]["latencies"]["50"] == 0.05
    ours, theirs = task["drivers"]["ours"], task["drivers"]["theirs"]
    assert (ours["median"], ours["memory"], ours["above_floor"]) == (0.1, 3 * MEGABYTE, 2)
    assert theirs["samples"] == [0.2, 0.2, 0.9]
    cells = [next(iter(column.cells)) for column in report.table([a_result()], drivers).columns]
    assert cells[:5] == ["decode", SYNC, "50,000.0", "100,000.0", "0.50"]
    assert cells[5:8] == ["0.50", "0.50", "0.50"]
    assert cells[8:] == ["0.25", "1.50", "2.0 : 4.0", "3 : 7", "10.0"]
