"""Taking turns: what is counted, what is emptied, what a ratio means."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import report
from benchmarks.contenders import Contender
from benchmarks.pair import MIN_SAMPLES, Asyncio, Result, Samples, Style, measure, style_named
from benchmarks.tasks import ASYNCIO, STYLES, SYNC, Task


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
            client=lambda uri: Log(log, False),
            async_client=lambda uri: Log(log, True),
        )

    return contender("ours"), contender("theirs")


@pytest.mark.parametrize("name", STYLES)
def test_both_do_the_same(name: str) -> None:
    called: dict[str, list[str]] = {}
    drivers = contenders(called)
    task = Task(
        "insert",
        10,
        lambda driver, database: database.insert_one,
        needs_server=True,
        writes=True,
        documents=lambda driver: [{"_id": 1}],
    )
    with style_named(name) as style:
        result = measure(task, style, drivers, "mongodb://a", 0.0)
    assert result.style == name
    for samples in result.samples.values():
        assert len(samples.wall) == len(samples.cpu) == MIN_SAMPLES
        assert samples.frames >= 1
    ours, theirs = called["ours"], called["theirs"]
    assert ours[:2] == ["drop_database", "insert_many"]
    assert "insert_many" not in theirs
    assert ours[-2:] == theirs[-2:] == ["drop_database", "close"]
    assert theirs.count("drop") == theirs.count("create_collection") == MIN_SAMPLES + 1
    per_sample = theirs.count("insert_one") // MIN_SAMPLES
    assert per_sample > 1
    assert theirs[2] == "insert_one"  # warmed up before it is measured


def test_a_task_without_a_server_makes_no_clients() -> None:
    called: dict[str, list[str]] = {}
    task = Task("encode", 10, lambda driver, database: lambda: driver.encode({}))
    with style_named(SYNC) as style:
        measure(task, style, contenders(called), None, 0.0)
    assert called == {"ours": [], "theirs": []}


def test_asyncio_awaits() -> None:
    done: list[int] = []

    async def operation() -> int:
        await asyncio.sleep(0)
        done.append(1)
        return 5

    with asyncio.Runner() as runner:
        style: Style = Asyncio(runner)
        style.repeat(operation, 3)
        assert len(done) == 3
        assert style.do(operation) == 5
        assert style.name == ASYNCIO


def a_result() -> Result:
    task = Task("decode", 1_000_000, lambda driver, database: lambda: None)
    first = Samples([0.5, 0.1, 0.1], [0.02, 0.02, 0.02], 3.0)
    second = Samples([0.2, 0.2, 0.9], [0.08, 0.08, 0.08], 7.0)
    return Result(task, SYNC, {"ours": first, "theirs": second})


def test_a_ratio_is_of_medians() -> None:
    assert a_result().ratio() == pytest.approx(0.5)
    assert a_result().ratio("cpu") == pytest.approx(0.25)


def test_reports() -> None:
    drivers = contenders({})
    shown = report.document([a_result()], drivers, "8.2.0")
    assert shown["server"] == "8.2.0"
    assert [driver["name"] for driver in shown["drivers"]] == ["ours", "theirs"]
    (task,) = shown["tasks"]
    assert (task["name"], task["style"], task["bytes"]) == ("decode", SYNC, 1_000_000)
    assert task["drivers"]["ours"]["median"] == 0.1
    assert task["drivers"]["theirs"]["samples"] == [0.2, 0.2, 0.9]
    cells = [next(iter(column.cells)) for column in report.table([a_result()], drivers).columns]
    assert cells == ["decode", SYNC, "100,000.0", "200,000.0", "0.50", "0.25", "10.0", "3 : 7"]
