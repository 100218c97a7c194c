"""The Docker Engine: how it is reached, and what is said where it cannot do something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.docker_client import DockerClient

from runners.deployments.base import DeploymentError

NO_ENGINE = (
    "no Docker Engine answers ({error}); start it (`systemctl start docker`), see that "
    "you may use it (`docker info`), set DOCKER_HOST where it is elsewhere, or use --on local"
)
OUT_OF_REACH = (
    "{engine} does not let this machine reach the addresses of containers, which members of a "
    "replica set are known by; run mongospec on the engine's Linux machine itself, start a "
    "compose file of docker/compose and use --on URI, or use --on local"
)

# Its reaper is a container that needs a registry; guard.py stands in for it.
testcontainers_config.ryuk_disabled = True


def engine() -> docker.DockerClient:
    """The engine that testcontainers finds, too. Raises DeploymentError where none answers."""
    try:
        client = DockerClient().client
        client.ping()
    except (DockerException, RequestException) as error:
        raise DeploymentError(NO_ENGINE.format(error=_reason(error))) from None
    return client


def require_reachable(client: docker.DockerClient) -> None:
    """Raise DeploymentError where containers' addresses cannot be reached from here."""
    with asking("describe itself"):
        about = client.info()
    system = str(about.get("OperatingSystem"))
    if "Docker Desktop" in system:
        raise DeploymentError(OUT_OF_REACH.format(engine="Docker Desktop"))
    if any("rootless" in option for option in about.get("SecurityOptions") or ()):
        raise DeploymentError(OUT_OF_REACH.format(engine="a rootless Docker Engine"))


@contextmanager
def asking(what: str) -> Iterator[None]:
    """Say what Docker was asked for where it fails, as a DeploymentError."""
    try:
        yield
    except (DockerException, RequestException) as error:
        raise DeploymentError(f"Docker cannot {what}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(error.explanation if isinstance(error, APIError) else error)
