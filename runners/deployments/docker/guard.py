"""Removes what a harness leaves in Docker when it dies: `guard.py DEPLOYMENT FOLDER`, as a script.

The guard reads its standard input, a pipe whose other end only the harness has. That pipe speaks
when the harness has removed the deployment itself. If it just closes, the harness was killed or
could not, and the guard removes what has the deployment's label, and its folder.
"""

import contextlib
import os
import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from docker import DockerClient
from docker.errors import DockerException, NotFound
from docker.models.containers import Container
from requests.exceptions import RequestException

LABEL = "mongospec.deployment"
"""On all containers and networks; its value is the deployment they belong to."""
PARALLEL = 8
LOOKS = 4
PAUSE = 0.5
ATTEMPTS = 120


def main(deployment: str, folder: str) -> None:
    """Wait for the harness to end; then look until nothing has been left for a while.

    The engine may still be at work on the dead harness's last requests, or be down for a moment.
    """
    if os.read(0, 1):
        return
    from testcontainers.core import docker_client  # noqa: PLC0415 - seldom needed, slow to load

    quiet = 0
    for _ in range(ATTEMPTS):
        with contextlib.suppress(DockerException, RequestException):
            quiet = 0 if remove(docker_client.DockerClient().client, deployment) else quiet + 1
            if quiet == LOOKS:
                break
        threading.Event().wait(PAUSE)
    shutil.rmtree(folder, ignore_errors=True)


def remove(client: DockerClient, deployment: str) -> bool:
    """Remove a deployment's containers, their volumes and its network; whether there were any."""
    wanted: dict[str, str | list[str] | bool] = {"label": f"{LABEL}={deployment}"}
    containers = client.containers.list(all=True, filters=wanted, ignore_removed=True)
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(_remove, containers))
    networks = client.networks.list(filters=wanted)
    for network in networks:
        with contextlib.suppress(NotFound):
            network.remove()
    return bool(containers or networks)


def _remove(container: Container) -> None:
    with contextlib.suppress(NotFound):
        container.remove(force=True, v=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
