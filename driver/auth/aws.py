"""MONGODB-AWS (auth spec): the server checks a request to AWS that the client has signed.

The client never sends its secret, nor the request: only the headers that AWS would want to see.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from driver.auth.conversation import Document, payload_of, sasl_continue, sasl_start
from driver.auth.credentials import Credentials
from driver.bson import BSONError, decode, encode
from driver.errors import ConfigurationError, OperationFailure

_NONCE_SIZE = 32
_NO_CHANNEL_BINDING = ord("n")
_BODY = b"Action=GetCallerIdentity&Version=2011-06-15"


@dataclass(frozen=True, slots=True)
class AWSKeys:
    """An access key, its secret and, for a temporary one, its token."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)

    @classmethod
    def find(cls, properties: Mapping[str, Any]) -> AWSKeys:
        """Keys of AWS_CREDENTIAL_PROVIDER, else of the environment as it is now.

        A provider is called without arguments, and gives an object with `access_key`,
        `secret_key` and perhaps `token`, as botocore's credentials have them.
        """
        provider = properties.get("AWS_CREDENTIAL_PROVIDER")
        if provider is not None:
            found = provider()
            return cls(found.access_key, found.secret_key, getattr(found, "token", None))
        access_key = os.environ.get("AWS_ACCESS_KEY_ID")
        secret_key = os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not access_key or not secret_key:
            raise ConfigurationError(
                "MONGODB-AWS found no keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or"
                " give the mechanism property AWS_CREDENTIAL_PROVIDER (this driver does not ask"
                " the endpoints of ECS, EC2 or STS itself)"
            )
        return cls(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN") or None)


class AWSConversation:
    """Two messages: a nonce, then the signed headers."""

    mechanism = "MONGODB-AWS"

    def __init__(
        self,
        credentials: Credentials,
        *,
        random: Callable[[int], bytes] = os.urandom,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.source = credentials.source
        self._properties = credentials.mechanism_properties
        self._now = now
        self._nonce = random(_NONCE_SIZE)
        self._answered = False

    def start(self) -> Document:
        """The client's nonce."""
        return sasl_start(self.mechanism, encode({"r": self._nonce, "p": _NO_CHANNEL_BINDING}))

    def speculative(self) -> None:
        """None: the mechanism has no such thing."""

    def step(self, reply: Mapping[str, Any]) -> Document | None:
        """The signed headers, once the server's nonce is there; None when it is done."""
        if self._answered:
            if not reply.get("done"):
                raise OperationFailure("authentication failed: the server is not done")
            return None
        server_nonce, host = self._read(payload_of(reply))
        keys = AWSKeys.find(self._properties)
        date = self._now().strftime("%Y%m%dT%H%M%SZ")
        answer = {"a": authorization(keys, host, server_nonce, date), "d": date}
        if keys.token is not None:
            answer["t"] = keys.token
        self._answered = True
        return sasl_continue(reply, encode(answer))

    def _read(self, payload: bytes) -> tuple[bytes, str]:
        try:
            said = decode(payload)
        except BSONError:
            said = {}
        nonce, host = said.get("s"), said.get("h")
        if not isinstance(nonce, bytes) or len(nonce) != 2 * _NONCE_SIZE:
            raise OperationFailure("authentication failed: the server's nonce is not of 64 bytes")
        if not hmac.compare_digest(bytes(nonce[:_NONCE_SIZE]), self._nonce):
            raise OperationFailure("authentication failed: that nonce is for another client")
        if not isinstance(host, str):
            raise OperationFailure("authentication failed: the server named no STS host")
        return bytes(nonce), host


def region_of(host: str) -> str:
    """The region that an STS host belongs to; raises OperationFailure for what is no host."""
    labels = host.split(".")
    # Besides the rules for names, nothing that could end a header's line.
    if not all(labels) or len(host.encode()) > 255 or not host.isprintable() or " " in host:
        raise OperationFailure(f"authentication failed: {host[:50]!r} is not an STS host")
    if host == "sts.amazonaws.com" or len(labels) == 1:
        return "us-east-1"
    return labels[1]


def authorization(keys: AWSKeys, host: str, server_nonce: bytes, date: str) -> str:
    """The Authorization header of a request to STS (Signature Version 4)."""
    headers = {
        "content-length": str(len(_BODY)),
        "content-type": "application/x-www-form-urlencoded",
        "host": host,
        "x-amz-date": date,
        **({} if keys.token is None else {"x-amz-security-token": keys.token}),
        "x-mongodb-gs2-cb-flag": "n",
        "x-mongodb-server-nonce": b64encode(server_nonce).decode(),
    }
    signed = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    request = f"POST\n/\n\n{lines}\n{signed}\n{hashlib.sha256(_BODY).hexdigest()}"
    scope = f"{date[:8]}/{region_of(host)}/sts/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{digest}"
    signature = _mac(signing_key(keys.secret_key, scope), text).hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
        f"SignedHeaders={signed}, Signature={signature}"
    )


def signing_key(secret: str, scope: str) -> bytes:
    """The key for a scope: date, region, service, and a fixed word."""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
