"""How much memory an operation takes: a process a driver, which has loaded nothing else.

Linux keeps the most that a process had in memory (VmHWM), and can be told to begin anew. What
allocators in C take counts as well.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.data import Data

_STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
"""Where "5" makes VmHWM begin anew."""


@dataclass(frozen=True, slots=True)
class Question:
    """A task and a driver, by name."""

    data: Data
    task: str
    style: str
    driver: str
    uri: str | None
    times: int


def growth(question: Question) -> int | None:
    """Bytes by which a process grows at most during the operations; None where none can tell."""
    if not CLEAR.exists():
        return None
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_growth, question).result()


def _growth(question: Question) -> int:
    """In the new process: connect, begin anew, run."""
    from benchmarks import contenders  # noqa: PLC0415 - in this process alone
    from benchmarks.catalog import all_tasks  # noqa: PLC0415
    from benchmarks.style import style_named  # noqa: PLC0415
    from benchmarks.tasks import Setting  # noqa: PLC0415

    (task,) = (each for each in all_tasks(question.data) if each.name == question.task)
    driver = {"reference": contenders.reference, "pymongo": contenders.pymongo}[question.driver]()
    with style_named(question.style) as style:
        client = None
        if question.uri is not None and task.needs_server:
            client = style.client(driver, question.uri)
        setting = Setting(driver, style, client)
        try:
            if client is not None:
                style.do(lambda: client.admin.command("ping"))
            for operation in task.before(setting):
                style.do(operation)
            operation = task.make(setting)
            return grown(lambda: style.repeat(operation, question.times))
        finally:
            if client is not None:
                style.do(client.close)


def grown(run: Callable[[], object]) -> int:
    """Bytes by which this process grows at most while something runs."""
    gc.collect()
    CLEAR.write_text("5", encoding="ascii")
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(name: str) -> int:
    """Bytes of that name."""
    status = _STATUS.read_text(encoding="ascii")
    found = re.search(rf"^{name}:\s*(\d+) kB$", status, re.MULTILINE)
    if found is None:
        raise OSError(f"{_STATUS} does not tell {name}")
    return int(found[1]) * 1024
