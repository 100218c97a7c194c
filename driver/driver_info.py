"""What a library that wraps the driver says about itself (mongodb-handshake spec)."""

from __future__ import annotations

from dataclasses import dataclass

from driver.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """Name, version and platform to append to the client metadata.

    An empty version or platform is the same as none. Raises ConfigurationError for an empty name,
    and for text with the `|` that joins the parts.
    """

    name: str
    version: str | None = None
    platform: str | None = None

    def __post_init__(self) -> None:
        for field in ("name", "version", "platform"):
            value = getattr(self, field)
            if value is None and field != "name":
                continue
            if not isinstance(value, str) or (field == "name" and not value):
                raise ConfigurationError(
                    f"{field} of DriverInfo must be a string"
                    f"{' that is not empty' if field == 'name' else ' or None'}"
                )
            if "|" in value:
                raise ConfigurationError(f"{field} of DriverInfo must not contain '|'")
            object.__setattr__(self, field, value or None)  # frozen, but being made
