"""What clients, databases and collections hand down: codec, read preference, concerns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from driver.bson import CodecOptions
from driver.concerns import ReadConcern, WriteConcern
from driver.errors import InvalidName
from driver.read_preferences import ReadPreference


@dataclass(frozen=True, slots=True)
class Scope:
    """Inherited options."""

    codec_options: CodecOptions
    read_preference: ReadPreference
    read_concern: ReadConcern
    write_concern: WriteConcern

    def changed(self, /, **options: Any) -> Scope:
        """A copy with the options that are not None."""
        given = {name: value for name, value in options.items() if value is not None}
        return replace(self, **given) if given else self

    @property
    def reading(self) -> dict[str, Any]:
        """For an operation that reads."""
        return {
            "codec_options": self.codec_options,
            "read_preference": self.read_preference,
            "read_concern": self.read_concern,
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


def check_name(what: str, name: Any, *, forbidden: str, empty: bool) -> None:
    """Raise unless `name` is a string that the server could accept."""
    if not isinstance(name, str):
        raise TypeError(f"a {what} name must be a string, not {type(name).__name__}")
    if not name and not empty:
        raise InvalidName(f"a {what} name must not be empty")
    for character in forbidden:
        if character in name:
            raise InvalidName(f"{what} name {name!r} must not contain {character!r}")
