"""Deployments of server processes on this machine, in each topology."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runners.deployments import programs
from runners.deployments.assembled import AssembledDeployment
from runners.deployments.base import Connect, DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.layout import ADDRESSES, Layout, layout
from runners.deployments.process import PortTaken, ProcessGroup, Server, free_ports
from runners.deployments.security import OPEN, Security
from runners.model import JsonObject, Topology

ATTEMPTS = 3


class LocalDeployment(AssembledDeployment[ProcessGroup, Server]):
    """A deployment on 127.0.0.1, with a temporary data folder.

    With `port`, its servers listen on it and on the ones after it, those that clients talk to
    first; otherwise on free ones. Raises DeploymentError where this machine lacks a program.
    """

    def __init__(
        self,
        topology: Topology,
        binary: Binary,
        connect: Connect,
        *,
        security: Security = OPEN,
        port: int | None = None,
        parameters: JsonObject | None = None,
    ) -> None:
        if (lacking := lacks(topology, binary)) is not None:
            raise DeploymentError(lacking)
        super().__init__(topology, binary.version, connect, security, parameters=parameters)
        self._binary = binary
        self._port = port

    def start(self) -> None:
        """Start it; other ports are tried where a free one gets taken."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                super().start()
                return
            except PortTaken:
                if self._port is not None or attempt == ATTEMPTS:
                    raise

    def _open(self) -> ProcessGroup:
        return ProcessGroup()

    def _lay_out(self, group: ProcessGroup) -> Layout:
        count = ADDRESSES[self.info.topology]
        first = self._port
        ports = free_ports(count) if first is None else range(first, first + count)
        return layout(self.info.topology, [f"127.0.0.1:{port}" for port in ports])

    def _make(self, group: ProcessGroup, plan: Layout, options: Sequence[str]) -> Iterator[Server]:
        for host, role in plan.mongods.items():
            yield programs.mongod(group, self._binary, _port(host), (*role, *options))
        for index, host in enumerate(plan.mongoses):
            behind = [_port(each) for each in plan.behind[index : index + 1]]
            config = plan.sets[0].seed
            yield programs.mongos(group, self._binary, _port(host), config, behind, options)
        if plan.balancer:
            ports = {_port(host): [*map(_port, behind)] for host, behind in plan.balancer.items()}
            yield programs.balancer(group, ports)


def lacks(topology: Topology, binary: Binary) -> str | None:
    """What this machine lacks for a topology of this version, and how to get it; else None."""
    if topology in (Topology.STANDALONE, Topology.REPLICA_SET):
        return None
    if binary.mongos is None:
        return programs.no_mongos(binary)
    if topology is Topology.LOAD_BALANCED and not programs.has_balancer():
        return programs.NO_HAPROXY
    return None


def _port(host: str) -> int:
    return int(host.rpartition(":")[2])
