"""The command line: `mongospec COMMAND`, a module a command.

Exit status: 0 when all is well, 1 when a case or a file is not, 2 for bad usage or input, 130
after Ctrl-C.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from runners.adapters.base import AdapterError
from runners.cli import (
    adapter,
    bench,
    check,
    diff,
    down,
    images,
    ledger,
    lint,
    new,
    replay,
    report,
    servers,
    up,
)
from runners.cli import list as list_
from runners.deployments.base import DeploymentError
from runners.load import SpecError
from runners.record.record_file import RecordError
from runners.report.recorded import RunFileError

INTERRUPTED = 130
BAD_INPUT = (SpecError, DeploymentError, AdapterError, RunFileError, RecordError, OSError)


class InputError(click.ClickException):
    """Something the user gave cannot be used."""

    exit_code = 2


class Commands(click.Group):
    """A group whose commands report bad input by raising what the runners raise."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say in plain words what was wrong with its input."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # who reads our output had enough; click ends quietly
        except BAD_INPUT as error:
            raise InputError(str(error)) from error
        except KeyboardInterrupt:
            raise click.exceptions.Exit(INTERRUPTED) from None


def own_version() -> str:
    """The installed version; a checkout that is not installed has none."""
    try:
        return version("mongospec")
    except PackageNotFoundError:
        return "(not installed)"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(own_version(), prog_name="mongospec")
def main() -> None:
    """Run the MongoDB driver specifications against a driver, on real deployments."""


for command in (
    check.check,
    bench.bench,
    list_.list_,
    lint.lint,
    new.new,
    up.up,
    down.down,
    servers.servers,
    images.images,
    adapter.adapter,
    ledger.ledger,
    report.report,
    replay.replay,
    diff.diff,
):
    main.add_command(command)
