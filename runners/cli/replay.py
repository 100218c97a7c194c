"""`mongospec replay`: a recorded failure, without a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from runners.adapters import NAMES, load
from runners.adapters.base import Adapter, DriverInfo
from runners.adapters.process import ProcessAdapter
from runners.cli.options import words
from runners.record import record_file
from runners.record.record_file import Record
from runners.record.replay import Replay
from runners.record.replay import replay as replay_record
from runners.report.explain import explain


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--driver", type=click.Choice(NAMES), help="Default: the driver that was recorded.")
@click.option(
    "--driver-command",
    "command",
    metavar="COMMAND",
    help="A command that serves a driver as a process.",
)
def replay(file: Path, driver: str | None, command: str | None) -> None:
    """Run a case that `check --record` wrote to FILE, with its servers' recorded replies.

    Exit status: 0 where it passes, 1 where it fails, in the same way or another, or does what the
    record has no reply for, 2 for bad usage or input.
    """
    record = record_file.read(file)
    done = replay_record(record, _driver(record, driver, command)())
    _show(record, done)
    click.get_current_context().exit(0 if done.comparison.is_well else 1)


def _driver(record: Record, name: str | None, command: str | None) -> Callable[[], Adapter]:
    if name is not None and command is not None:
        raise click.UsageError("--driver and --driver-command contradict each other")
    if command is not None:
        return partial(ProcessAdapter, words(command))
    recorded = record.driver.name
    if name is None and recorded not in NAMES:
        raise click.UsageError(
            f"the record is of the driver {recorded!r}, of which there is no adapter here; "
            "give --driver-command"
        )
    return partial(load, name or recorded)


def _show(record: Record, done: Replay) -> None:
    verdict = record.value["verdict"]
    failure = verdict["failure"]
    told = failure["message"] if failure else verdict["reason"]
    click.echo(explain(done.verdict))
    click.echo(f"recorded: {_named(record.driver)}: {verdict['state']}{told and f': {told}'}")
    click.echo(f"now:      {_named(done.driver)}: {done.comparison}")
    _listed("the record has no reply to", done.missing)
    _listed("these differ from what was recorded, and got the reply to that", done.substituted)


def _named(driver: DriverInfo) -> str:
    return f"{driver.name} {driver.version}"


def _listed(title: str, lines: Sequence[str]) -> None:
    if lines:
        click.echo("\n  ".join((f"{title}:", *lines)))
