"""What a library that wraps the driver says about itself (mongodb-handshake spec)."""

from __future__ import annotations

from dataclasses import dataclass

from driver.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class DriverInfo:
    """Name, version and platform to append to the client metadata.

    Raises ConfigurationError for an empty name, and for text with the `|` that joins the parts.
    """

    name: str
    version: str | None = None
    platform: str | None = None

    def __post_init__(self) -> None:
        for field in ("name", "version", "platform"):
            value = getattr(self, field)
            optional = field != "name"
            if not (isinstance(value, str) and value) and not (optional and value is None):
                raise ConfigurationError(
                    f"{field} of DriverInfo must be a string that is not empty"
                )
            if value and "|" in value:
                raise ConfigurationError(f"{field} of DriverInfo must not contain '|'")
