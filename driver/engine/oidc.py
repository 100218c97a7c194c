"""MONGODB-OIDC (auth spec): a client's token, and how each of its connections uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.auth.conversation import Document
from driver.auth.credentials import Credentials
from driver.auth.oidc import (
    ALLOWED_HOSTS,
    checked,
    failure,
    idp_info,
    one_step,
    require_allowed,
    require_done,
    second_step,
    speculative,
    two_step,
)
from driver.auth_oidc import OIDCCallbackContext, OIDCCallbackResult, OIDCIdPInfo
from driver.deadline import Deadline
from driver.engine.authenticate import Send
from driver.engine.oidc_environments import token_of
from driver.errors import OperationFailure, OperationTimeout
from driver.runtime.base import Runtime, Waiter

AUTHENTICATION_FAILED = 18
MACHINE_TIMEOUT, HUMAN_TIMEOUT = 60.0, 300.0
MIN_INTERVAL = 0.1
"""Seconds from one call of the callback to the next, at least."""


class Tokens:
    """One client's token. While it is fetched, by one caller at a time, the others wait for it."""

    def __init__(
        self, credentials: Credentials, runtime: Runtime, connect_timeout: float | None
    ) -> None:
        properties = credentials.mechanism_properties
        self.username = credentials.username
        self.human = "OIDC_HUMAN_CALLBACK" in properties
        self.allowed_hosts = properties.get("ALLOWED_HOSTS", ALLOWED_HOSTS) if self.human else None
        self.cached: str | None = None
        self.refresh_token: str | None = None
        self.idp_info: OIDCIdPInfo | None = None
        self._properties = properties
        self._runtime = runtime
        self._connect_timeout = connect_timeout
        self._lock = runtime.lock()
        self._fetching = False
        self._waiting: list[Waiter] = []
        self._may_call_at = runtime.now()

    def invalidate(self, token: str | None) -> None:
        """Forget that token, unless there is a newer one."""
        with self._lock:
            if self.cached == token:
                self.cached = None

    async def fetch(
        self,
        deadline: Deadline | None,
        idp: OIDCIdPInfo | None = None,
        refresh_token: str | None = None,
    ) -> tuple[str, bool]:
        """The cached token, else a new one; and whether it is new."""
        timeout = self._timeout(deadline)
        while True:
            with self._lock:
                if self.cached is not None:
                    return self.cached, False
                if not self._fetching:
                    self._fetching = True
                    break
                waiter = self._runtime.waiter()
                self._waiting.append(waiter)
            if not await waiter.wait(timeout):
                raise OperationTimeout("no access token came in time from the OIDC callback")
        result: OIDCCallbackResult | None = None
        try:
            context = OIDCCallbackContext(timeout, self.username, 1, refresh_token, idp)
            result = await self._call(context)
            return result.access_token, True
        finally:
            with self._lock:
                if result is not None:
                    self.cached = result.access_token
                    self.refresh_token, self.idp_info = result.refresh_token, idp
                self._fetching = False
                waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                waiter.set()

    async def _call(self, context: OIDCCallbackContext) -> OIDCCallbackResult:
        pause = self._may_call_at - self._runtime.now()
        if pause > 0:
            await self._runtime.waiter().wait(pause)
        self._may_call_at = self._runtime.now() + MIN_INTERVAL
        environment = self._properties.get("ENVIRONMENT")
        if environment is not None:
            resource = self._properties.get("TOKEN_RESOURCE", "")
            return await token_of(environment, resource, context, self._runtime)
        callback = self._properties["OIDC_HUMAN_CALLBACK" if self.human else "OIDC_CALLBACK"]
        try:
            result = await self._runtime.call(callback.fetch, context)
        except Exception as error:
            raise failure(f"the OIDC callback raised {type(error).__name__}") from error
        return checked(result)

    def _timeout(self, deadline: Deadline | None) -> float:
        if self.human:
            return HUMAN_TIMEOUT
        if deadline is None:
            return MACHINE_TIMEOUT
        left = max(0.0, deadline.left(self._runtime.now()))
        return min(left, self._connect_timeout or MACHINE_TIMEOUT)


class TokenAuthenticator:
    """Shows a client's token on one connection, and remembers which one that was."""

    def __init__(self, tokens: Tokens, host: str) -> None:
        """Raise ConfigurationError where no token may go to that host."""
        if tokens.allowed_hosts is not None:
            require_allowed(host, tokens.allowed_hosts)
        self._tokens = tokens
        self._shown: str | None = None

    def hello_fields(self) -> Document:
        """The cached token, if there is one."""
        self._shown = self._tokens.cached
        if self._shown is None:
            return {}
        return {"speculativeAuthenticate": speculative(self._shown)}

    async def after_hello(
        self, hello: Mapping[str, Any], send: Send, deadline: Deadline | None
    ) -> None:
        """Authenticate, unless the token in hello has done that."""
        answer = hello.get("speculativeAuthenticate")
        if self._shown is None or not isinstance(answer, Mapping) or not answer.get("done"):
            await self._authenticate(send, deadline)

    async def again(self, send: Send, deadline: Deadline | None) -> None:
        """Authenticate with a token newer than the one that was good until now."""
        self._tokens.invalidate(self._shown)
        await self._authenticate(send, deadline)

    async def _authenticate(self, send: Send, deadline: Deadline | None) -> None:
        if self._tokens.human:
            await self._as_human(send, deadline)
        else:
            await self._as_machine(send, deadline)

    async def _as_machine(self, send: Send, deadline: Deadline | None) -> None:
        """By the cached token, else by a new one."""
        self._shown, is_new = await self._tokens.fetch(deadline)
        if not is_new:
            if await self._is_accepted(self._shown, send):
                return
            self._shown, _ = await self._tokens.fetch(deadline)
        require_done(await send(one_step(self._shown)))

    async def _as_human(self, send: Send, deadline: Deadline | None) -> None:
        """By the cached token, else by one for the refresh token, else by one for the user."""
        tokens = self._tokens
        if tokens.cached is not None and await self._is_accepted(tokens.cached, send):
            return
        if tokens.refresh_token is not None:
            token, _ = await tokens.fetch(deadline, tokens.idp_info, tokens.refresh_token)
            if await self._is_accepted(token, send):
                return
            tokens.refresh_token = None
        reply = await send(two_step(tokens.username))
        self._shown, _ = await tokens.fetch(deadline, idp_info(reply))
        require_done(await send(second_step(reply, self._shown)))

    async def _is_accepted(self, token: str, send: Send) -> bool:
        self._shown = token
        try:
            require_done(await send(one_step(token)))
        except OperationFailure as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            self._tokens.invalidate(token)
            return False
        return True
