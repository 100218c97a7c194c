"""What a callback for MONGODB-OIDC is asked and answers, under PyMongo's names.

class Callback(OIDCCallback):
    def fetch(self, context):
        return OIDCCallbackResult(access_token=...)

MongoClient(authMechanism="MONGODB-OIDC",
            authMechanismProperties={"OIDC_CALLBACK": Callback()})
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OIDCIdPInfo:
    """Where a human can log in, as the server said; the fields are named as it names them."""

    issuer: str
    clientId: str | None = None  # noqa: N815
    requestScopes: Sequence[str] | None = None  # noqa: N815


@dataclass(frozen=True, slots=True)
class OIDCCallbackContext:
    """What a callback is told; later versions of it may have more fields.

    `timeout_seconds` is how long the callback may take, and `version` that of this interface.
    Only an OIDC_HUMAN_CALLBACK gets `idp_info` and, if it gave one before, a `refresh_token`.
    """

    timeout_seconds: float
    username: str | None
    version: int = 1
    refresh_token: str | None = field(default=None, repr=False)
    idp_info: OIDCIdPInfo | None = None


@dataclass(frozen=True, slots=True)
class OIDCCallbackResult:
    """An access token; `expires_in_seconds` is None where it is not known."""

    access_token: str = field(repr=False)
    expires_in_seconds: float | None = None
    refresh_token: str | None = field(default=None, repr=False)


class OIDCCallback(ABC):
    """Fetches access tokens. The driver calls it once at a time, and caches what it gives."""

    @abstractmethod
    def fetch(
        self, context: OIDCCallbackContext
    ) -> OIDCCallbackResult | Awaitable[OIDCCallbackResult]:
        """A new token. An AsyncMongoClient awaits an `async def`, and calls others on a thread."""
