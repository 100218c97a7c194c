"""Whether an adapter's process obeys the protocol, step by step: `mongospec adapter check`.

The steps need no server: clients are pointed at a port where nobody listens, so that operations
fail when server selection gives up.
"""

from __future__ import annotations

import queue
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple, NoReturn

from runners.adapters import messages
from runners.adapters.base import AdapterError, DriverInfo, Reply, Unsupported
from runners.adapters.conversation import Broken, Call, Conversation, Limits
from runners.adapters.vocabulary import KNOWN, is_known
from runners.hints import did_you_mean
from runners.model import Json, JsonObject

SOON_MS: Final = 200
LATER_MS: Final = 2000
"""Server selection timeouts of the clients."""
EVENT_SECONDS: Final = 10.0
_FIND: Final = "operation.collection.find"
_EARLY_EVENTS: Final = (
    *("topologyOpeningEvent", "poolCreatedEvent", "serverHeartbeatStartedEvent"),
    *("topologyDescriptionChangedEvent", "serverDescriptionChangedEvent"),
)


class Disobeys(Exception):
    """A step was not passed: what the adapter did, and what it should have done."""


class Finding(NamedTuple):
    """What came of a step: `problem` where it was not passed, `lacking` where it does not apply."""

    title: str
    problem: str = ""
    lacking: str = ""


class Trial:
    """An adapter on trial; a process that breaks is followed by a fresh one."""

    def __init__(self, command: Sequence[str], address: str, limits: Limits) -> None:
        self._command = command
        self._limits = limits
        self._address = address
        self.events: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self.conversation = self._start()
        self.info: DriverInfo | None = None

    def fresh(self) -> Conversation:
        """A process that was opened; the present one, unless that broke."""
        if self.conversation.over:
            self.conversation = self._start()
            self.open()
        return self.conversation

    def _start(self) -> Conversation:
        return Conversation(self._command, self._publish, self._limits)

    def _publish(self, client: str, name: str, _: JsonObject) -> None:
        self.events.put((client, name))

    def open(self) -> DriverInfo:
        """Open the process."""
        answer = self.conversation.call("open", protocol=messages.PROTOCOL)
        self.info = messages.info(answer["result"])
        return self.info

    def create(self, kind: str, entity: str, **spec: Json) -> None:
        """Create an entity."""
        self.fresh().call("create", kind=kind, entity=entity, spec={"id": entity, **spec})

    def collection(self, name: str, patience: int, **client: Json) -> str:
        """A client that gives up after `patience` ms, and a collection of it."""
        uri = f"mongodb://{self._address}/?serverSelectionTimeoutMS={patience}"
        self.create("client", f"{name}.client", uri=uri, **client)
        self.create("database", f"{name}.db", client=f"{name}.client", databaseName="test")
        self.create("collection", name, database=f"{name}.db", collectionName="things")
        return name

    def find(self, collection: str, **arguments: Json) -> Call:
        """Begin a find."""
        return self.fresh().begin(
            "run", entity=collection, operation="find", arguments={"filter": {}, **arguments}
        )

    def refused(self, name: str, /, **fields: Json) -> AdapterError | None:
        """Make a call that the adapter has to refuse: how it did, None where it did not."""
        try:
            self.fresh().call(name, **fields)
        except Broken:
            raise
        except AdapterError as error:
            return error
        return None


def _open(trial: Trial) -> None:
    info = trial.open()
    for field in ("version", "language"):
        if not getattr(info, field):
            raise Disobeys(f"`{field}` should say something")


def _names(trial: Trial) -> None:
    capabilities = trial.info.capabilities if trial.info else ()
    unknown = sorted(name for name in capabilities if not is_known(name))
    if unknown:
        hint = did_you_mean(unknown[0], KNOWN)
        more = f", and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise Disobeys(f"nothing asks for the capability {unknown[0]!r} ({hint}){more}")


def _ping(trial: Trial) -> None:
    trial.fresh().call("ping")


def _create(trial: Trial) -> None:
    trial.collection("made", SOON_MS)


def _refuses_unknown_entities(trial: Trial) -> None:
    refusal = trial.refused("run", entity="nobody", operation="find", arguments={"filter": {}})
    if refusal is None or isinstance(refusal, Unsupported):
        _wrong(refusal, "an operation on an entity that does not exist", "`broken`")
    trial.fresh().call("ping")


def _refuses_unknown_kinds(trial: Trial) -> None:
    refusal = trial.refused("create", kind="teapot", entity="pot", spec={"id": "pot"})
    _unsupported(refusal, "an entity of an unknown kind", "entity.teapot")


def _refuses_unknown_operations(trial: Trial) -> None:
    name = trial.collection("unknownOperation", SOON_MS)
    refusal = trial.refused("run", entity=name, operation="brew", arguments={})
    _unsupported(refusal, "an unknown operation", "operation.collection.brew")


def _refuses_unknown_arguments(trial: Trial) -> None:
    name = trial.collection("unknownArgument", SOON_MS)
    arguments: JsonObject = {"filter": {}, "sugar": 2}
    refusal = trial.refused("run", entity=name, operation="find", arguments=arguments)
    _unsupported(refusal, "an argument that it would ignore", f"{_FIND}.sugar")


def _refuses_unknown_logic(trial: Trial) -> None:
    refusal = trial.refused("logic", name="tea-leaves", arguments={})
    _unsupported(refusal, "an unknown question", "logic.tea-leaves")


def _unsupported(refusal: AdapterError | None, what: str, name: str) -> None:
    if not isinstance(refusal, Unsupported) or refusal.name != name:
        _wrong(refusal, what, f'`"unsupported": "{name}"`')


def _wrong(refusal: AdapterError | None, what: str, wanted: str) -> NoReturn:
    match refusal:
        case None:
            given = "was carried out"
        case Unsupported():
            given = f'was answered with `"unsupported": "{refusal.name}"`'
        case _:
            given = f"was answered with `broken`: {refusal}"
    raise Disobeys(f"{what} {given}; the answer should be {wanted}")


def _reports_errors(trial: Trial) -> None:
    reply = _reply(trial.find(trial.collection("failing", SOON_MS)))
    if reply.error is None:
        raise Disobeys("a find without a server gave a result; it should give an `error`")
    if not reply.error.client_error or not reply.error.timeout:
        raise Disobeys(
            "the error of a server selection that gave up should have `clientError` and `timeout` "
            f"true, but is {messages.report_json(reply.error)}"
        )


def _listens_meanwhile(trial: Trial) -> None:
    find = trial.find(trial.collection("waiting", LATER_MS))
    trial.fresh().call("ping")
    early = find.inbox.empty()
    _reply(find)
    if not early:
        raise Disobeys("`ping` was answered only after the operation before it had ended")


def _runs_operations_at_once(trial: Trial) -> None:
    slow = trial.find(trial.collection("slow", LATER_MS))
    quick = trial.find(trial.collection("quick", SOON_MS))
    _reply(quick)
    early = slow.inbox.empty()
    _reply(slow)
    if not early:
        raise Disobeys("an operation began only after the one before it had ended")


def _publishes(trial: Trial) -> None:
    capabilities = trial.info.capabilities if trial.info else frozenset()
    wanted = [name for name in _EARLY_EVENTS if f"event.{name}" in capabilities][:1]
    if not wanted:
        raise Unsupported(" or ".join(f"event.{name}" for name in _EARLY_EVENTS))
    name = trial.collection("observed", SOON_MS, observeEvents=[*wanted])
    _reply(trial.find(name))
    try:
        client, event = trial.events.get(timeout=EVENT_SECONDS)
    except queue.Empty:
        raise Disobeys(f"a client that asks for {wanted[0]} published nothing") from None
    if (client, event) != (f"{name}.client", wanted[0]):
        raise Disobeys(f"{event} of {client!r} came, but {wanted[0]} of {name}.client was due")


def _resets(trial: Trial) -> None:
    name = trial.collection("forgotten", SOON_MS)
    trial.fresh().call("reset")
    refusal = trial.refused("run", entity=name, operation="find", arguments={"filter": {}})
    if refusal is None:
        raise Disobeys("an entity could be used after `reset`")
    trial.collection(name, SOON_MS)
    trial.fresh().call("reset")


def _ends(trial: Trial) -> None:
    trial.fresh().call("shutdown")
    status = trial.conversation.end()
    if status != 0:
        how = "did not end" if status is None else f"ended with status {status}"
        raise Disobeys(f"after `shutdown` the process {how}; it should end with status 0")


def _ends_with_its_input(trial: Trial) -> None:
    if trial.fresh().end() is None:
        raise Disobeys("the process did not end when its standard input did")


def _reply(call: Call) -> Reply:
    return messages.reply(call.answer(None))


STEPS: Final[Sequence[tuple[str, Callable[[Trial], None], str]]] = (
    ("answers `open`", _open, ""),
    ("declares capabilities that the harness knows", _names, ""),
    ("answers `ping`", _ping, ""),
    ("creates a client, a database and a collection without a server", _create, ""),
    ("refuses an entity that is not there, and lives on", _refuses_unknown_entities, ""),
    ("says by name that it lacks a kind of entity", _refuses_unknown_kinds, ""),
    ("says by name that it lacks an operation", _refuses_unknown_operations, ""),
    ("says by name that it lacks an argument", _refuses_unknown_arguments, _FIND),
    ("says by name that it lacks a question", _refuses_unknown_logic, ""),
    ("gives a driver's error as a value", _reports_errors, _FIND),
    ("answers `ping` while an operation runs", _listens_meanwhile, _FIND),
    ("runs operations at the same time", _runs_operations_at_once, _FIND),
    ("publishes the events that a client asks for", _publishes, _FIND),
    ("forgets all entities on `reset`", _resets, ""),
    ("ends on `shutdown`", _ends, ""),
    ("ends when its standard input does", _ends_with_its_input, ""),
)
"""A title, what is tried, and the capability without which that makes no sense."""


def findings(command: Sequence[str], limits: Limits | None = None) -> Iterator[Finding]:
    """Try an adapter; without a process that opens, there is just one finding."""
    with nobody() as address:
        try:
            trial = Trial(command, address, limits or Limits())
        except Broken as error:
            yield Finding("starts", str(error))
            return
        try:
            for title, step, capability in STEPS:
                yield _try(trial, title, step, capability)
                if trial.info is None:
                    return
        finally:
            trial.conversation.stop("is no longer needed")


def _try(trial: Trial, title: str, step: Callable[[Trial], None], capability: str) -> Finding:
    if capability and trial.info and capability not in trial.info.capabilities:
        return Finding(title, lacking=capability)
    try:
        step(trial)
    except Disobeys as error:
        return Finding(title, str(error))
    except Unsupported as error:
        return Finding(title, lacking=error.name)
    except AdapterError as error:
        return Finding(title, str(error))
    return Finding(title)


@contextmanager
def nobody() -> Iterator[str]:
    """An address that refuses connections for as long as the context lasts."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but not listening
        host, port = unused.getsockname()
        yield f"{host}:{port}"
