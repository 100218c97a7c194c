"""Containers with fixed addresses in a network of their own, which end with the harness."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from docker import DockerClient
from docker.errors import APIError
from docker.models.containers import Container
from docker.models.networks import Network
from docker.types import IPAMConfig, IPAMPool
from testcontainers.core.container import DockerContainer

from runners.deployments.base import DeploymentError
from runners.deployments.docker import guard, subnets
from runners.deployments.docker.engine import asking

LOG_LINES = 15
POLL = 0.02
CONNECT_SECONDS = 1.0
ATTEMPTS = 10


class ContainerGroup:
    """A network, the containers in it, and a folder that they can read; all go when it is closed.

    A guard process sees to that where this process dies before it could (see guard.py).
    """

    def __init__(self, client: DockerClient) -> None:
        self.clients = [client]
        """All end with the group; testcontainers makes one for each container."""
        self.name = f"mongospec-{uuid.uuid4().hex[:12]}"
        self.labels = {guard.LABEL: self.name}
        self.folder = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self._guard = subprocess.Popen(
            [sys.executable, "-P", guard.__file__, self.name, str(self.folder)],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        try:
            subnet, self.network = self._make_network()
        except BaseException:
            self.close()
            raise
        self._addresses = self._free(subnet)

    def address(self) -> str:
        """An address of the network that has not been given before."""
        return str(next(self._addresses))

    def close(self) -> None:
        """Remove the containers and the network."""
        assert self._guard.stdin is not None
        try:
            with asking(f"remove what is labelled {guard.LABEL}={self.name}"):
                guard.remove(self.clients[0], self.name)
            shutil.rmtree(self.folder)
            with contextlib.suppress(BrokenPipeError):  # somebody killed it
                self._guard.stdin.write(b"x")
        finally:
            self._guard.stdin.close()
            for client in self.clients:
                client.close()
        self._guard.wait()

    def _make_network(self) -> tuple[IPv4Network, Network]:
        """A network of a free subnet; another one where somebody was quicker."""
        for attempt in range(1, ATTEMPTS + 1):
            subnet = subnets.pick(subnets.routed())
            pool = IPAMConfig(pool_configs=[IPAMPool(subnet=str(subnet))])
            with asking(f"make a network of {subnet}"):
                try:
                    network = self.clients[0].networks.create(
                        self.name, ipam=pool, labels=self.labels
                    )
                    return subnet, network
                except APIError as error:
                    if "overlap" not in str(error) or attempt == ATTEMPTS:
                        raise
        raise AssertionError("the last attempt raises")

    @staticmethod
    def _free(subnet: IPv4Network) -> Iterator[IPv4Address]:
        hosts = subnet.hosts()
        next(hosts)  # the gateway
        return hosts


class Server:
    """One container of a group, known by its address and the first of its ports."""

    def __init__(
        self,
        group: ContainerGroup,
        host: str,
        image: str,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Without a command, it runs the image's own."""
        self.host = host
        self._address, _, port = host.partition(":")
        self._port = int(port)
        self._network = group.network
        network = str(group.network.name)
        self._description = DockerContainer(image, env=dict(environment or {}))
        client = self._description.get_docker_client().client
        group.clients.append(client)
        endpoint = client.api.create_endpoint_config(ipv4_address=self._address)
        self._description.with_name(f"{group.name}-{self._address}")
        if command:
            self._description.with_command(list(command))
        folder = str(group.folder)
        self._description.with_volume_mapping(folder, folder)
        self._description.with_kwargs(
            labels=group.labels, network=network, networking_config={network: endpoint}
        )
        self._container: Container | None = None

    def start(self) -> None:
        """Start it, or start it again with the data it had."""
        if self.running:
            raise DeploymentError(f"{self.host} runs already; kill it before it can start again")
        with asking(f"start {self.host}"):
            if self._container is None:
                self._container = self._description.start().get_wrapped_container()
            else:
                self._container.start()

    @property
    def running(self) -> bool:
        """Whether its process is there (it may be paused)."""
        return self._status() in ("running", "paused")

    def wait_until_listening(self, deadline: float) -> None:
        """Wait until it accepts connections; `deadline` is on the clock of time.monotonic."""
        while not self._listens():
            status = self._status()
            if status != "running":
                raise DeploymentError(f"{self.host} is {status}; {self.log_end()}")
            if time.monotonic() > deadline:
                raise DeploymentError(f"{self.host} does not listen in time; {self.log_end()}")
            threading.Event().wait(POLL)

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it has ended."""
        container = self._running()
        with asking(f"kill {self.host}"):
            container.kill()
            container.wait()

    def pause(self) -> None:
        """Freeze it."""
        container = self._running()
        with asking(f"pause {self.host}"):
            container.pause()

    def resume(self) -> None:
        """Let it go on."""
        container = self._running()
        with asking(f"resume {self.host}"):
            container.unpause()

    def disconnect(self) -> None:
        """Take it off the network; what is sent to it is lost."""
        container = self._running()
        with asking(f"disconnect {self.host}"):
            self._network.disconnect(container)

    def connect(self) -> None:
        """Put it back, at its address."""
        container = self._running()
        with asking(f"connect {self.host}"):
            self._network.connect(container, ipv4_address=self._address)

    def log_end(self) -> str:
        """The last lines of its log, to explain a failure."""
        log = b""
        if self._container is not None:
            with asking(f"read the log of {self.host}"):
                log = self._container.logs(tail=LOG_LINES)
        lines = log.decode(errors="replace").splitlines() or ["(nothing)"]
        return "\n  ".join(["the last lines of its log:", *lines])

    def _running(self) -> Container:
        if self._container is None or not self.running:
            raise DeploymentError(f"{self.host} does not run")
        return self._container

    def _status(self) -> str:
        if self._container is None:
            return "created"
        with asking(f"say how {self.host} is"):
            self._container.reload()
        return self._container.status

    def _listens(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self._address, self._port), CONNECT_SECONDS),
        ):
            return True
        return False
