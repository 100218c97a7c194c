"""Deployments that the harness assembles of servers it starts: processes, or containers."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from runners.deployments import forming, programs
from runners.deployments.base import (
    CommandError,
    Commands,
    Connect,
    Deployment,
    DeploymentError,
)
from runners.deployments.layout import SET_NAME, Layout
from runners.deployments.security import Secured, Security, create_user, secure
from runners.model import DeploymentInfo, JsonObject, Topology

START_SECONDS = 90.0


class Server(Protocol):
    """A server that can be started, ended and started again; `host` is its address."""

    host: str

    def start(self) -> None:
        """Start it; `wait_until_listening` says when it can be used."""

    def wait_until_listening(self, deadline: float) -> None:
        """Wait until it accepts connections; `deadline` is on the clock of time.monotonic."""

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it has ended."""

    def pause(self) -> None:
        """Freeze it."""

    def resume(self) -> None:
        """Let it go on."""

    def log_end(self) -> str:
        """The last lines of its log, to explain a failure."""


class Group(Protocol):
    """What servers run in; they end with it. Its `folder` is theirs, too."""

    folder: Path

    def close(self) -> None:
        """End the servers, and remove all they left."""


G = TypeVar("G", bound=Group)
S = TypeVar("S", bound=Server)


class AssembledDeployment(Deployment, Generic[G, S]):
    """A deployment of servers that are started, made one, and ended here."""

    def __init__(
        self,
        topology: Topology,
        version: str,
        connect: Connect,
        security: Security,
        place: str = "",
        parameters: JsonObject | None = None,
    ) -> None:
        """`parameters` are the servers', beyond the usual ones; they and `place` end its id.

        Raises DeploymentError where `security` lacks a package.
        """
        security.require()
        given = parameters or {}
        self.info = DeploymentInfo(
            id="-".join([f"{topology}-{version}{security}{place}", *given]),
            topology=topology,
            server_version=version,
            uri="",
            hosts=(),
            set_name=SET_NAME if topology is Topology.REPLICA_SET else None,
            auth=security.auth,
            tls=security.tls,
            parameters=programs.PARAMETERS | given,
        )
        self._parameters = tuple(f"{name}={json.dumps(value)}" for name, value in given.items())
        self._security = security
        self._connect = connect
        self._group: G | None = None
        self._layout: Layout | None = None
        self._servers: dict[str, S] = {}
        self._commands: Commands | None = None

    @abstractmethod
    def _open(self) -> G:
        """A new group."""

    @abstractmethod
    def _lay_out(self, group: G) -> Layout:
        """Addresses for the servers."""

    @abstractmethod
    def _make(self, group: G, plan: Layout, options: Sequence[str]) -> Iterable[S]:
        """The servers of a layout, mongod and mongos with these options; none of them started."""

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
        """Start all servers side by side, and make one deployment of them."""
        if self._group is not None:
            raise DeploymentError(f"deployment {self.info.id} is started already")
        try:
            self._start(time.monotonic() + START_SECONDS)
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
        self._server(host).kill()

    def pause(self, host: str) -> None:
        """Freeze the server."""
        self._server(host).pause()

    def resume(self, host: str) -> None:
        """Let a paused server go on."""
        self._server(host).resume()

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
        self._group = group = self._open()
        self._layout = plan = self._lay_out(group)
        secured = secure(self._security, group.folder, plan.names)
        options = (*secured.server_options, *programs.set_parameters(self._parameters))
        servers = self._make(group, plan, options)
        self._servers = {server.host: server for server in servers}
        with ThreadPoolExecutor(len(self._servers)) as pool:
            list(pool.map(lambda server: server.start(), self._servers.values()))
        self._wait_until_listening(tuple(plan.mongods), deadline)
        with closing(self._connect(self._uri(secured, plan.entry, as_member=True))) as commands:
            self._form_sets(commands, plan, secured, deadline)
        self._commands = self._connect(self._uri(secured, plan.control))
        self._wait_until_listening((*plan.mongoses, *islice(plan.balancer, 1)), deadline)
        if plan.mongoses:
            with self._explained():
                forming.form_sharded_cluster(self._commands, plan.sets[1:], plan.mongoses, deadline)
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
                create_user(commands, secured, plan.entry[0])

    def _wait_until_listening(self, hosts: Sequence[str], deadline: float) -> None:
        for host in hosts:
            self._servers[host].wait_until_listening(deadline)

    def _located(self, plan: Layout, secured: Secured) -> DeploymentInfo:
        """The description, with where the deployment is."""
        return replace(
            self.info,
            uri=self._uri(secured, plan.entry),
            hosts=plan.clients,
            single_mongos_uri=self._uri(secured, plan.control) if plan.balancer else None,
        )

    def _uri(self, secured: Secured, hosts: Sequence[str], *, as_member: bool = False) -> str:
        options = {
            Topology.REPLICA_SET: (f"replicaSet={SET_NAME}",),
            Topology.LOAD_BALANCED: ("loadBalanced=true",),
        }.get(self.info.topology, ())
        return secured.uri(",".join(hosts), *options, as_member=as_member)

    @property
    def _started(self) -> Layout:
        if self._layout is None:
            raise DeploymentError(f"deployment {self.info.id} is not started")
        return self._layout

    def _server(self, host: str) -> S:
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
