"""`mongospec bench`: the official driver benchmark, the reference driver against PyMongo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.cli.options import MONGOD, SERVERS, Topologies
from runners.deployments.offer import LOCAL, Wish, connect, offer
from runners.model import Topology

if TYPE_CHECKING:
    from benchmarks.tasks import Task


@click.command()
@click.option("-k", "text", default="", help="Only tasks whose name contains TEXT.")
@click.option(
    "--style",
    "styles",
    type=click.Choice(["sync", "asyncio"]),
    multiple=True,
    default=["sync", "asyncio"],
    help="One of both ways to call a driver; repeatable.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0),
    default=5.0,
    show_default=True,
    help="How long a task is measured in each style.",
)
@click.option("--on", default=LOCAL, help="A local server (the default), or a deployment's URI.")
@click.option(
    "--topology",
    type=Topologies((Topology.STANDALONE, Topology.REPLICA_SET)),
    default=Topology.STANDALONE.value,
    show_default=True,
    help="What is started locally.",
)
@SERVERS
@MONGOD
@click.option(
    "--data",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The official data, if not in ../shared/specifications/source/benchmarking/data.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all samples as JSON.",
)
def bench(
    text: str,
    styles: tuple[str, ...],
    seconds: float,
    on: str,
    topology: Topology,
    servers: tuple[str, ...],
    mongod: Path | None,
    folder: Path | None,
    json_file: Path | None,
) -> None:
    """Measure the reference driver against PyMongo, taking turns in one process.

    Ratios are of medians, the reference driver's by PyMongo's: 0.50 takes half the time.
    """
    from rich.console import Console  # noqa: PLC0415 - other commands need none of these

    from benchmarks import contenders, data, pair, report, tasks  # noqa: PLC0415

    try:
        drivers = (contenders.reference(), contenders.pymongo())
    except ImportError as error:
        raise click.UsageError(f"{error}: pip install 'mongospec[pymongo]'") from None
    chosen = [
        task
        for task in tasks.all_tasks(data.Data(folder or data.BESIDE))
        if text.casefold() in task.name.casefold()
    ]
    if not chosen:
        raise click.UsageError(f"no task's name contains {text!r}")
    wish = Wish(on, (topology,) if on == LOCAL else (), servers, mongod)
    results = []
    with deployed(chosen, wish) as (uri, server):
        for name in dict.fromkeys(styles):
            with pair.style_named(name) as style:
                for task in chosen:
                    if task.needs_server or name == styles[0]:
                        click.echo(f"{task.name}, {name} …", err=True)
                        results.append(pair.measure(task, style, drivers, uri, seconds))
    Console(width=None if Console().is_terminal else 140).print(report.table(results, drivers))
    if json_file is not None:
        shown = report.document(results, drivers, server)
        json_file.write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")


@contextmanager
def deployed(chosen: list[Task], wish: Wish) -> Iterator[tuple[str | None, str | None]]:
    """The URI and the version of a running deployment, if a task needs one."""
    if not any(task.needs_server for task in chosen):
        yield None, None
        return
    deployment = offer(wish, connect, lambda line: click.echo(line, err=True))[0]
    with deployment:
        yield deployment.info.uri, deployment.info.server_version
