"""Processes end with the harness, however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runners.deployments import process
from runners.deployments.base import DeploymentError
from runners.deployments.process import (
    PortTaken,
    ProcessGroup,
    Server,
    SilentServer,
    check_port,
    environment,
    free_ports,
)
from tests.waiting import wait_until

HARNESS = """
    import signal, threading
    from runners.deployments.process import ProcessGroup

    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may be run by nohup
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
    spawned = group.spawn(["sleep", "600"], group.folder / "log")
    paused = group.spawn(["sleep", "600"], group.folder / "log")
    paused.send_signal(signal.SIGSTOP)
    assert os.getpgid(spawned.pid) != os.getpgid(0)
    group.close()
    assert spawned.returncode == paused.returncode == -signal.SIGKILL
    assert not group.folder.exists()


def test_close_does_not_need_the_guard() -> None:
    group = ProcessGroup()
    spawned = group.spawn(["sleep", "600"], group.folder / "log")
    os.kill(os.getpgid(spawned.pid), signal.SIGKILL)
    group.close()
    assert spawned.returncode == -signal.SIGKILL
    assert not group.folder.exists()


def test_close_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CLOSE_SECONDS", 0.3)
    group = ProcessGroup()
    spawned = group.spawn(["sleep", "600"], group.folder / "log")
    guard = os.getpgid(spawned.pid)
    os.kill(guard, signal.SIGSTOP)  # it does nothing, and `kill` will not either
    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "kill", lambda _: None)
        with pytest.raises(DeploymentError, match=f"has not ended 0.3 s .* remove {group.folder}"):
            group.close()
    os.killpg(guard, signal.SIGKILL)
    spawned.wait()
    shutil.rmtree(group.folder)


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
def fake(tmp_path: Path) -> Iterator[Callable[[str], Server]]:
    """Makes a server of a shell script."""
    group = ProcessGroup()

    def make(script: str) -> Server:
        server = Server(group, free_ports(1)[0], ["/bin/sh", "-c", script])
        server.start()
        return server

    yield make
    group.close()


def test_a_failed_start_shows_the_end_of_the_log(fake: Callable[[str], Server]) -> None:
    server = fake("echo first; echo 'no space left'; exit 14")
    with pytest.raises(DeploymentError, match=r"status 14(.|\n)*first\n +no space left"):
        server.wait_until_listening(time.monotonic() + 10)


def test_a_start_is_bounded(fake: Callable[[str], Server]) -> None:
    server = fake("echo thinking; sleep 600")
    with pytest.raises(DeploymentError, match="does not listen in time"):
        server.wait_until_listening(time.monotonic() + 0.2)


def test_a_dead_server_takes_no_signal(fake: Callable[[str], Server]) -> None:
    server = fake("echo 'Waiting for connections'; sleep 600")
    server.wait_until_listening(time.monotonic() + 10)
    with pytest.raises(DeploymentError, match="runs already"):
        server.start()
    server.kill()
    assert not server.running
    with pytest.raises(DeploymentError, match="does not run"):
        server.pause()


LISTEN = "import socket; s = socket.create_server(('127.0.0.1', {})); {}"


def test_a_server_that_says_nothing_is_asked(tmp_path: Path) -> None:
    group = ProcessGroup()
    (port,) = free_ports(1)
    code = LISTEN.format(port, "import time; time.sleep(600)")
    server = SilentServer(group, port, [sys.executable, "-c", code])
    try:
        server.start()
        server.wait_until_listening(time.monotonic() + 10)
        socket.create_connection(("127.0.0.1", port)).close()
    finally:
        group.close()


def test_libraries_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = ProcessGroup()
    monkeypatch.setenv("LD_LIBRARY_PATH", "/known")
    try:
        said = group.folder / "said"
        group.spawn(["sh", "-c", "echo $LD_LIBRARY_PATH"], said, tmp_path).wait(10)
        assert said.read_text() == f"{tmp_path}:/known\n"
        group.spawn(["sh", "-c", "echo $LD_LIBRARY_PATH"], said).wait(10)
        assert said.read_text() == "/known\n"
    finally:
        group.close()
    monkeypatch.delenv("LD_LIBRARY_PATH")
    found = environment(tmp_path)
    assert found is not None
    assert found["LD_LIBRARY_PATH"] == str(tmp_path)
