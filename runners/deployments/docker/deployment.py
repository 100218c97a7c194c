"""Deployments of containers, in each topology: `--on docker`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from runners.deployments import programs
from runners.deployments.assembled import AssembledDeployment
from runners.deployments.base import Connect, DeploymentError
from runners.deployments.docker.containers import ContainerGroup, Server
from runners.deployments.docker.engine import engine, require_reachable
from runners.deployments.docker.images import ServerImage
from runners.deployments.layout import ADDRESSES, MONGOSES, Layout, layout
from runners.deployments.security import OPEN, Security
from runners.model import JsonObject, Topology

PORT = 27017
SECOND_PORT = 27018
"""Of a mongos, for the load balancer; of the load balancer, what leads to a single mongos."""

BALANCED = ("MONGOS_1", "MONGOS_2")
"""What the load balancer's image calls the mongoses behind it (see docker/haproxy)."""

NO_MONGOS = "{} has no mongos, which a sharded cluster needs; --server 8.2 has one"
NO_BALANCER = "there is no image of a load balancer; make one with: mongospec images"


class DockerDeployment(AssembledDeployment[ContainerGroup, Server]):
    """A deployment of containers in a network of their own, with fixed addresses.

    Clients on this machine and the servers themselves reach a server by the same address. Raises
    DeploymentError where an image lacks a program; `balancer` is the load balancer's image.
    """

    def __init__(
        self,
        topology: Topology,
        image: ServerImage,
        connect: Connect,
        balancer: str | None = None,
        *,
        security: Security = OPEN,
        parameters: JsonObject | None = None,
    ) -> None:
        if (lacking := lacks(topology, image, balancer)) is not None:
            raise DeploymentError(lacking)
        super().__init__(topology, image.version, connect, security, "-docker", parameters)
        self._image = image
        self._balancer = balancer

    def partition(self, host: str) -> None:
        """Take the server off the network; its process goes on."""
        self._server(host).disconnect()

    def heal(self, host: str) -> None:
        """Put the server back on the network, at its address."""
        self._server(host).connect()

    def _open(self) -> ContainerGroup:
        client = engine()
        require_reachable(client)
        return ContainerGroup(client)

    def _lay_out(self, group: ContainerGroup) -> Layout:
        return layout(self.info.topology, addresses(self.info.topology, group))

    def _make(
        self, group: ContainerGroup, plan: Layout, options: Sequence[str]
    ) -> Iterator[Server]:
        image = self._image.name
        for host, role in plan.mongods.items():
            command = ["mongod", *_listening(programs.MONGOD_PARAMETERS), *role, *options]
            command += ["--wiredTigerCacheSizeGB", programs.CACHE_GB]
            yield Server(group, host, image, command)
        for host in plan.mongoses:
            behind = [f"loadBalancerPort={SECOND_PORT}"] if plan.behind else []
            command = ["mongos", *_listening([*programs.TEST_PARAMETERS, *behind]), *options]
            command += ["--configdb", plan.sets[0].seed]
            yield Server(group, host, image, command)
        for host in islice(plan.balancer, 1):
            assert self._balancer is not None
            mongoses = dict(zip(BALANCED, plan.behind, strict=True))
            yield Server(group, host, self._balancer, environment=mongoses)


def addresses(topology: Topology, group: ContainerGroup) -> list[str]:
    """Addresses in a group's network, in the order that a layout deals them out.

    All servers listen on the same port of their own address. Mongoses behind a load balancer, and
    the balancer itself, have a second port.
    """
    given: list[str] = []
    if topology is Topology.LOAD_BALANCED:
        balancer, *mongoses = (group.address() for _ in range(1 + MONGOSES))
        given += [f"{balancer}:{port}" for port in (PORT, SECOND_PORT)]
        given += [f"{each}:{port}" for port in (SECOND_PORT, PORT) for each in mongoses]
    left = ADDRESSES[topology] - len(given)
    return [*given, *(f"{group.address()}:{PORT}" for _ in range(left))]


def lacks(topology: Topology, image: ServerImage, balancer: str | None) -> str | None:
    """What the images lack for a topology, and how to get it; else None."""
    if topology in (Topology.STANDALONE, Topology.REPLICA_SET):
        return None
    if not image.mongos:
        return NO_MONGOS.format(image.name)
    if topology is Topology.LOAD_BALANCED and balancer is None:
        return NO_BALANCER
    return None


def _listening(parameters: Iterable[str]) -> list[str]:
    return ["--bind_ip_all", "--port", str(PORT), *programs.set_parameters(parameters)]
