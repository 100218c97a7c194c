"""The words of a run: a case, its state, its verdict. All frozen, all free of any driver."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""A JSON value; where it stands for BSON, it is Extended JSON (canonical at the adapter seam)."""

JsonObject: TypeAlias = dict[str, Json]


class State(StrEnum):
    """The one state a case ends in. See docs/architecture.md."""

    PASS = "pass"
    FAIL = "fail"
    ERROR = "error"
    EXPECTED_FAIL = "expected-fail"
    UNEXPECTED_PASS = "unexpected-pass"
    UNSUPPORTED = "unsupported"
    UNMET = "unmet"
    SKIPPED = "skipped"

    @property
    def breaks_the_run(self) -> bool:
        """Whether a case in this state makes the exit status 1."""
        return self in (State.FAIL, State.ERROR, State.UNEXPECTED_PASS)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; line and column count from 1."""

    path: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a spec file: where, which rule, what, and how to mend it."""

    position: Position
    rule: str
    message: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f" ({self.mend})" if self.mend else ""
        return f"{self.position}: [{self.rule}] {self.message}{mend}"


class Topology(StrEnum):
    """Deployment kinds, as a user names them on the command line."""

    STANDALONE = "standalone"
    REPLICA_SET = "replicaset"
    SHARDED = "sharded"
    LOAD_BALANCED = "load-balanced"


@dataclass(frozen=True, slots=True)
class Case:
    """One test of one spec file.

    `index` is its place in the file's list of tests (0 where the whole file is one case).
    """

    id: str
    suite: str
    format: str
    path: Path
    line: int
    description: str
    index: int = 0
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a case failed: the place in the spec file and both sides of the mismatch.

    `events` has what each client published, in order: lists of `{name: fields}`.
    """

    message: str
    path: str = ""
    expected: Json = None
    actual: Json = None
    line: int | None = None
    operation: str | None = None
    details: str = ""
    events: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A case's state on one deployment (None for cases that need no server).

    `record` is the file that has all of it, where one was written (see `runners.record`).
    """

    case: Case
    state: State
    reason: str = ""
    seconds: float = 0.0
    deployment: str | None = None
    failure: Failure | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class DeploymentInfo:
    """What a deployment offers to runOnRequirements, and where it is.

    `hosts` are the servers that a client can reach directly: of a sharded cluster its mongoses, of
    a load-balanced one the mongoses behind the balancer, or none where they are not known. There,
    `uri` leads to all mongoses and `single_mongos_uri`, where it is known, to just one of them.
    """

    id: str
    topology: Topology
    server_version: str
    uri: str = field(repr=False)
    hosts: tuple[str, ...]
    single_mongos_uri: str | None = field(default=None, repr=False)
    set_name: str | None = None
    auth: bool = False
    tls: bool = False
    parameters: JsonObject = field(default_factory=dict)

    @property
    def routed(self) -> bool:
        """Whether clients talk to mongoses."""
        return self.topology in (Topology.SHARDED, Topology.LOAD_BALANCED)

    @property
    def routers(self) -> tuple[str | None, ...]:
        """The mongoses to which each a command has to go; None is the deployment as a whole."""
        return (self.hosts or (None,)) if self.routed else (None,)

    @property
    def control_uri(self) -> str:
        """Where the harness sends its own commands."""
        return self.single_mongos_uri or self.uri
