"""Who may be retried: labels and decisions (retryable reads and writes, client backpressure)."""

from __future__ import annotations

from driver.errors import (
    NO_WRITES_PERFORMED,
    RETRYABLE,
    RETRYABLE_CODES,
    RETRYABLE_READ_CODES,
    RETRYABLE_WRITE,
    SYSTEM_OVERLOADED,
    ConnectionFailure,
    MongoError,
    NotPrimaryError,
    OperationTimeout,
    ServerSelectionTimeoutError,
    WaitQueueFullError,
    WaitQueueTimeoutError,
    WriteConcernError,
)
from driver.topology.description import ServerDescription, ServerType

WIRE_VERSION_4_4 = 9  # from here on the server itself labels retryable write errors
BASE_BACKOFF = 0.1
MAX_BACKOFF = 10.0


def supports_retryable_writes(server: ServerDescription) -> bool:
    """Whether a server keeps transaction numbers: sessions, and not a standalone."""
    return supports_sessions(server) and server.type is not ServerType.STANDALONE


def supports_sessions(server: ServerDescription) -> bool:
    """Whether a server knows sessions; what is behind a load balancer always does."""
    return (
        server.logical_session_timeout_minutes is not None
        or server.type is ServerType.LOAD_BALANCER
    )


def is_network_error(error: MongoError) -> bool:
    """Whether the connection (or making one) failed, rather than the server answering."""
    return isinstance(error, ConnectionFailure) and not isinstance(
        error,
        (NotPrimaryError, ServerSelectionTimeoutError, WaitQueueFullError, WaitQueueTimeoutError),
    )


def label_write_error(error: MongoError, server: ServerDescription) -> None:
    """Add RetryableWriteError where the driver, not the server, must."""
    if is_network_error(error):
        error.labels.add(RETRYABLE_WRITE)
        return
    code = getattr(error, "code", None)
    if server.max_wire_version >= WIRE_VERSION_4_4 or code not in RETRYABLE_CODES:
        return
    # An old mongos may have labelled or retried by itself: its write concern errors don't count.
    if isinstance(error, WriteConcernError) and server.type is ServerType.MONGOS:
        return
    error.labels.add(RETRYABLE_WRITE)


def is_retryable_read(error: MongoError) -> bool:
    """Whether a read that failed so may be tried again."""
    if is_network_error(error):
        return True
    return getattr(error, "code", None) in RETRYABLE_READ_CODES and not isinstance(
        error, WriteConcernError
    )


def is_overload(error: MongoError) -> bool:
    """Whether the server is overloaded and says that a retry is safe."""
    return SYSTEM_OVERLOADED in error.labels and RETRYABLE in error.labels


def backoff(retry: int, error: MongoError, jitter: float) -> float:
    """Seconds to wait before retry number `retry` (from 1) of an overloaded operation."""
    base = BASE_BACKOFF
    details = getattr(error, "details", None) or {}
    given = details.get("baseBackoffMS")
    if isinstance(given, (int, float)) and given > 0:
        base = given / 1000
    return float(jitter * min(MAX_BACKOFF, base * 2**retry))


def worth_raising(previous: MongoError | None, error: MongoError, *, sent: bool) -> MongoError:
    """Of several errors, the one that tells the user whether a write may have happened."""
    if previous is not None and isinstance(error, OperationTimeout):
        return OperationTimeout.after(previous)  # there was no time to send it again
    if previous is None or (sent and NO_WRITES_PERFORMED not in error.labels):
        return error
    return previous
