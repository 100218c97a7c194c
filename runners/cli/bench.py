"""`mongospec bench`: the official driver benchmark, the reference driver against PyMongo."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.cli.options import MONGOD, SERVERS, Topologies
from runners.deployments.offer import LOCAL, Wish, connect, offer
from runners.model import DeploymentInfo, Topology
from runners.requirements import version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.tasks import Task


@click.group(invoke_without_command=True)
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
    "--share",
    type=click.IntRange(1, 50),
    default=10,
    show_default=True,
    metavar="N",
    help="Of the parallel tasks' files, and of mixed bulk writes, use one in N.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all samples as JSON.",
)
@click.pass_context
def bench(context: click.Context, /, **options: Any) -> None:
    """Measure the reference driver against PyMongo, taking turns in one process.

    Ratios are of medians, the reference driver's by PyMongo's: 0.50 takes half the time.
    """
    if context.invoked_subcommand is None:
        run(**options)


@bench.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="RUN.json")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    required=True,
    help="Where to write the plot.",
)
def report(file: Path, svg: Path) -> None:
    """Plot a run that `mongospec bench --json` wrote."""
    from benchmarks import plot  # noqa: PLC0415

    try:
        svg.write_text(plot.svg(plot.read(file)), encoding="utf-8")
    except plot.NotARunError as error:
        raise click.UsageError(f"{file}: {error}") from None


def run(
    text: str,
    styles: tuple[str, ...],
    seconds: float,
    on: str,
    topology: Topology,
    servers: tuple[str, ...],
    mongod: Path | None,
    folder: Path | None,
    share: int,
    json_file: Path | None,
) -> None:
    """Measure, show, and write what was measured."""
    from rich.console import Console  # noqa: PLC0415 - other commands need none of these

    from benchmarks import catalog, contenders, data, pair, report  # noqa: PLC0415
    from benchmarks.style import style_named  # noqa: PLC0415

    try:
        drivers = (contenders.reference(), contenders.pymongo())
    except ImportError as error:
        raise click.UsageError(f"{error}: pip install 'mongospec[pymongo]'") from None
    results = []
    with data.unpacked(folder or data.BESIDE, share) as files:
        chosen = named(catalog.all_tasks(files), text)
        wish = Wish(on, (topology,) if on == LOCAL else (), servers, mongod)
        with deployed(chosen, wish) as there:
            chosen = runnable(chosen, there)
            uri = there.uri if there else None
            conditions = pair.Conditions(drivers, uri, seconds, files, bare_address(there))
            for name in dict.fromkeys(styles):
                with style_named(name) as style:
                    for task in chosen:
                        if task.needs_server or name == styles[0]:
                            click.echo(f"{task.name}, {name} …", err=True)
                            results.append(pair.measure(task, style, conditions))
    console = Console(width=None if Console().is_terminal else 180)
    console.print(report.table(results, drivers))
    if not text:
        console.print(report.score_table(results, drivers))
    if json_file is not None:
        shown = report.document(results, drivers, there.server_version if there else None)
        json_file.write_text(json.dumps(shown, indent=2) + "\n", encoding="utf-8")


def named(tasks: Sequence[Task], text: str) -> list[Task]:
    """The tasks whose name contains a text. Raises UsageError where there are none."""
    chosen = [task for task in tasks if text.casefold() in task.name.casefold()]
    if not chosen:
        raise click.UsageError(f"no task's name contains {text!r}")
    return chosen


def runnable(tasks: Sequence[Task], there: DeploymentInfo | None) -> list[Task]:
    """The tasks that the server is new enough for; says which are not."""
    able = []
    for task in tasks:
        if there and task.since and version(there.server_version) < version(task.since):
            click.echo(f"{task.name}: not run, needs server {task.since}", err=True)
        else:
            able.append(task)
    return able


def bare_address(there: DeploymentInfo | None) -> tuple[str, int] | None:
    """Where a bare socket can do what a driver does: neither a password nor TLS is asked for."""
    if there is None or there.auth or there.tls or not there.hosts:
        return None
    host, _, port = there.hosts[0].rpartition(":")
    return host, int(port)


@contextmanager
def deployed(chosen: list[Task], wish: Wish) -> Iterator[DeploymentInfo | None]:
    """A running deployment, if a task needs one."""
    if not any(task.needs_server for task in chosen):
        yield None
        return
    deployment = offer(wish, connect, lambda line: click.echo(line, err=True))[0]
    with deployment:
        yield deployment.info
