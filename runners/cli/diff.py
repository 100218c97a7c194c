"""`mongospec diff`: what changed from one run to another."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import click

from runners.report import recorded
from runners.report.changes import Change, Kind, changes


@click.command()
@click.argument("old", type=click.Path(path_type=Path), metavar="OLD.json")
@click.argument("new", type=click.Path(path_type=Path), metavar="NEW.json")
def diff(old: Path, new: Path) -> None:
    """Show which cases ended otherwise in the run file NEW than in OLD.

    A case that passed and does not any more, even if only for not having run, is a regression.
    Exit status: 0 without a regression, 1 with one, 2 for bad usage or input.
    """
    found: defaultdict[Kind, list[Change]] = defaultdict(list)
    for change in changes(recorded.read(old), recorded.read(new)):
        found[change.kind].append(change)
    for kind in Kind:
        if found[kind]:
            click.secho(f"{kind}: {len(found[kind])}", bold=True)
            for change in found[kind]:
                click.echo(f"  {change}")
    if not any(found.values()):
        click.echo("no case ended otherwise")
    click.get_current_context().exit(1 if found[Kind.REGRESSION] else 0)
