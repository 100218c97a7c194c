"""Deployments of server processes on this machine, in each topology."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice

from runners.deployments import forming, programs
from runners.deployments.base import (
    CommandError,
    Commands,
    Connect,
    Deployment,
    DeploymentError,
)
from runners.deployments.binaries import Binary
from runners.deployments.layout import PORTS, SET_NAME, Layout, layout
from runners.deployments.process import PortTaken, ProcessGroup, Server, free_ports
from runners.deployments.security import OPEN, Secured, Security, create_user, secure
from runners.model import DeploymentInfo, Topology

START_SECONDS = 90.0
ATTEMPTS = 3


class LocalDeployment(Deployment):
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
    ) -> None:
        if (lacking := lacks(topology, binary)) is not None:
            raise DeploymentError(lacking)
        security.require()
        self.info = DeploymentInfo(
            id=f"{topology}-{binary.version}{security}",
            topology=topology,
            server_version=binary.version,
            uri="",
            hosts=(),
            set_name=SET_NAME if topology is Topology.REPLICA_SET else None,
            auth=security.auth,
            tls=security.tls,
            parameters=programs.PARAMETERS,
        )
        self._security = security
        self._binary = binary
        self._connect = connect
        self._port = port
        self._group: ProcessGroup | None = None
        self._layout: Layout | None = None
        self._servers: dict[str, Server] = {}
        self._commands: Commands | None = None

    @property
    def commands(self) -> Commands:
        """Sends commands to this deployment, once it is started."""
        if self._commands is None:
            raise DeploymentError(f"deployment {self.info.id} is not started")
        return self._commands

    @property
    def servers(self) -> tuple[str, ...]:
        """All its servers, as faults name them: also those that clients do not talk to."""
        return tuple(self._servers)

    def start(self) -> None:
        """Start all servers side by side; other ports are tried where a free one gets taken."""
        if self._group is not None:
            raise DeploymentError(f"deployment {self.info.id} is started already")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._start(time.monotonic() + START_SECONDS)
                return
            except PortTaken:
                self.stop()
                if self._port is not None or attempt == ATTEMPTS:
                    raise
            except CommandError as error:
                self.stop()
                raise DeploymentError(f"{self.info.id} did not come up: {error}") from error
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Kill the servers and remove their data."""
        commands, self._commands = self._commands, None
        group, self._group = self._group, None
        try:
            if commands is not None:
                commands.close()
        finally:
            if group is not None:
                group.close()
            self._servers = {}
            self._layout = None
            self.info = replace(self.info, uri="", hosts=(), single_mongos_uri=None)

    def kill(self, host: str) -> None:
        """End the server with SIGKILL."""
        self._server(host).signal(signal.SIGKILL)

    def pause(self, host: str) -> None:
        """Freeze the server with SIGSTOP."""
        self._server(host).signal(signal.SIGSTOP)

    def resume(self, host: str) -> None:
        """Let a paused server go on with SIGCONT."""
        self._server(host).signal(signal.SIGCONT)

    def restart(self, host: str) -> None:
        """Start a killed server on its old data; in a set, wait until it is a member again."""
        deadline = time.monotonic() + START_SECONDS
        server = self._server(host)
        server.start()
        server.wait_until_listening(deadline)
        if any(host in each.addresses for each in self._started.sets):
            with self._explained():
                forming.wait_for_member(self.commands, host, deadline)

    def step_down(self) -> None:
        """Make the primary (of the shard) step down for 10 s; wait until another takes writes."""
        if not self._started.sets:
            raise self._no_means("step down", "its only server")
        members = self._started.sets[-1].addresses
        with self._explained():
            forming.step_down(self.commands, members, time.monotonic() + START_SECONDS)

    def _start(self, deadline: float) -> None:
        count = PORTS[self.info.topology]
        first = self._port
        ports = free_ports(count) if first is None else list(range(first, first + count))
        self._layout = plan = layout(self.info.topology, ports)
        self._group = group = ProcessGroup()
        secured = secure(self._security, group.folder)
        servers = _servers(group, self._binary, plan, secured.server_options)
        self._servers = {each.host: each for each in servers}
        for server in self._servers.values():
            server.start()
        self._wait_until_listening(tuple(plan.mongods), deadline)
        with closing(self._connect(self._uri(secured, plan.entry, as_member=True))) as commands:
            self._form_sets(commands, plan, secured, deadline)
        self._commands = self._connect(self._uri(secured, plan.control))
        self._wait_until_listening((*plan.mongoses, *islice(plan.balancer, 1)), deadline)
        if plan.mongoses:
            with self._explained():
                hosts = tuple(map(_host, plan.mongoses))
                forming.form_sharded_cluster(self._commands, plan.sets[1:], hosts, deadline)
        self.info = self._located(plan, secured)

    def _form_sets(
        self, commands: Commands, plan: Layout, secured: Secured, deadline: float
    ) -> None:
        """Make sets of the servers, and create the user in each. Mongoses wait for the first."""
        for each in plan.sets:
            with self._explained():
                forming.form_replica_set(commands, each, deadline)
        if self._security.auth:
            for each in plan.sets:
                create_user(commands, secured, each.addresses[0], len(each.members))
            if not plan.sets:
                create_user(commands, secured, _host(plan.entry[0]))

    def _wait_until_listening(self, ports: tuple[int, ...], deadline: float) -> None:
        for port in ports:
            self._servers[_host(port)].wait_until_listening(deadline)

    def _located(self, plan: Layout, secured: Secured) -> DeploymentInfo:
        """The description, with where the deployment is."""
        return replace(
            self.info,
            uri=self._uri(secured, plan.entry),
            hosts=tuple(map(_host, plan.clients)),
            single_mongos_uri=self._uri(secured, plan.control) if plan.balancer else None,
        )

    def _uri(self, secured: Secured, ports: Sequence[int], *, as_member: bool = False) -> str:
        options = {
            Topology.REPLICA_SET: (f"replicaSet={SET_NAME}",),
            Topology.LOAD_BALANCED: ("loadBalanced=true",),
        }.get(self.info.topology, ())
        return secured.uri(",".join(map(_host, ports)), *options, as_member=as_member)

    @property
    def _started(self) -> Layout:
        if self._layout is None:
            raise DeploymentError(f"deployment {self.info.id} is not started")
        return self._layout

    def _server(self, host: str) -> Server:
        if host not in self._servers:
            known = ", ".join(self._servers) or "none, as it is not started"
            raise DeploymentError(f"{self.info.id} has no server {host}; it has {known}")
        return self._servers[host]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Explain what did not come about with the servers' logs."""
        try:
            yield
        except DeploymentError as error:
            logs = "\n".join(f"{each.host}: {each.log_end()}" for each in self._servers.values())
            raise DeploymentError(f"{self.info.id}: {error}\n{logs}") from error


def lacks(topology: Topology, binary: Binary) -> str | None:
    """What this machine lacks for a topology of this version, and how to get it; else None."""
    if topology in (Topology.STANDALONE, Topology.REPLICA_SET):
        return None
    if binary.mongos is None:
        return programs.no_mongos(binary)
    if topology is Topology.LOAD_BALANCED and not programs.has_balancer():
        return programs.NO_HAPROXY
    return None


def _servers(
    group: ProcessGroup, binary: Binary, plan: Layout, options: Sequence[str]
) -> Iterator[Server]:
    """The servers of a layout with these options, none of them started."""
    for port, role in plan.mongods.items():
        yield programs.mongod(group, binary, port, (*role, *options))
    for index, port in enumerate(plan.mongoses):
        behind = plan.behind[index : index + 1]
        yield programs.mongos(group, binary, port, plan.sets[0].seed, behind, options)
    if plan.balancer:
        yield programs.balancer(group, plan.balancer)


def _host(port: int) -> str:
    return f"127.0.0.1:{port}"
