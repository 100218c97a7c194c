"""Deployments of mongod processes on this machine: a standalone, or three replica set members."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from runners.deployments import forming
from runners.deployments.base import (
    CommandError,
    Commands,
    Connect,
    Deployment,
    DeploymentError,
)
from runners.deployments.binaries import Binary
from runners.deployments.forming import Member, ReplicaSet
from runners.deployments.process import Mongod, PortTaken, ProcessGroup, free_ports
from runners.model import DeploymentInfo, JsonObject, Topology

MEMBERS = {Topology.STANDALONE: 1, Topology.REPLICA_SET: 3}
SET_NAME = "rs0"
START_SECONDS = 60.0
ATTEMPTS = 3
OPTIONS = (
    *("--setParameter", "enableTestCommands=1"),
    *("--setParameter", "transactionLifetimeLimitSeconds=3"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
)
PARAMETERS: JsonObject = {
    "enableTestCommands": True,
    "acceptApiVersion2": False,
    "requireApiVersion": False,
}
"""The server parameters that official tests ask for; the last two are the server's defaults."""


class LocalDeployment(Deployment):
    """A standalone or a replica set on 127.0.0.1, with a temporary data folder.

    With `port`, members listen on it and on the ones after it; otherwise on free ones.
    """

    def __init__(
        self, topology: Topology, binary: Binary, connect: Connect, *, port: int | None = None
    ) -> None:
        if topology not in MEMBERS:
            raise DeploymentError(
                f"a local deployment cannot be {topology}; it can be {' or '.join(MEMBERS)}"
            )
        is_set = topology is Topology.REPLICA_SET
        self.info = DeploymentInfo(
            id=f"{topology}-{binary.version}",
            topology=topology,
            server_version=binary.version,
            uri="",
            hosts=(),
            set_name=SET_NAME if is_set else None,
            parameters=PARAMETERS,
        )
        self._binary = binary
        self._connect = connect
        self._port = port
        self._group: ProcessGroup | None = None
        self._members: dict[str, Mongod] = {}
        self._commands: Commands | None = None

    @property
    def commands(self) -> Commands:
        """Sends commands to this deployment, once it is started."""
        if self._commands is None:
            raise DeploymentError(f"deployment {self.info.id} is not started")
        return self._commands

    def start(self) -> None:
        """Start all members side by side; other ports are tried where a free one gets taken."""
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
        """Kill the members and remove their data."""
        commands, self._commands = self._commands, None
        group, self._group = self._group, None
        try:
            if commands is not None:
                commands.close()
        finally:
            if group is not None:
                group.close()
            self._members = {}
            self.info = replace(self.info, uri="", hosts=())

    def kill(self, host: str) -> None:
        """End the server with SIGKILL."""
        self._member(host).signal(signal.SIGKILL)

    def pause(self, host: str) -> None:
        """Freeze the server with SIGSTOP."""
        self._member(host).signal(signal.SIGSTOP)

    def resume(self, host: str) -> None:
        """Let a paused server go on with SIGCONT."""
        self._member(host).signal(signal.SIGCONT)

    def restart(self, host: str) -> None:
        """Start a killed server on its old data; in a set, wait until it is a member again."""
        deadline = time.monotonic() + START_SECONDS
        member = self._member(host)
        member.start()
        member.wait_until_listening(deadline)
        if self.info.set_name:
            with self._explained():
                forming.wait_for_member(self.commands, host, deadline)

    def step_down(self) -> None:
        """Make the primary step down for 10 s, and wait until another takes writes."""
        if self.info.set_name is None:
            raise self._no_means("step down", "its only server")
        with self._explained():
            forming.step_down(self.commands, self.info.hosts, time.monotonic() + START_SECONDS)

    def _start(self, deadline: float) -> None:
        count = MEMBERS[self.info.topology]
        first = self._port
        ports = free_ports(count) if first is None else list(range(first, first + count))
        options = [*OPTIONS, *(("--replSet", SET_NAME) if self.info.set_name else ())]
        self._group = ProcessGroup()
        members = [Mongod(self._group, self._binary.path, port, options) for port in ports]
        self._members = {member.host: member for member in members}
        for member in members:
            member.start()
        for member in members:
            member.wait_until_listening(deadline)
        hosts = tuple(self._members)
        query = f"?replicaSet={SET_NAME}" if self.info.set_name else ""
        uri = f"mongodb://{','.join(hosts)}/{query}"
        self._commands = self._connect(uri)
        if self.info.set_name:
            whole = ReplicaSet(SET_NAME, tuple(map(Member, hosts)))
            with self._explained():
                forming.form_replica_set(self._commands, whole, deadline)
        self.info = replace(self.info, uri=uri, hosts=hosts)

    def _member(self, host: str) -> Mongod:
        if host not in self._members:
            known = ", ".join(self._members) or "none, as it is not started"
            raise DeploymentError(f"{self.info.id} has no server {host}; it has {known}")
        return self._members[host]

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Explain what did not come about with the members' logs."""
        try:
            yield
        except DeploymentError as error:
            logs = "\n".join(f"{m.host}: {m.log_end()}" for m in self._members.values())
            raise DeploymentError(f"{self.info.id}: {error}\n{logs}") from error
