"""`mongospec down`: stop what `mongospec up` started."""

from __future__ import annotations

import click

from runners.deployments import detached
from runners.deployments.security import shown
from runners.model import Topology


@click.command()
@click.argument("name", metavar="[TOPOLOGY|ID]", required=False)
def down(name: str | None) -> None:
    """Stop what `mongospec up` started, and remove its data.

    TOPOLOGY or ID says which; without it, all of them end.
    """
    ids = detached.recorded()
    if name is not None:
        chosen = [id_ for id_ in ids if name == id_ or id_.startswith(f"{name}-")]
        if not chosen and name not in list(Topology):
            raise click.UsageError(f"{name} is not up; up: {', '.join(ids) or 'nothing'}")
        ids = chosen
    stopped = [record for id_ in ids if (record := detached.down(id_))]
    for record in stopped:
        click.echo(f"{record.id}: stopped {shown(record.uri)}", err=True)
    if not stopped:
        click.echo(f"{name} was not up" if name else "nothing was up", err=True)
