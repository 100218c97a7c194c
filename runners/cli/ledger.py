"""`mongospec ledger`: known failures of a driver."""

from __future__ import annotations

from pathlib import Path

import click

from runners import ledger as known
from runners import ledger_update
from runners.report import recorded


@click.group()
def ledger() -> None:
    """Known failures of a driver; see docs/ledger.md."""


@ledger.command()
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN.json..."
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the ledger; default: ledgers/NAME, with the driver's name.",
)
def update(runs: tuple[Path, ...], folder: Path | None) -> None:
    """Add an entry for each failure of run files that has none, to be explained by you.

    What is there stays as it is; entries that no longer hold are named.
    """
    read = [recorded.read(path) for path in runs]
    names = sorted({run.driver.name.removesuffix("-async") for run in read})
    if len(names) > 1:
        raise click.UsageError(f"a ledger is of one driver, these runs are of {', '.join(names)}")
    for line in ledger_update.update(read, folder or Path("ledgers") / names[0]):
        click.echo(line)


@ledger.command()
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH..."
)
def lint(paths: tuple[Path, ...]) -> None:
    """Check ledgers, files or folders, without a run: errors as file:line:column."""
    loaded = known.load(paths, "")
    click.echo(f"{sum(map(len, loaded.entries.values()))} entries", err=True)
