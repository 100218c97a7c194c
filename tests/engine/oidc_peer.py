"""A server that lets in who shows a good token (MONGODB-OIDC), and callbacks that fetch them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from driver.auth_oidc import OIDCCallback, OIDCCallbackContext, OIDCCallbackResult
from driver.bson import decode, encode
from tests.engine.members import batch, failure
from tests.engine.scripted import Answer, ScriptedServer, hello_reply

ISSUER = {"issuer": "https://issuer.test", "clientId": "abcd", "requestScopes": ["a", "b"]}


class OIDCPeer:
    """A primary, with a token for each user that it lets in; "" stands for clients without a name.

    `next` has answers to commands by name, each used once, as fail points would. `guesses` counts
    the hellos that came with a token; with `doubts`, those are not enough.
    """

    def __init__(
        self, *good: str, users: Mapping[str, str] | None = None, issuer: Any = ISSUER
    ) -> None:
        self.good = {*good, *(users or {}).values()}
        self.users = users
        self.issuer = issuer
        self.next: dict[str, list[Answer]] = defaultdict(list)
        self.guesses = 0
        self.doubts = False
        self.server = ScriptedServer(self._script, self._hello)

    def _hello(self, command: dict[str, Any]) -> Answer:
        said = hello_reply(setName="rs", hosts=["rs:1"], me="rs:1", logicalSessionTimeoutMinutes=30)
        guess = command.get("speculativeAuthenticate")
        if guess is not None:
            self.guesses += 1
            assert guess["db"] == "$external"
            if decode(guess["payload"])["jwt"] in self.good:
                said["speculativeAuthenticate"] = {**_done(), "done": not self.doubts}
        return said

    def _script(self, command: dict[str, Any]) -> Answer:
        name = next(iter(command))
        if self.next[name]:
            return self.next[name].pop(0)
        match name:
            case "saslStart":
                assert (command["mechanism"], command["$db"]) == ("MONGODB-OIDC", "$external")
                said = decode(command["payload"])
                return self._judge(said) if "jwt" in said else self._send_away(said)
            case "saslContinue":
                return self._judge(decode(command["payload"]))
            case "find":
                return batch(0, first=True)
        return {"ok": 1, "n": 1}

    def _judge(self, said: Mapping[str, Any]) -> Answer:
        return {"ok": 1, **_done()} if said["jwt"] in self.good else failure(18)

    def _send_away(self, said: Mapping[str, Any]) -> Answer:
        """Where the user can get a token, if the user is known."""
        if self.users is not None and said.get("n", "") not in self.users:
            return failure(18)
        return {"ok": 1, **_done(), "done": False, "payload": encode(self.issuer)}


def _done() -> dict[str, Any]:
    return {"conversationId": 1, "done": True, "payload": b""}


class Tokens(OIDCCallback):
    """Gives these tokens, the last one for ever; `contexts` has what it was told each time."""

    def __init__(self, *tokens: str, refresh_token: str | None = None) -> None:
        self._tokens = list(tokens)
        self._refresh_token = refresh_token
        self.contexts: list[OIDCCallbackContext] = []

    def fetch(self, context: OIDCCallbackContext) -> OIDCCallbackResult:
        self.contexts.append(context)
        token = self._tokens.pop(0) if len(self._tokens) > 1 else self._tokens[0]
        return OIDCCallbackResult(token, refresh_token=self._refresh_token)


class AsyncTokens(Tokens):
    """The same, for asyncio."""

    async def fetch(self, context: OIDCCallbackContext) -> OIDCCallbackResult:  # type: ignore[override]
        return super().fetch(context)


class Gives(OIDCCallback):
    """Gives whatever it is."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def fetch(self, context: OIDCCallbackContext) -> Any:
        return self._result


def by(callback: Any, **options: Any) -> dict[str, Any]:
    """Options of a client that authenticates by that callback of a machine."""
    return _options({"OIDC_CALLBACK": callback}, options)


def by_human(callback: Any, properties: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Options of a client that authenticates by that callback of a human."""
    return _options({"OIDC_HUMAN_CALLBACK": callback, **(properties or {})}, options)


def by_environment(name: str, **options: Any) -> dict[str, Any]:
    """Options of a client that has its tokens of an environment."""
    return _options({"ENVIRONMENT": name}, options)


def _options(properties: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    return {
        "authMechanism": "MONGODB-OIDC",
        "authMechanismProperties": dict(properties),
        "retryReads": False,
        "serverSelectionTimeoutMS": 5000,
        **options,
    }


def tokens_of(client: Any) -> Any:
    """The client's cache."""
    return getattr(client, "_core_object", client)._core.topology._dialer._tokens
