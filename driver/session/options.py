"""What a session and its transactions were asked to be (sessions and transactions specs)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from driver.bson import Timestamp
from driver.concerns import ReadConcern, WriteConcern
from driver.errors import ConfigurationError
from driver.read_preferences import ReadPreference

_TYPES = {
    "read_concern": ReadConcern,
    "write_concern": WriteConcern,
    "read_preference": ReadPreference,
    "max_commit_time_ms": int,
}


@dataclass(frozen=True, slots=True)
class TransactionOptions:
    """How a transaction reads and commits; what is None is inherited.

    `max_commit_time_ms` limits the server's work on a commit. Raises TypeError for values of other
    types, and ConfigurationError for a write concern that is not acknowledged.
    """

    read_concern: ReadConcern | None = None
    write_concern: WriteConcern | None = None
    read_preference: ReadPreference | None = None
    max_commit_time_ms: int | None = None

    def __post_init__(self) -> None:
        for name, kind in _TYPES.items():
            value = getattr(self, name)
            if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
                given = type(value).__name__
                raise TypeError(f"a transaction's {name} must be {kind.__name__}, not {given}")
        if self.write_concern is not None and not self.write_concern.acknowledged:
            raise ConfigurationError(
                "transactions do not support unacknowledged write concerns; give start_transaction"
                " a write concern with w of 1 or more, or 'majority'"
            )

    def over(self, defaults: TransactionOptions | None) -> TransactionOptions:
        """These options, and the defaults' where they are None."""
        if defaults is None:
            return self
        both = ((field.name, getattr(self, field.name)) for field in fields(self))
        return TransactionOptions(
            **{name: getattr(defaults, name) if own is None else own for name, own in both}
        )


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """How a session was started.

    A session is causally consistent unless told otherwise, or unless it reads from a snapshot: one
    point in time, `snapshot_time`, or that of its first read. `default_timeout`, in seconds, is for
    with_transaction and for ending transactions; None where it is the client's. Raises
    ConfigurationError for what contradicts itself.
    """

    causal_consistency: bool | None = None
    default_transaction_options: TransactionOptions | None = None
    snapshot: bool = False
    snapshot_time: Timestamp | None = None
    default_timeout: float | None = None

    def __post_init__(self) -> None:
        defaults: Any = self.default_transaction_options
        if defaults is not None and not isinstance(defaults, TransactionOptions):
            raise TypeError(
                f"default_transaction_options must be TransactionOptions, not {defaults!r}"
            )
        if self.snapshot and self.causal_consistency:
            raise ConfigurationError(
                "a session cannot be both causally consistent and a snapshot; leave one out"
            )
        if self.snapshot_time is not None and not self.snapshot:
            raise ConfigurationError("snapshot_time needs snapshot=True")
        if self.causal_consistency is None:
            object.__setattr__(self, "causal_consistency", not self.snapshot)
