"""`mongospec images`: make the images that `--on docker` needs."""

from __future__ import annotations

import click


@click.command()
@click.option(
    "--server",
    "servers",
    multiple=True,
    metavar="V",
    help="A version of the catalogue; repeatable. Otherwise one of each series.",
)
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="IMAGE",
    help="An image with mongod in it, such as mongo:8, instead of the catalogue; repeatable.",
)
def images(servers: tuple[str, ...], bases: tuple[str, ...]) -> None:
    """Make the Docker images of servers and of a load balancer, and print their names.

    Those that are there already are left as they are.
    """
    if servers and bases:
        raise click.UsageError("--server is for the catalogue; the image of --base has its version")
    # Docker is an extra: only those who ask for it need it.
    from runners.deployments.docker.engine import engine  # noqa: PLC0415
    from runners.deployments.docker.images import make  # noqa: PLC0415

    for name in make(engine(), servers, bases, lambda text: click.echo(text, err=True)):
        click.echo(name)
