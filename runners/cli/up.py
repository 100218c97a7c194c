"""`mongospec up`: start a deployment that stays."""

from __future__ import annotations

from pathlib import Path

import click

from runners.cli.options import AUTH, MONGOD, SERVERS, TLS, Topologies
from runners.deployments import detached
from runners.deployments.offer import LOCAL, PLACES, Wish, connect, offer
from runners.deployments.security import Security
from runners.model import Topology


@click.command()
@click.argument("topology", type=Topologies(Topology))
@click.option(
    "--on", type=click.Choice(PLACES), default=LOCAL, help="As processes, or in containers."
)
@SERVERS
@MONGOD
@AUTH
@TLS
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="The first server's port; further ones follow it. Otherwise free ports are taken.",
)
def up(
    topology: Topology,
    on: str,
    servers: tuple[str, ...],
    mongod: Path | None,
    auth: bool,
    tls: bool,
    port: int | None,
) -> None:
    """Start a deployment in the background and print its URI; `mongospec down` stops it.

    A load-balanced one prints a second URI, which leads to just one of its mongoses.
    """
    wish = Wish(
        on,
        topologies=(topology,),
        servers=servers,
        mongod=mongod and mongod.absolute(),
        security=Security(auth, tls),
        port=port,
    )
    for deployment in offer(wish, connect, lambda text: click.echo(text, err=True)):
        record = detached.up(wish, deployment)
        click.echo(record.uri)
        if record.single_mongos_uri is not None:
            click.echo(record.single_mongos_uri)
