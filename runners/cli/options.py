"""Arguments and options that several commands share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from runners.collect import Collection, collect, own_specs
from runners.model import Topology

PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
SUITES = click.option("--suite", "suites", multiple=True, help="Only this suite; repeatable.")
TEXT = click.option("-k", "text", default="", help="Only cases whose id contains TEXT.")
SERVERS = click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="V",
    help="A server version, such as 8.2, fetched if need be (see `mongospec servers`); repeatable.",
)
MONGOD = click.option(
    "--mongod",
    type=click.Path(path_type=Path),
    help="The mongod to start; otherwise the one on PATH, or the `server` extra's.",
)

JUNIT = click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write JUnit XML, with all drivers.",
)
HTML = click.option(
    "--html",
    "html_file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write a page with everything: suites by drivers, and each case down to its events.",
)
LEDGER = click.option(
    "--ledger",
    "ledgers",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Known failures of the driver, a file or folder; repeatable; default: our own.",
)
AUTH = click.option("--auth", is_flag=True, help="Clients have to authenticate.")
TLS = click.option("--tls", is_flag=True, help="Clients have to use TLS.")


class Topologies(click.Choice[str]):
    """A choice of topologies by the names that users write."""

    def __init__(self, topologies: Iterable[Topology]) -> None:
        super().__init__([topology.value for topology in topologies])

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Topology:
        """The topology of that name."""
        return Topology(super().convert(value, param, ctx))


class Part(click.ParamType[tuple[int, int]]):
    """`I/N`: a part of a run, counted from 1."""

    name = "I/N"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """The numbers I and N."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", str(value))
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            self.fail(f"{value!r} is not I/N with I from 1 to N, such as 2/4", param, ctx)
        return int(match[1]), int(match[2])


def paths_or_own(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The paths given, or the folder of our own spec files."""
    return paths or (own_specs(),)


def words(command: str) -> tuple[str, ...]:
    """A command's words, as a shell splits them. Raises UsageError."""
    try:
        found = tuple(shlex.split(command))
    except ValueError as error:
        raise click.UsageError(f"{command!r} is no command: {error}") from None
    if not found:
        raise click.UsageError("the command that serves a driver is empty")
    return found


def selected(paths: tuple[Path, ...], suites: tuple[str, ...], text: str) -> Collection:
    """The cases that the arguments select. Raises UsageError where there are none."""
    everything = collect(paths)
    chosen = everything.only(suites, text)
    if len(chosen):
        return chosen
    where = " ".join(map(str, paths))
    if not len(everything):
        raise click.UsageError(f"no spec files in {where}")
    known = sorted({each.case.suite for each in everything.cases})
    raise click.UsageError(
        f"none of the {len(everything)} cases in {where} is selected; suites: {', '.join(known)}"
    )
