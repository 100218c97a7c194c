"""Deployments that outlive the command that started them: `mongospec up` and `down`.

A keeper process holds such a deployment. Its record, a file in the user's state folder named by
the deployment's id, says where it is; the keeper locks that file as long as it lives, so that a
record left behind by a keeper that was killed is known to be stale.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from runners.deployments.base import Deployment, DeploymentError
from runners.deployments.offer import Wish, connect, offer
from runners.deployments.security import Security, shown
from runners.model import Topology

MODULE = "runners.deployments.detached"


def state_folder() -> Path:
    """Where records are kept (XDG base directories)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "mongospec"


@dataclass(frozen=True, slots=True)
class Record:
    """A deployment that is up, and the process that keeps it.

    `single_mongos_uri` is a load-balanced deployment's second URI.
    """

    id: str
    uri: str = field(repr=False)
    single_mongos_uri: str | None = field(repr=False)
    keeper: int


def up(wish: Wish, deployment: Deployment) -> Record:
    """Start a deployment that `wish` offers, so that it stays.

    Raises DeploymentError where it is up already, or does not start.
    """
    id_ = deployment.info.id
    if (record := running(id_)) is not None:
        raise DeploymentError(
            f"{id_} is up already at {shown(record.uri)}; stop it with: mongospec down {id_}"
        )
    keeper = subprocess.Popen(
        [sys.executable, "-m", MODULE, id_, json.dumps(asdict(wish), default=os.fspath)],
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
        raise DeploymentError(f"the keeper of {id_} ended with status {keeper.wait()}")
    answer = json.loads(said)
    if "error" in answer:
        keeper.wait()  # It still holds the record's lock.
        raise DeploymentError(answer["error"])
    return Record(**answer)


def down(id_: str) -> Record | None:
    """Stop a deployment and wait until nothing of it is left; None where it was not up."""
    if not _path(id_).exists():
        return None
    with _opened(id_) as file:
        record = _read(file)
        if record is None:
            _path(id_).unlink()
            return None
        os.kill(record.keeper, signal.SIGTERM)
        fcntl.flock(file, fcntl.LOCK_EX)
    return record


def recorded() -> list[str]:
    """The ids of all deployments that have a record, stale or not."""
    return sorted(path.stem for path in state_folder().glob("*.json"))


def running(id_: str) -> Record | None:
    """The record of a deployment that is up, None where it is not."""
    if not _path(id_).exists():
        return None
    with _opened(id_) as file:
        return _read(file)


def keep(id_: str, wish: Wish) -> None:
    """Hold a deployment until SIGTERM: what the keeper process does.

    Its one line of output is the record as JSON, or an object with the error.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with _opened(id_) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say({"error": f"another process starts {id_} at this moment"})
            return
        try:
            file.truncate(0)
            (kept,) = (each for each in offer(wish, connect, _ignore) if each.info.id == id_)
            with kept as deployment:
                info = deployment.info
                record = Record(info.id, info.uri, info.single_mongos_uri, os.getpid())
                json.dump(asdict(record), file)
                file.flush()
                _say(asdict(record))
                while True:
                    signal.pause()
        except DeploymentError as error:
            _say({"error": str(error)})
        finally:
            _path(id_).unlink()


def _ignore(_: str) -> None:
    """The command that starts the keeper has offered, and so fetched, before."""


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)


def _path(id_: str) -> Path:
    return state_folder() / f"{id_}.json"


def _opened(id_: str) -> IO[str]:
    state_folder().mkdir(parents=True, exist_ok=True)
    _path(id_).touch(mode=0o600)  # it may hold a password
    return _path(id_).open("a+", encoding="utf-8")


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


def _wish(text: str) -> Wish:
    """The wish that was written as JSON."""
    fields = json.loads(text)
    fields["topologies"] = tuple(map(Topology, fields["topologies"]))
    fields["security"] = Security(**fields["security"])
    fields["mongod"] = Path(fields["mongod"]) if fields["mongod"] else None
    return Wish(**fields)


if __name__ == "__main__":
    keep(sys.argv[1], _wish(sys.argv[2]))
