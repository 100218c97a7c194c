"""Make one deployment of servers that run, by commands alone: a replica set, a sharded cluster.

Every command goes to a single server, so this works wherever the servers are: in processes, in
containers, elsewhere. Deadlines are on the clock of time.monotonic; what takes longer raises
DeploymentError, and a command that a server refuses raises CommandError.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runners.deployments.base import CommandError, Commands, DeploymentError
from runners.model import JsonObject

POLL = 0.02
SETTINGS: JsonObject = {"electionTimeoutMillis": 5000, "heartbeatIntervalMillis": 500}
"""Quick after a crash, and yet no election where a busy machine lets a member wait for a while."""
STEP_DOWN: JsonObject = {"replSetStepDown": 10, "secondaryCatchUpPeriodSecs": 5}
REPLICATION_MS = 10_000


@dataclass(frozen=True, slots=True)
class Member:
    """A server: the `address` (host:port) where Commands reach it, its `name` in the set's config.

    Without a name, both are the same.
    """

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """A set to be formed; its first member becomes the primary."""

    name: str
    members: tuple[Member, ...]
    config_server: bool = False

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where Commands reach the members."""
        return tuple(member.address for member in self.members)

    @property
    def seed(self) -> str:
        """The set as mongos and addShard take it: `name/member,member`."""
        return f"{self.name}/{','.join(each.name or each.address for each in self.members)}"


def form_replica_set(commands: Commands, replica_set: ReplicaSet, deadline: float) -> None:
    """Initiate a set; done when all members replicate and majority writes are acknowledged."""
    config: JsonObject = {
        "_id": replica_set.name,
        "members": [
            {"_id": index, "host": member.name or member.address}
            for index, member in enumerate(replica_set.members)
        ],
        "settings": SETTINGS,
        "writeConcernMajorityJournalDefault": replica_set.config_server,
        **({"configsvr": True} if replica_set.config_server else {}),
    }
    first, *_ = replica_set.addresses
    count = len(replica_set.members)
    commands.command("admin", {"replSetInitiate": config}, host=first)
    wait_until(lambda: _steps_up(commands, first), f"{first} is primary", deadline)
    for concern, what in ((count, "all members replicate"), ("majority", "writes are majority")):
        wait_until(lambda: _replicates(commands, first, concern), what, deadline)  # noqa: B023


def form_sharded_cluster(
    commands: Commands, shards: Sequence[ReplicaSet], mongoses: Sequence[str], deadline: float
) -> None:
    """Add formed sets as shards; done when every mongos (an address) reaches them."""
    first, *_ = mongoses
    for shard in shards:
        commands.command("admin", {"addShard": shard.seed}, host=first)
    for mongos in mongoses:
        wait_until(lambda: _routes(commands, mongos), f"{mongos} reaches the shards", deadline)  # noqa: B023


def primary_of(commands: Commands, members: Sequence[str]) -> str | None:
    """The address of the member that takes writes, None where there is none now."""
    return next((member for member in members if _is_primary(commands, member)), None)


def wait_for_primary(commands: Commands, members: Sequence[str], deadline: float) -> None:
    """Wait until one of the members acknowledges majority writes."""

    def there_is_one() -> bool:
        primary = primary_of(commands, members)
        return primary is not None and _replicates(commands, primary, "majority")

    wait_until(there_is_one, "there is a primary", deadline)


def wait_for_member(commands: Commands, member: str, deadline: float) -> None:
    """Wait until a server is its set's primary or a secondary again."""
    wait_until(lambda: _in_service(commands, member), f"{member} is usable", deadline)


def step_down(commands: Commands, members: Sequence[str], deadline: float) -> None:
    """Make the primary step down for 10 s, and wait until another takes writes."""
    primary = primary_of(commands, members)
    if primary is None:
        raise DeploymentError(f"there is no primary to step down among {', '.join(members)}")
    commands.command("admin", STEP_DOWN, host=primary)
    wait_for_primary(commands, members, deadline)


def wait_until(condition: Callable[[], bool], what: str, deadline: float) -> None:
    """Ask until `condition` holds; a CommandError counts as not yet."""
    pause = threading.Event()
    error: CommandError | None = None
    while True:
        try:
            if condition():
                return
        except CommandError as failed:
            error = failed
        if time.monotonic() > deadline:
            raise DeploymentError(f"waited in vain until {what} (last error: {error})")
        pause.wait(POLL)


def _hello(commands: Commands, host: str) -> JsonObject:
    """What a server says of itself, in the words that old ones know too; empty if it is down."""
    try:
        return commands.command("admin", {"isMaster": 1}, host=host)
    except CommandError:
        return {}


def _is_primary(commands: Commands, host: str) -> bool:
    return bool(_hello(commands, host).get("ismaster"))


def _in_service(commands: Commands, host: str) -> bool:
    reply = _hello(commands, host)
    return bool(reply.get("ismaster") or reply.get("secondary"))


def _steps_up(commands: Commands, host: str) -> bool:
    commands.command("admin", {"replSetStepUp": 1}, host=host)
    return True


def _replicates(commands: Commands, primary: str, members: int | str) -> bool:
    """Whether a write reaches so many members; it waits for them on the server's side."""
    concern: JsonObject = {"w": members, "wtimeout": REPLICATION_MS}
    note: JsonObject = {"appendOplogNote": 1, "data": {}, "writeConcern": concern}
    return "writeConcernError" not in commands.command("admin", note, host=primary)


def _routes(commands: Commands, mongos: str) -> bool:
    """Whether a mongos gets an answer of every shard."""
    commands.command("admin", {"listDatabases": 1}, host=mongos)
    return True
