"""The fields that all commands share: sessions, transactions, concerns, times, read preference.

Specs: sessions, transactions, causal consistency, snapshot reads, read-write-concern, server
selection ("Passing a Read Preference"), CSOT ("Command Execution").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driver.bson import Int64
from driver.deadline import Deadline
from driver.engine.connection import Connection
from driver.engine.lease import SessionLease
from driver.engine.retry import supports_retryable_writes, supports_sessions
from driver.engine.session import AsyncClientSession
from driver.errors import ConfigurationError, InvalidOperation
from driver.operations.base import WIRE_VERSION_5_0, Command, Operation, Retry, ServerTime
from driver.read_preferences import ReadPreference
from driver.session.gossip import later
from driver.session.transaction import State
from driver.topology.description import (
    ServerDescription,
    ServerType,
    TopologyDescription,
    TopologyType,
)

if TYPE_CHECKING:
    from driver.engine.core import Core


class Fields:
    """What an operation's commands carry beside its own fields, the same in all its attempts.

    `session` is the one that was given, or borrowed where the server has sessions and the write is
    acknowledged; `explicit` is the same if it is a user's. `within` is the session whose
    transaction the operation belongs to, which then decides the concerns and the read preference.
    `retried` is set for writes that the client's options let be sent twice. Raises InvalidOperation
    for a session that cannot be used.
    """

    __slots__ = (
        "_acknowledged",
        "_core",
        "_operation",
        "explicit",
        "retried",
        "session",
        "txn_number",
        "within",
    )

    def __init__(self, core: Core, operation: Operation[Any], session: SessionLease | None) -> None:
        self._core = core
        self._operation = operation
        self.session = session
        self.explicit = session if isinstance(session, AsyncClientSession) else None
        self.within = None if self.explicit is None else _within(core, operation, self.explicit)
        self.txn_number: Int64 | None = None
        outside = self.within is None or operation.ends_transaction
        concern = operation.write_concern if outside else None
        self._acknowledged = concern is None or concern.acknowledged
        if self.explicit is not None and not self._acknowledged:
            raise InvalidOperation("an unacknowledged write cannot be part of a session")
        self.retried = (
            operation.retry is Retry.WRITE
            and (core.options.retry_writes or operation.ends_transaction)
            and self._acknowledged
            and outside
        )

    def retries_writes(self, server: ServerDescription) -> bool:
        """Whether a server can tell that this write was sent twice, so that it may be."""
        return self.retried and (
            self._operation.ends_transaction or supports_retryable_writes(server)
        )

    def preference(self, topology: TopologyDescription) -> ReadPreference | None:
        """Which members the operation may go to; None for writes.

        Raises InvalidOperation for a read that a transaction does not allow.
        """
        operation = self._operation
        if not operation.is_read:
            return None
        if self.within is None:
            return operation.preference(topology)
        chosen = self.within.transaction.options.read_preference or ReadPreference.PRIMARY
        preference = operation.preference_in_transaction(chosen)
        if preference.mode != "primary":
            raise InvalidOperation(
                f"read preference in a transaction must be primary, not {preference.mode}"
            )
        return preference

    def command(
        self, connection: Connection, preference: ReadPreference, deadline: Deadline | None
    ) -> Command:
        """The operation's command for a connection, complete."""
        core, operation, session = self._core, self._operation, self.explicit
        server = connection.server
        command = operation.build(server)
        document = command.document
        command.acknowledged = self._acknowledged
        if supports_sessions(server):
            if self._acknowledged and (self.session is not None or operation.takes_session):
                self._add_session(document, server)
        elif session is not None:
            raise InvalidOperation("sessions are not supported by this deployment")
        cluster_time = core.cluster_time
        if session is not None:
            cluster_time = later(cluster_time, session.cluster_time)
        if cluster_time is not None:
            document["$clusterTime"] = cluster_time
        self._add_concerns(document, server, deadline)
        if operation.is_read and self.within is None and server.type is not ServerType.STANDALONE:
            direct = core.topology.description.type is TopologyType.SINGLE
            if preference.mode != "primary":
                document["$readPreference"] = preference.document
            elif direct and server.type is not ServerType.MONGOS:
                document["$readPreference"] = {"mode": "primaryPreferred"}
        if deadline is not None:
            self._limit_server(document, deadline)
        if core.options.server_api is not None:
            document.update(core.options.server_api.document)
        return command

    def _add_session(self, document: dict[str, Any], server: ServerDescription) -> None:
        """The session's id, and the number of a transaction or of a write that may be retried."""
        session = self.session
        if session is None:
            self.session = session = SessionLease(self._core)
        server_session = session.server_session()
        server_session.last_use = self._core.runtime.now()
        document["lsid"] = server_session.id
        if self.within is not None:
            document["txnNumber"] = Int64(server_session.txn_number)
            document["autocommit"] = False
            if self.within.transaction.state is State.STARTING:
                document["startTransaction"] = True
            return
        if self.txn_number is None and self.retried and server.type is not ServerType.STANDALONE:
            self.txn_number = Int64(server_session.next_txn_number())
        if self.txn_number is not None:
            document["txnNumber"] = self.txn_number

    def _add_concerns(
        self, document: dict[str, Any], server: ServerDescription, deadline: Deadline | None
    ) -> None:
        """Read and write concern, if they are not the server's defaults.

        In a transaction, the write concern of its end counts and no other; a retry may change it.
        """
        operation = self._operation
        reads, writes = operation.read_concern, operation.write_concern
        if self.explicit is not None:
            read_concern = self._read_concern(self.explicit, server)
            if read_concern:
                document["readConcern"] = read_concern
        elif reads is not None and not reads.is_server_default:
            document["readConcern"] = reads.document
        if writes is None or (self.within is not None and not operation.ends_transaction):
            return
        if deadline is not None:
            writes = writes.without_wtimeout
        if not writes.is_server_default:
            document["writeConcern"] = writes.document

    def _read_concern(
        self, session: AsyncClientSession, server: ServerDescription
    ) -> dict[str, Any]:
        """What was asked for, and in a causally consistent session what it has seen.

        A transaction has one read concern, which its first command carries.
        """
        if session.options.snapshot:
            return _snapshot(session, server)
        concern, causal = self._operation.read_concern, self._operation.causal
        if self.within is not None:
            transaction = self.within.transaction
            if transaction.state is not State.STARTING:
                return {}
            concern, causal = transaction.options.read_concern, True
        document = dict(concern.document) if concern is not None else {}
        if session.options.causal_consistency and session.operation_time is not None and causal:
            document["afterClusterTime"] = session.operation_time
        return document

    def _limit_server(self, document: dict[str, Any], deadline: Deadline) -> None:
        """What is left for the server, in place of a maxTimeMS (CSOT, "Command Execution")."""
        left = deadline.server_ms(self._core.runtime.now())
        told = self._operation.server_time
        if told is ServerTime.AWAITED:
            if left is not None and "maxTimeMS" in document:
                document["maxTimeMS"] = min(document["maxTimeMS"], left)
            return
        document.pop("maxTimeMS", None)
        if told is ServerTime.LEFT and left is not None:
            document["maxTimeMS"] = left


def _within(
    core: Core, operation: Operation[Any], session: AsyncClientSession
) -> AsyncClientSession | None:
    """The session, once it is known to be usable, if the operation belongs to its transaction."""
    if not session.belongs_to(core):
        raise InvalidOperation("the session was started by another client")
    session.check_open()
    return session if session.join(operation) else None


def _snapshot(session: AsyncClientSession, server: ServerDescription) -> dict[str, Any]:
    """The read concern of all commands of a snapshot session, so that writes are refused."""
    if server.max_wire_version < WIRE_VERSION_5_0:
        raise ConfigurationError("Snapshot reads require MongoDB 5.0 or later")
    time = session.snapshot_time
    return {"level": "snapshot"} if time is None else {"level": "snapshot", "atClusterTime": time}
