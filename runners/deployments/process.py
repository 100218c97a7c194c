"""Server processes of this machine, which end with the harness whatever happens to it."""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from runners.deployments import guard
from runners.deployments.base import DeploymentError

PORTS = range(20000, 32000)
"""Below the ports that Linux and macOS give to outgoing connections."""
LISTENING = b"aiting for connections"
LOG_LINES = 15
POLL = 0.02
CLOSE_SECONDS = 30.0


class PortTaken(DeploymentError):
    """Another process listens on the port."""


class ProcessGroup:
    """A temporary folder and the processes that work in it; both go when it is closed.

    A guard process sees to that, also when this process dies before it could (see guard.py).
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mongospec-"))
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                process_group=0,
            )
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    def spawn(
        self,
        command: Sequence[str | os.PathLike[str]],
        log: Path,
        libraries: Path | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start a process of this group; what it prints goes to `log`.

        Shared libraries in the folder `libraries` come before the machine's.
        """
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=environment(libraries),
                process_group=self._guard.pid,
            )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """Kill the processes, and wait until they and the folder are gone.

        Raises DeploymentError where a process has not ended within CLOSE_SECONDS.
        """
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(b"x")
        self._guard.stdin.close()
        deadline = time.monotonic() + CLOSE_SECONDS
        select.select([self._guard.stdout], [], [], CLOSE_SECONDS)
        self._guard.stdout.close()
        for process in (self._guard, *self._processes):
            process.kill()  # only finds a process where someone killed the guard
            try:
                process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                raise DeploymentError(
                    f"process {process.pid} has not ended {CLOSE_SECONDS:g} s after it was killed; "
                    f"end it, and remove {self.folder}"
                ) from None
        guard.remove(str(self.folder))


class Server:
    """A server of a group, as a process: it can be started, ended and started again."""

    def __init__(
        self,
        group: ProcessGroup,
        port: int,
        command: Sequence[str | os.PathLike[str]],
        *,
        libraries: Path | None = None,
    ) -> None:
        """`command` starts it on `port`; `libraries` is a folder that it loads from, alone."""
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self._group = group
        self._log = group.folder / f"{port}.log"
        self._command = command
        self._libraries = libraries
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; `wait_until_listening` says when it can be used."""
        if self.running:
            raise DeploymentError(f"{self.host} runs already; kill it before it can start again")
        check_port(self.port)
        self._process = self._group.spawn(self._command, self._log, self._libraries)

    @property
    def running(self) -> bool:
        """Whether there is a process (it may be paused)."""
        return self._process is not None and self._process.poll() is None

    def wait_until_listening(self, deadline: float) -> None:
        """Wait until it accepts connections; `deadline` is on the clock of time.monotonic."""
        assert self._process is not None
        while not self._listens():
            try:
                code = self._process.wait(POLL)
            except subprocess.TimeoutExpired:
                if time.monotonic() > deadline:
                    said = self.log_end()
                    raise DeploymentError(f"{self.host} does not listen in time; {said}") from None
            else:
                check_port(self.port)
                raise DeploymentError(f"{self.host} ended with status {code}; {self.log_end()}")

    def kill(self) -> None:
        """End it with SIGKILL, and wait until it has ended."""
        process = self._running()
        process.kill()
        process.wait()

    def pause(self) -> None:
        """Freeze it with SIGSTOP."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on with SIGCONT."""
        self._running().send_signal(signal.SIGCONT)

    def log_end(self) -> str:
        """The last lines of its log, to explain a failure."""
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        return "\n  ".join(["the last lines of its log:", *(lines or ["(nothing)"])])

    def _running(self) -> subprocess.Popen[bytes]:
        if not self.running or self._process is None:
            raise DeploymentError(f"{self.host} does not run")
        return self._process

    def _listens(self) -> bool:
        """Whether it says so in its log: another process could listen on the same port."""
        return LISTENING in self._log.read_bytes()


class SilentServer(Server):
    """A server that does not say when it listens, and ends where it cannot."""

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0 and self.running


def environment(libraries: Path | None) -> dict[str, str] | None:
    """The environment of a process that loads from a folder of libraries; None is our own."""
    if libraries is None:
        return None
    known = os.environ.get("LD_LIBRARY_PATH")
    return {**os.environ, "LD_LIBRARY_PATH": f"{libraries}:{known}" if known else str(libraries)}


def free_ports(count: int) -> list[int]:
    """Some ports that nobody listens on now."""
    found: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        if len(found) == count:
            break
        try:
            check_port(port)
        except PortTaken:
            continue
        found.append(port)
    return found


def check_port(port: int) -> None:
    """Raise PortTaken where a server could not listen on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortTaken(
                f"port {port} of 127.0.0.1 cannot be used ({error.strerror}); choose another"
            ) from None
