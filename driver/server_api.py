"""The Stable API a client declares (versioned-api spec)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from driver.errors import ConfigurationError


class ServerApiVersion:
    """The versions of the Stable API."""

    V1 = "1"


@dataclass(frozen=True, slots=True)
class ServerApi:
    """The version every command declares; `strict` and `deprecation_errors` only if set.

    Raises ConfigurationError for an unknown version or a flag that is no boolean.
    """

    version: str
    strict: bool | None = None
    deprecation_errors: bool | None = None

    def __post_init__(self) -> None:
        if self.version != ServerApiVersion.V1:
            raise ConfigurationError(
                f"unknown Stable API version {self.version!r}; use ServerApiVersion.V1"
            )
        for name in ("strict", "deprecation_errors"):
            if not isinstance(getattr(self, name), bool | None):
                raise ConfigurationError(f"{name} of ServerApi must be True, False or None")

    @property
    def document(self) -> dict[str, Any]:
        """The fields to add to every command, in a new document."""
        fields = {
            "apiVersion": self.version,
            "apiStrict": self.strict,
            "apiDeprecationErrors": self.deprecation_errors,
        }
        return {name: value for name, value in fields.items() if value is not None}
