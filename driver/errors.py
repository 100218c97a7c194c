"""Every exception the driver raises, named as PyMongo names them.

Errors carry *where* and *how long*: `host`, `operation` and `elapsed` are filled in by the
engine when it knows them, and become part of the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RETRYABLE_WRITE = "RetryableWriteError"
NO_WRITES_PERFORMED = "NoWritesPerformed"
TRANSIENT_TRANSACTION = "TransientTransactionError"
UNKNOWN_COMMIT_RESULT = "UnknownTransactionCommitResult"
RESUMABLE_CHANGE_STREAM = "ResumableChangeStreamError"
SYSTEM_OVERLOADED = "SystemOverloadedError"
RETRYABLE = "RetryableError"


class MongoError(Exception):
    """Base of all driver errors; carries error labels and the place it happened.

    `partial_result` is what a bulk had done before the error, in `BulkWriteError.details`' shape.
    """

    def __init__(self, message: str = "", *, labels: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.labels: set[str] = set(labels)
        self.host: str | None = None
        self.operation: str | None = None
        self.elapsed: float | None = None
        self.partial_result: Any = None

    @property
    def timeout(self) -> bool:
        """Whether a time limit passed: `timeoutMS`, or one of the others where that is unset."""
        return False

    def has_error_label(self, label: str) -> bool:
        """Whether the server or the driver put `label` on this error."""
        return label in self.labels

    def __str__(self) -> str:
        where = [
            part
            for part in (
                self.operation,
                f"on {self.host}" if self.host else None,
                f"after {self.elapsed:.3f} s" if self.elapsed is not None else None,
            )
            if part
        ]
        return f"{self.message} ({' '.join(where)})" if where else self.message


PyMongoError = MongoError


class ConfigurationError(MongoError):
    """An option has a wrong value, or options contradict each other."""


class InvalidURI(ConfigurationError):
    """A connection string cannot be parsed."""


class InvalidOperation(MongoError):
    """A call that is not possible in the object's present state."""


class InvalidName(MongoError):
    """A database or collection name that the server would never accept."""


class CollectionInvalid(MongoError):
    """The collection to be created already exists."""


class EncryptionError(MongoError):
    """A value or a key could not be encrypted or decrypted; says nothing of what it is."""


class DocumentTooLarge(InvalidOperation):
    """A document or message is larger than the server said it accepts."""


class ProtocolError(MongoError):
    """The peer sent bytes that are not a valid wire message."""


class ConnectionFailure(MongoError):
    """A connection could not be made or was lost."""


class AutoReconnect(ConnectionFailure):
    """The connection was lost; the next operation selects a server anew."""


class _TimedOut(MongoError):
    @property
    def timeout(self) -> bool:
        """A time limit passed."""
        return True


class OperationTimeout(_TimedOut):
    """`timeoutMS` passed between two steps of an operation.

    `__cause__` is the error that could have been retried, if there was one; its text and labels
    are part of this one's.
    """

    @classmethod
    def after(cls, cause: MongoError) -> OperationTimeout:
        """There is no time left to try again what failed so."""
        error = cls(f"timeoutMS passed; the last error was: {cause}", labels=sorted(cause.labels))
        error.host, error.operation = cause.host, cause.operation
        error.partial_result = cause.partial_result
        error.__cause__ = cause
        return error


class NetworkTimeout(_TimedOut, AutoReconnect):
    """The peer did not answer in time."""


class ServerSelectionTimeoutError(_TimedOut, AutoReconnect):
    """No server suited the operation in time (serverSelectionTimeoutMS, timeoutMS)."""


class WaitQueueTimeoutError(_TimedOut, ConnectionFailure):
    """No connection became free in time (waitQueueTimeoutMS, timeoutMS)."""


class WaitQueueFullError(ConnectionFailure):
    """As many as may (waitQueueSize) wait for a connection already."""


class PoolClearedError(AutoReconnect):
    """A connection was refused, or interrupted, since its pool was cleared (CMAP)."""


class PoolClosedError(InvalidOperation):
    """A connection was refused since its pool is closed for good (CMAP)."""


class _Answered(MongoError):
    """An error that the server itself reported: `code`, and the whole reply as `details`."""

    def __init__(
        self,
        message: str = "",
        code: int | None = None,
        details: Mapping[str, Any] | None = None,
        *,
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__(message, labels=labels)
        self.code = code
        self.details = details

    @property
    def code_name(self) -> str | None:
        """The server's symbolic name of `code`."""
        return self.details.get("codeName") if self.details else None


class OperationFailure(_Answered):
    """The server answered a command with an error."""

    @property
    def timeout(self) -> bool:
        """Whether the server gave up since a time limit passed."""
        return self.code == MAX_TIME_MS_EXPIRED


class NotPrimaryError(_Answered, AutoReconnect):
    """The server is not (or no longer) the primary, or is shutting down."""


class CursorNotFound(OperationFailure):
    """The server no longer has the cursor."""


class ExecutionTimeout(OperationFailure):
    """The operation took longer than maxTimeMS."""


class WriteConcernError(OperationFailure):
    """The write was done, but not acknowledged as its write concern asks."""


class WTimeoutError(_TimedOut, WriteConcernError):
    """The write was not replicated within wtimeout."""


class WriteError(OperationFailure):
    """A single write was refused."""


class DuplicateKeyError(WriteError):
    """A write would have broken a unique index."""


class BulkWriteError(OperationFailure):
    """Some writes of a bulk failed; `details` has PyMongo's shape (nInserted, writeErrors…)."""

    def __init__(self, details: Mapping[str, Any], *, labels: Sequence[str] = ()) -> None:
        super().__init__("batch op errors occurred", 65, details, labels=labels)

    @property
    def timeout(self) -> bool:
        """Whether a part failed since a time limit passed."""
        details = self.details or {}
        return _late((*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())))


class ClientBulkWriteException(OperationFailure):
    """A client-level bulk write failed in part or in whole."""

    def __init__(
        self,
        message: str,
        *,
        error: MongoError | None,
        write_errors: Mapping[int, Mapping[str, Any]],
        write_concern_errors: Sequence[Mapping[str, Any]],
        partial_result: Any,
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__(message, getattr(error, "code", None), getattr(error, "details", None))
        self.labels.update(labels)
        if error is not None:
            self.labels.update(error.labels)
        self.error = error
        self.write_errors = write_errors
        self.write_concern_errors = write_concern_errors
        self.partial_result = partial_result

    @property
    def timeout(self) -> bool:
        """Whether a part failed since a time limit passed."""
        whole = self.error is not None and self.error.timeout
        return whole or _late((*self.write_errors.values(), *self.write_concern_errors))


def _late(errors: Sequence[Mapping[str, Any]]) -> bool:
    return any(error.get("code") in (MAX_TIME_MS_EXPIRED, WTIMEOUT) for error in errors)


MAX_TIME_MS_EXPIRED = 50
WTIMEOUT = 64


class GridFSError(MongoError):
    """Base of GridFS errors."""


class NoFile(GridFSError):
    """No such file, or not so many revisions of it."""


class FileExists(GridFSError):
    """A file, or a chunk, with that id exists already."""


class CorruptGridFile(GridFSError):
    """A stored file's document or chunks contradict each other."""


# Server error codes that the specs group (SDAM "error handling", retryable writes "terms").
NOT_PRIMARY_CODES = frozenset({10107, 13435, 10058})
RECOVERING_CODES = frozenset({11600, 11602, 13436, 189, 91})
SHUTDOWN_CODES = frozenset({11600, 91})
STATE_CHANGE_CODES = NOT_PRIMARY_CODES | RECOVERING_CODES
RETRYABLE_CODES = STATE_CHANGE_CODES | {6, 7, 89, 9001, 262}
"""Retryable write codes; retryable reads add 134 (ReadConcernMajorityNotAvailableYet)."""
RETRYABLE_READ_CODES = RETRYABLE_CODES | {134}
