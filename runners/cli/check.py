"""`mongospec check`: run cases against drivers and report what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import click

from runners import check as checking
from runners import ledger
from runners.adapters import NAMES, load
from runners.adapters.base import Adapter, DriverInfo
from runners.adapters.process import ProcessAdapter
from runners.check import RunCase
from runners.cli.ending import end_if_asked, ended_by_signals
from runners.cli.options import (
    AUTH,
    HTML,
    JUNIT,
    LEDGER,
    MONGOD,
    PATHS,
    SERVERS,
    SUITES,
    TEXT,
    TLS,
    Part,
    Topologies,
    paths_or_own,
    selected,
    words,
)
from runners.collect import Collection
from runners.deployments.base import Deployment
from runners.deployments.offer import HARNESS_DRIVER, LOCAL, Wish, connect, offer
from runners.deployments.security import Security
from runners.ledger import Ledger
from runners.model import Topology, Verdict
from runners.record.recording import Recording
from runners.report import html, junit, run_file
from runners.report.run import Run, specs_at
from runners.report.terminal import LiveProgress, PlainProgress, progress, summary
from runners.shard import Shard, shard
from runners.side_by_side import SideBySide


@dataclass
class Recorder:
    """Keeps what a check found so far, so that an interrupted one can be reported too."""

    shown: PlainProgress | LiveProgress
    offered: Sequence[Deployment] = ()
    verdicts: list[Verdict] = field(default_factory=list)

    def begin(self, total: int) -> None:
        """See check.Watcher."""
        self.shown.begin(total)

    def say(self, text: str) -> None:
        """See check.Watcher."""
        self.shown.say(text)

    def verdict(self, verdict: Verdict) -> None:
        """See check.Watcher."""
        self.verdicts.append(verdict)
        self.shown.verdict(verdict)
        end_if_asked()

    def run(self, driver: DriverInfo, paths: Sequence[Path], *, complete: bool) -> Run:
        """What is known now, as reports need it."""
        used = {verdict.deployment for verdict in self.verdicts}
        return Run(
            driver,
            tuple(map(specs_at, paths)),
            tuple(each.info for each in self.offered if each.info.id in used),
            tuple(sorted(self.verdicts, key=lambda v: (v.case.id, v.deployment or ""))),
            complete,
        )


@click.command()
@PATHS
@click.option(
    "--driver",
    "drivers",
    multiple=True,
    type=click.Choice(NAMES),
    help="The driver to check; repeatable; default: reference.",
)
@click.option(
    "--driver-command",
    "commands",
    multiple=True,
    metavar="COMMAND",
    help="A command that serves a driver as a process (see docs/adding-a-driver.md); repeatable.",
)
@click.option(
    "--on", default=LOCAL, metavar="local|docker|URI", help="Where to run; default: local."
)
@click.option(
    "--topology",
    "topologies",
    multiple=True,
    type=Topologies(Topology),
    help="Run every case on this topology, if it suits; repeatable.",
)
@SERVERS
@MONGOD
@AUTH
@TLS
@click.option(
    "--single-mongos",
    metavar="URI",
    help="With --on and a load balancer's URI: that of one before a single mongos.",
)
@SUITES
@TEXT
@click.option(
    "-j",
    "jobs",
    type=click.IntRange(1),
    default=1,
    metavar="N",
    help="Run on N deployments at once, in a process each; default: 1.",
)
@click.option(
    "--shard",
    "part",
    type=Part(),
    metavar="I/N",
    help="Run only part I of N, as one of N machines; `report` puts the run files together.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a run file; with several drivers, one each (run.json: run.NAME.json).",
)
@JUNIT
@HTML
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write a file into FOLDER for each case that fails, for `mongospec replay`.",
)
@click.option(
    "--record-when",
    type=click.Choice(("fail", "always")),
    default="fail",
    help="With --record: only failures (the default), or each case on a server.",
)
@LEDGER
@click.option("--no-ledger", is_flag=True, help="Judge as if no failure were known.")
@ended_by_signals()
def check(
    paths: tuple[Path, ...],
    drivers: tuple[str, ...],
    commands: tuple[str, ...],
    on: str,
    topologies: tuple[Topology, ...],
    servers: tuple[str, ...],
    mongod: Path | None,
    auth: bool,
    tls: bool,
    single_mongos: str | None,
    suites: tuple[str, ...],
    text: str,
    jobs: int,
    part: tuple[int, int] | None,
    json_file: Path | None,
    junit_file: Path | None,
    html_file: Path | None,
    record: Path | None,
    record_when: str,
    ledgers: tuple[Path, ...],
    no_ledger: bool,
) -> None:
    """Run the cases of spec files, or without PATH our own, against a driver.

    Exit status: 0 without failures, 1 with, 2 for bad usage or input.
    """
    files = (("--json", json_file), ("--junit", junit_file), ("--html", html_file))
    for option, file in files:
        if file is not None and not file.absolute().parent.is_dir():
            raise click.UsageError(f"{option} {file}: there is no folder {file.parent}")
    paths = paths_or_own(paths)
    collection, of_run = _part(selected(paths, suites, text), part)
    wish = Wish(on, topologies, servers, mongod, Security(auth, tls), single_mongos)
    known = _known(ledgers, no_ledger, collection)
    loads = _loads(drivers, commands)
    run_case = _run_case(record, record_when)
    runs: list[Run] = []
    names: list[str] = []
    for name, load_driver in loads:
        checked = _check_one(load_driver, collection, wish, paths, jobs, known, run_case)
        run = replace(checked, shard=of_run)
        runs.append(run)
        names.append(name or run.driver.name)
        summary(run)
        if json_file is not None:
            run_file.write(run, json_file if len(loads) == 1 else _for_driver(json_file, names))
        if junit_file is not None:
            junit.write(runs, junit_file)
        if html_file is not None:
            html.write(runs, html_file)
        if not run.complete:
            raise KeyboardInterrupt
    click.get_current_context().exit(1 if any(run.failed for run in runs) else 0)


def _part(collection: Collection, part: tuple[int, int] | None) -> tuple[Collection, Shard | None]:
    """The cases of the part that was asked for, and which it is."""
    if part is None:
        return collection, None
    _, of = part
    if of > len(collection):
        raise click.UsageError(f"{len(collection)} cases cannot be split into {of} parts")
    return shard(collection, *part)


def _loads(
    drivers: Sequence[str], commands: Sequence[str]
) -> list[tuple[str | None, Callable[[], Adapter]]]:
    """What makes the adapter of each driver that was asked for, with its name, where that is known.

    A driver that a command serves tells its name when it is opened.
    """
    names = drivers if drivers or commands else ("reference",)
    return [
        *((name, partial(load, name)) for name in dict.fromkeys(names)),
        *((None, partial(ProcessAdapter, words(each))) for each in dict.fromkeys(commands)),
    ]


def _known(paths: Sequence[Path], nothing: bool, collection: Collection) -> Callable[[str], Ledger]:
    """What gives the known failures of a driver, by its name."""
    if nothing and paths:
        raise click.UsageError("--ledger and --no-ledger contradict each other")

    def known(driver: str) -> Ledger:
        found = ledger.NOTHING if nothing else ledger.load(paths or ledger.own(driver), driver)
        found.check(collection)
        return found

    return known


def _run_case(record: Path | None, when: str) -> RunCase:
    """What runs a case, and records it where that is asked for. Raises UsageError."""
    if record is None:
        if when != "fail":
            raise click.UsageError("--record-when goes with --record")
        return checking.run
    record.mkdir(parents=True, exist_ok=True)
    return Recording(record, when == "always", partial(load, HARNESS_DRIVER))


def _check_one(
    load_driver: Callable[[], Adapter],
    collection: Collection,
    wish: Wish,
    paths: Sequence[Path],
    jobs: int,
    known: Callable[[str], Ledger],
    run_case: RunCase,
) -> Run:
    """Check one driver; an interrupted check gives what it found."""
    with checking.opened(load_driver()) as driver, progress() as shown:
        recorder = Recorder(shown)
        of_driver = known(driver.info.name)

        def deployments() -> Sequence[Deployment]:
            recorder.offered = offer(wish, connect, recorder.say)
            return recorder.offered

        execute = (
            checking.in_turn(driver, connect, run_case)
            if jobs == 1
            else SideBySide(jobs, load_driver, connect, run_case)
        )
        try:
            checking.check(
                *(collection, driver, deployments, execute, recorder),
                choices=wish.choices,
                known=of_driver,
            )
        except KeyboardInterrupt:
            return recorder.run(driver.info, paths, complete=False)
        return recorder.run(driver.info, paths, complete=True)


def _for_driver(path: Path, names: Sequence[str]) -> Path:
    """The run file of the last of these drivers; where the name is there already, with a number."""
    *earlier, name = names
    number = f"-{earlier.count(name) + 1}" if name in earlier else ""
    return path.with_suffix(f".{name}{number}{path.suffix}")
