"""What tests of transactions share: the fields of their commands, errors, a mongos."""

from __future__ import annotations

from typing import Any

from tests.engine.scripted import ScriptedServer, hello_reply

TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
OVERLOADED = ("SystemOverloadedError", "RetryableError")


def fields(command: dict[str, Any]) -> dict[str, Any]:
    """What a command says of its transaction."""
    known = ("txnNumber", "autocommit", "startTransaction", "readConcern", "writeConcern")
    return {name: command[name] for name in known if name in command}


def begun(number: int = 1) -> dict[str, Any]:
    return {"txnNumber": number, "autocommit": False, "startTransaction": True}


def going_on(number: int = 1) -> dict[str, Any]:
    return {"txnNumber": number, "autocommit": False}


def mongos(script: Any = lambda _: {"ok": 1, "n": 1}) -> ScriptedServer:
    """One mongos of a sharded cluster, not yet entered."""
    said = hello_reply(msg="isdbgrid", logicalSessionTimeoutMinutes=30)
    return ScriptedServer(script=script, hello=lambda _: said)
