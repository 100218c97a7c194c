"""`mongospec down`: stop what `mongospec up` started."""

from __future__ import annotations

import click

from runners.cli.options import Topologies
from runners.deployments import detached
from runners.deployments.local import MEMBERS
from runners.model import Topology


@click.command()
@click.argument("topology", type=Topologies(MEMBERS), required=False)
def down(topology: Topology | None) -> None:
    """Stop a deployment that `mongospec up` started, or all of them, and remove its data."""
    for each in [topology] if topology else list(MEMBERS):
        record = detached.down(each)
        click.echo(f"{each}: stopped {record.uri}" if record else f"{each}: was not up", err=True)
