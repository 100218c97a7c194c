"""Read concern and write concern (read-write-concern spec): immutable and hashable."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from driver.errors import ConfigurationError

_INT32_MAX = 2**31 - 1
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ReadConcern:
    """How durable and isolated the data a read returns must be.

    `level` None is the server's default, with which commands carry no read concern. Unknown levels
    are the server's to judge.
    """

    level: str | None = None
    is_server_default: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_server_default", self.level is None)
        if self.level is not None and not isinstance(self.level, str):
            raise ConfigurationError(f"a read concern's level must be a string, not {self.level!r}")

    @property
    def document(self) -> dict[str, Any]:
        """A new document of what was set."""
        return {} if self.level is None else {"level": self.level}


@dataclass(frozen=True, slots=True)
class WriteConcern:
    """Which acknowledgement a write waits for.

    `w` is a count of members or the name of a mode such as `majority`; `wtimeout` is milliseconds,
    as the server has it; `j` waits for the journal. `fsync` is deprecated and as strict as `j`.
    Raises ConfigurationError for values the server would refuse, and for an unacknowledged
    write (`w=0`) that waits for the journal.

    `acknowledged` tells whether the server answers such a write. With `is_server_default` nothing
    was set, and commands carry no write concern.
    """

    w: int | str | None = None
    wtimeout: int | None = None
    j: bool | None = None
    fsync: bool | None = None
    acknowledged: bool = field(init=False, repr=False, compare=False)
    is_server_default: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (self.w is None or isinstance(self.w, str) or _is_count(self.w, _INT32_MAX)):
            raise ConfigurationError(
                f"a write concern's w must be a mode's name or a number from 0 on, not {self.w!r}"
            )
        if not (self.wtimeout is None or _is_count(self.wtimeout, _INT64_MAX)):
            raise ConfigurationError(
                f"a write concern's wtimeout must be 0 or more milliseconds, not {self.wtimeout!r}"
            )
        for name, value in (("j", self.j), ("fsync", self.fsync)):
            if not (value is None or isinstance(value, bool)):
                raise ConfigurationError(
                    f"a write concern's {name} must be True or False, not {value!r}"
                )
            if self.w == 0 and value:
                raise ConfigurationError(
                    f"a write concern cannot have both w=0 (no acknowledgement) and {name}=True"
                )
        object.__setattr__(self, "acknowledged", self.w != 0)
        object.__setattr__(self, "is_server_default", not self.document)

    @property
    def document(self) -> dict[str, Any]:
        """A new document of what was set."""
        fields = (("w", self.w), ("wtimeout", self.wtimeout), ("j", self.j), ("fsync", self.fsync))
        return {name: value for name, value in fields if value is not None}

    @property
    def without_wtimeout(self) -> WriteConcern:
        """The same for an operation with a deadline, which `wtimeout` must not cut short (CSOT)."""
        return self if self.wtimeout is None else replace(self, wtimeout=None)


def _is_count(value: object, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest
