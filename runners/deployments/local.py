"""Deployments of mongod processes on this machine: a standalone, or three replica set members."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from runners.deployments.base import (
    CommandError,
    Commands,
    Connect,
    Deployment,
    DeploymentError,
)
from runners.deployments.binaries import Binary
from runners.deployments.process import POLL, Mongod, PortTaken, ProcessGroup, free_ports
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
STEP_DOWN: JsonObject = {"replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5}
SET_SETTINGS: JsonObject = {"electionTimeoutMillis": 5000, "heartbeatIntervalMillis": 500}
"""Quick after a crash, and yet no election where a busy machine lets a member wait for a while."""


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
            self._wait_until(lambda: self._in_service(host), f"{host} is usable", deadline)

    def step_down(self) -> None:
        """Make the primary step down for 10 s, and wait until another takes writes."""
        if self.info.set_name is None:
            raise self._no_means("step down", "its only server")
        self.commands.command("admin", STEP_DOWN)
        deadline = time.monotonic() + START_SECONDS
        self._wait_until(lambda: self._replicates("majority"), "there is a primary again", deadline)

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
            self._initiate(hosts, deadline)
        self.info = replace(self.info, uri=uri, hosts=hosts)

    def _initiate(self, hosts: tuple[str, ...], deadline: float) -> None:
        """Form the set with the first member as its primary, and wait until all replicate."""
        config: JsonObject = {
            "_id": SET_NAME,
            "members": [{"_id": i, "host": host} for i, host in enumerate(hosts)],
            "settings": SET_SETTINGS,
            "writeConcernMajorityJournalDefault": False,
        }
        first = hosts[0]
        self.commands.command("admin", {"replSetInitiate": config}, host=first)
        self._wait_until(lambda: self._steps_up(first), f"{first} is primary", deadline)
        self._wait_until(lambda: self._replicates(len(hosts)), "all members replicate", deadline)
        self._wait_until(lambda: self._replicates("majority"), "writes are majority", deadline)

    def _member(self, host: str) -> Mongod:
        if host not in self._members:
            known = ", ".join(self._members) or "none, as it is not started"
            raise DeploymentError(f"{self.info.id} has no server {host}; it has {known}")
        return self._members[host]

    def _wait_until(self, condition: Callable[[], bool], what: str, deadline: float) -> None:
        """Ask until `condition` holds; explain with the members' logs where it does not."""
        retry = threading.Event()
        error: CommandError | None = None
        while True:
            try:
                if condition():
                    return
            except CommandError as failed:
                error = failed
            if time.monotonic() > deadline:
                logs = "\n".join(f"{m.host}: {m.log_end()}" for m in self._members.values())
                raise DeploymentError(
                    f"{self.info.id}: waited in vain until {what} (last error: {error})\n{logs}"
                )
            retry.wait(POLL)

    def _in_service(self, host: str) -> bool:
        reply = self.commands.command("admin", {"hello": 1}, host=host)
        return bool(reply.get("isWritablePrimary") or reply.get("secondary"))

    def _steps_up(self, host: str) -> bool:
        self.commands.command("admin", {"replSetStepUp": 1}, host=host)
        return True

    def _replicates(self, members: int | str) -> bool:
        """Whether a write reaches so many members; it waits for them on the server's side."""
        concern: JsonObject = {"w": members, "wtimeout": 10_000}
        note: JsonObject = {"appendOplogNote": 1, "data": {}, "writeConcern": concern}
        return "writeConcernError" not in self.commands.command("admin", note)
