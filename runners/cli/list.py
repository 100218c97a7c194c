"""`mongospec list`: the cases of spec files, and what each needs."""

from __future__ import annotations

from pathlib import Path

import click

from runners.check import need
from runners.cli.options import PATHS, SUITES, TEXT, paths_or_own, selected
from runners.report.explain import explain


@click.command("list")
@PATHS
@SUITES
@TEXT
def list_(paths: tuple[Path, ...], suites: tuple[str, ...], text: str) -> None:
    """List cases and what each needs, a line a case, with a tab between both."""
    collection = selected(paths_or_own(paths), suites, text)
    for found in collection.cases:
        click.echo(f"{found.case.id}\t{need(found).described}")
    for verdict in collection.broken:
        if verdict.state.breaks_the_run:
            click.echo(explain(verdict), err=True)
        else:
            click.echo(f"{verdict.case.id}\tno server")
    broken = any(verdict.state.breaks_the_run for verdict in collection.broken)
    click.get_current_context().exit(2 if broken else 0)
