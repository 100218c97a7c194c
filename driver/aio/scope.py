"""What clients, databases and collections hand down: codec, read preference, concerns, timeout."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from driver.bson import CodecOptions
from driver.concerns import ReadConcern, WriteConcern
from driver.errors import ConfigurationError, InvalidName
from driver.read_preferences import ReadPreference


@dataclass(frozen=True, slots=True)
class Scope:
    """Inherited options; `timeout` is seconds, infinite for no limit, None where it is unset."""

    codec_options: CodecOptions
    read_preference: ReadPreference
    read_concern: ReadConcern
    write_concern: WriteConcern
    timeout: float | None = None

    def changed(
        self,
        /,
        *,
        codec_options: CodecOptions | None = None,
        read_preference: ReadPreference | None = None,
        read_concern: ReadConcern | None = None,
        write_concern: WriteConcern | None = None,
        timeout_ms: float | None = None,
    ) -> Scope:
        """A copy with the options that are not None; a `timeout_ms` of 0 is no limit."""
        given: dict[str, Any] = {
            "codec_options": codec_options,
            "read_preference": read_preference,
            "read_concern": read_concern,
            "write_concern": write_concern,
            "timeout": None if timeout_ms is None else seconds_of(timeout_ms),
        }
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    @property
    def reading(self) -> dict[str, Any]:
        """For an operation that reads."""
        return {
            "codec_options": self.codec_options,
            "read_preference": self.read_preference,
            "read_concern": self.read_concern,
            "timeout": self.timeout,
        }


class Scoped:
    """Gives the inherited options their public names."""

    _scope: Scope

    @property
    def codec_options(self) -> CodecOptions:
        """How documents are encoded and decoded."""
        return self._scope.codec_options

    @property
    def read_preference(self) -> ReadPreference:
        """Which members reads may go to."""
        return self._scope.read_preference

    @property
    def read_concern(self) -> ReadConcern:
        """How settled the data must be that is read."""
        return self._scope.read_concern

    @property
    def write_concern(self) -> WriteConcern:
        """When a write counts as done."""
        return self._scope.write_concern


def seconds_of(timeout_ms: float) -> float:
    """A `timeoutMS` in seconds, infinite for 0; raises ConfigurationError for what is no time."""
    if type(timeout_ms) not in (int, float) or not timeout_ms >= 0:
        raise ConfigurationError(f"timeout_ms must be 0 or more milliseconds, not {timeout_ms!r}")
    return timeout_ms / 1000 if timeout_ms else math.inf


def check_name(what: str, name: Any, *, forbidden: str, empty: bool) -> None:
    """Raise unless `name` is a string that the server could accept."""
    if not isinstance(name, str):
        raise TypeError(f"a {what} name must be a string, not {type(name).__name__}")
    if not name and not empty:
        raise InvalidName(f"a {what} name must not be empty")
    for character in forbidden:
        if character in name:
            raise InvalidName(f"{what} name {name!r} must not contain {character!r}")
