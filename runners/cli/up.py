"""`mongospec up`: start a deployment that stays."""

from __future__ import annotations

from pathlib import Path

import click

from runners.cli.options import MONGOD, Topologies
from runners.deployments import detached
from runners.deployments.binaries import find_mongod
from runners.deployments.local import MEMBERS
from runners.model import Topology


@click.command()
@click.argument("topology", type=Topologies(MEMBERS))
@MONGOD
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The first member's port; further ones follow it. Otherwise free ports are taken.",
)
def up(topology: Topology, mongod: Path | None, port: int | None) -> None:
    """Start a deployment in the background and print its URI; `mongospec down` stops it."""
    record = detached.up(topology, find_mongod(mongod), port)
    click.echo(record.uri)
