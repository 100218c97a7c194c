"""Deployments that outlive the command that started them: `mongospec up` and `down`.

A keeper process holds such a deployment. Its record, a file in the user's state folder, says
where it is; the keeper locks that file as long as it lives, so that a record left behind by a
keeper that was killed is known to be stale.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from runners.deployments.base import DeploymentError
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.model import Topology

MODULE = "runners.deployments.detached"


def state_folder() -> Path:
    """Where records are kept (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "mongospec"


@dataclass(frozen=True, slots=True)
class Record:
    """A deployment that is up, and the process that keeps it."""

    uri: str
    keeper: int


def up(topology: Topology, binary: Binary, port: int | None) -> Record:
    """Start a deployment that stays. Raises DeploymentError where one is up already."""
    if (record := running(topology)) is not None:
        raise DeploymentError(
            f"a {topology} is up already at {record.uri}; stop it with: mongospec down {topology}"
        )
    keeper = subprocess.Popen(
        [
            sys.executable,
            "-m",
            MODULE,
            topology,
            binary.path.resolve(),
            binary.version,
            str(port or ""),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert keeper.stdout is not None
    try:
        said = keeper.stdout.readline()
    except BaseException:
        keeper.terminate()
        raise
    finally:
        keeper.stdout.close()
    if not said:
        raise DeploymentError(f"the keeper of the {topology} ended with status {keeper.wait()}")
    answer = json.loads(said)
    if "error" in answer:
        keeper.wait()  # It still holds the record's lock.
        raise DeploymentError(answer["error"])
    return Record(**answer)


def down(topology: Topology) -> Record | None:
    """Stop a deployment and wait until nothing of it is left; None where none was up."""
    if not _path(topology).exists():
        return None
    with _opened(topology) as file:
        record = _read(file)
        if record is None:
            _path(topology).unlink()
            return None
        os.kill(record.keeper, signal.SIGTERM)
        fcntl.flock(file, fcntl.LOCK_EX)
    return record


def running(topology: Topology) -> Record | None:
    """The record of a deployment that is up, None where it is not."""
    if not _path(topology).exists():
        return None
    with _opened(topology) as file:
        return _read(file)


def keep(topology: Topology, binary: Binary, port: int | None) -> None:
    """Hold a deployment until SIGTERM: what the keeper process does.

    Its one line of output is the record as JSON, or an object with the error.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with _opened(topology) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say({"error": f"another process starts a {topology} at this moment"})
            return
        try:
            file.truncate(0)
            with LocalDeployment(topology, binary, connect, port=port) as deployment:
                record = Record(deployment.info.uri, os.getpid())
                json.dump(asdict(record), file)
                file.flush()
                _say(asdict(record))
                while True:
                    signal.pause()
        except DeploymentError as error:
            _say({"error": str(error)})
        finally:
            _path(topology).unlink()


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


def _path(topology: Topology) -> Path:
    return state_folder() / f"{topology}.json"


def _opened(topology: Topology) -> IO[str]:
    state_folder().mkdir(parents=True, exist_ok=True)
    return _path(topology).open("a+", encoding="utf-8")


def _read(file: IO[str]) -> Record | None:
    """The record, if its keeper lives: then the file is locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        text = file.read()
        if not text:
            raise DeploymentError("it is being started; try again when that is done") from None
        return Record(**json.loads(text))
    fcntl.flock(file, fcntl.LOCK_UN)
    return None


if __name__ == "__main__":
    _topology, _mongod, _version, _port = sys.argv[1:]
    keep(
        Topology(_topology),
        Binary(Path(_mongod), _version),
        int(_port) if _port else None,
    )
