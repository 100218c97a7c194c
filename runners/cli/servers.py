"""`mongospec servers`: which servers are at hand, and how to get others."""

from __future__ import annotations

import shutil

import click

from runners.deployments import binaries, fetch
from runners.deployments.base import DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.releases import CATALOGUE, Release, matching


@click.group(invoke_without_command=True)
@click.pass_context
def servers(context: click.Context) -> None:
    """List the servers at hand, the default first, and those that can be fetched."""
    if context.invoked_subcommand is not None:
        return
    try:
        here = binaries.at_hand()
    except DeploymentError as error:
        here = []
        click.echo(error, err=True)
    for binary in here:
        click.echo(f"{binary.version:8}{_topologies(binary)}  {binary.path}")
    known = {binary.version for binary in here}
    for release in CATALOGUE if fetch.is_for_this_machine() else ():
        if release.version not in known:
            click.echo(f"{release.version:8}{_topologies(release)}  {_how(release)}")
    if shutil.which("haproxy") is None:
        click.echo("load-balanced deployments need haproxy, which is not on PATH", err=True)


@servers.command()
@click.argument("versions", metavar="V...", nargs=-1, required=True)
def get(versions: tuple[str, ...]) -> None:
    """Fetch servers, such as 8.2, into the cache. Nothing is installed, and root is not needed."""
    for version in versions:
        release = matching(version)
        if release is None:
            known = ", ".join(each.version for each in CATALOGUE)
            raise click.UsageError(f"no server {version} is to be had here, only {known}")
        binary = binaries.get(release, lambda text: click.echo(text, err=True))
        click.echo(f"{binary.version:8}{_topologies(binary)}  {binary.path}")


def _topologies(server: Binary | Release) -> str:
    return "mongod, mongos" if server.mongos else "mongod        "


def _how(release: Release) -> str:
    return f"mongospec servers get {release.version} ({release.client}, {release.megabytes} MB)"
