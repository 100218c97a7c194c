"""Processes end with the harness, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runners.deployments.base import DeploymentError
from runners.deployments.process import Mongod, PortTaken, ProcessGroup, check_port, free_ports
from tests.waiting import wait_until

HARNESS = """
    import threading
    from runners.deployments.process import ProcessGroup

    group = ProcessGroup()
    process = group.spawn(["sleep", "600"], group.folder / "log")
    print(group.folder, process.pid, flush=True)
    threading.Event().wait()
"""


def runs(pid: int) -> bool:
    """Whether the process does anything; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_close_kills_and_removes() -> None:
    group = ProcessGroup()
    process = group.spawn(["sleep", "600"], group.folder / "log")
    paused = group.spawn(["sleep", "600"], group.folder / "log")
    paused.send_signal(signal.SIGSTOP)
    assert os.getpgid(process.pid) != os.getpgid(0)
    group.close()
    assert process.returncode == paused.returncode == -signal.SIGKILL
    assert not group.folder.exists()


def test_close_does_not_need_the_guard() -> None:
    group = ProcessGroup()
    process = group.spawn(["sleep", "600"], group.folder / "log")
    os.kill(os.getpgid(process.pid), signal.SIGKILL)
    group.close()
    assert process.returncode == -signal.SIGKILL
    assert not group.folder.exists()


@pytest.mark.parametrize("end", ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"])
def test_a_dead_harness_leaves_nothing(end: str) -> None:
    code = textwrap.dedent(HARNESS)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as harness:
        assert harness.stdout is not None
        try:
            folder, pid = harness.stdout.readline().split()
            assert runs(int(pid))
            os.killpg(harness.pid, signal.Signals[end])
            wait_until(lambda: not runs(int(pid)))
            wait_until(lambda: not Path(folder).exists())
        finally:
            harness.kill()


def test_a_forked_child_does_not_hinder_close() -> None:
    group = ProcessGroup()
    child = os.fork()
    if child == 0:  # it holds a copy of the guard's pipe
        signal.pause()
        os._exit(0)
    group.close()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert not group.folder.exists()


def test_a_taken_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=f"port {port} .*in use"):
            check_port(port)


def test_free_ports_differ() -> None:
    ports = free_ports(3)
    assert len(set(ports)) == 3
    for port in ports:
        check_port(port)


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Callable[[str], Mongod]]:
    """Makes a server of a shell script."""
    group = ProcessGroup()

    def make(script: str) -> Mongod:
        binary = tmp_path / "mongod"
        binary.write_text(f"#!/bin/sh\n{script}\n")
        binary.chmod(0o755)
        server = Mongod(group, binary, free_ports(1)[0], [])
        server.start()
        return server

    yield make
    group.close()


def test_a_failed_start_shows_the_end_of_the_log(fake: Callable[[str], Mongod]) -> None:
    server = fake("echo first; echo 'no space left'; exit 14")
    with pytest.raises(DeploymentError, match=r"status 14(.|\n)*first\n +no space left"):
        server.wait_until_listening(time.monotonic() + 10)


def test_a_start_is_bounded(fake: Callable[[str], Mongod]) -> None:
    server = fake("echo thinking; sleep 600")
    with pytest.raises(DeploymentError, match="does not listen in time"):
        server.wait_until_listening(time.monotonic() + 0.2)


def test_a_dead_server_takes_no_signal(fake: Callable[[str], Mongod]) -> None:
    server = fake("echo 'Waiting for connections'; sleep 600")
    server.wait_until_listening(time.monotonic() + 10)
    with pytest.raises(DeploymentError, match="runs already"):
        server.start()
    server.signal(signal.SIGKILL)
    assert not server.running
    with pytest.raises(DeploymentError, match="does not run"):
        server.signal(signal.SIGSTOP)
