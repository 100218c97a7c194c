"""A case while it runs: its entities, what it has to clean up, and its way to the driver."""

from __future__ import annotations

import os
from typing import Final, NamedTuple

from runners.adapters.base import Adapter, ErrorReport
from runners.control import Control
from runners.model import DeploymentInfo, Json, JsonObject
from runners.unified import fields
from runners.unified.catalogue import CREATED, OWNERS
from runners.unified.entities import Client, Entities, Entity, Saved, Session, Thread, Worker
from runners.unified.events import EventRouter
from runners.unified.faults import CaseError, CaseFailed
from runners.unified.kms import with_credentials
from runners.unified.match import Path
from runners.unified.needs import runs
from runners.unified.uri import client_uri

_LSID: Final = "operation.session.spec.lsid"


class FailPoint(NamedTuple):
    """A fail point that was set; where `host` is None, on a server which the driver chose."""

    name: str
    host: str | None


class CaseState:
    """What the operations of one case share. It is the context of matching, too."""

    def __init__(
        self,
        adapter: Adapter,
        deployment: DeploymentInfo,
        control: Control,
        events: EventRouter,
        test: JsonObject,
    ) -> None:
        self._adapter: Adapter | None = adapter
        self.deployment = deployment
        self.control = control
        self.events = events
        self._test = test
        self.transactions = runs(test, "startTransaction", "withTransaction")
        self._recovers = runs(test, "failPoint", "targetedFailPoint")
        self.entities = Entities()
        self.fail_points: list[FailPoint] = []
        self.cluster_time: Json = None
        self._admins: set[str] = set()
        self.now: Path = ()
        """The place in the file that is being executed."""

    @property
    def adapter(self) -> Adapter:
        """The driver under test, as long as the case is not abandoned."""
        if self._adapter is None:
            raise CaseError("the case was given up", self.now)
        return self._adapter

    @property
    def abandoned(self) -> bool:
        """Whether the case was given up, so that its adapter is another's."""
        return self._adapter is None

    def abandon(self) -> Adapter:
        """Keep what still runs of the case from the adapter, and return that."""
        adapter, self._adapter = self.adapter, None
        return adapter

    def entity_value(self, name: str, path: Path) -> Json:
        """The BSON value saved under `name` (for $$matchesEntity)."""
        return self.entities.get_as(Saved, name, path).value

    def session_lsid(self, name: str, path: Path) -> JsonObject:
        """The logical session id of a session (for $$sessionLsid)."""
        lsid = self.entities.get_as(Session, name, path).lsid
        if lsid is None:
            raise CaseError(f"the adapter does not tell the lsid of {name!r}", path)
        return lsid

    def create(self, entity: JsonObject, path: Path) -> None:
        """Create an entity from the format's entity object."""
        kind, spec = fields.only_pair(entity, path)
        path = (*path, kind)
        name = fields.text(spec, "id", path)
        self.entities.check_free(name, path)
        if kind == "thread":
            self.entities.add(name, Thread(Worker(name)), path)
            return
        if kind not in CREATED:
            raise CaseError(f"there is no kind of entity {kind!r}", path)
        if kind in OWNERS:
            field, owner = OWNERS[kind]
            self.entities.check_kind(fields.text(spec, field, path), owner, (*path, field))
        match kind:
            case "client":
                self._create_client(name, spec, path)
            case "session":
                self._create_session(name, spec, path)
            case "clientEncryption":
                self._create_encryption(name, spec, path)
            case _:
                self.adapter.create(kind, name, spec)
                self.entities.add(name, Entity(kind), path)

    def _create_client(self, name: str, spec: JsonObject, path: Path) -> None:
        uri = client_uri(self.deployment, spec, recovers=self._recovers)
        self.entities.add(name, Client(self.events.attach(name)), path)
        self.adapter.create("client", name, {**spec, "uri": uri})

    def _create_encryption(self, name: str, spec: JsonObject, path: Path) -> None:
        options = fields.table(spec, "clientEncryptionOpts", path)
        path = (*path, "clientEncryptionOpts")
        vault = fields.text(options, "keyVaultClient", path)
        self.entities.check_kind(vault, "client", (*path, "keyVaultClient"))
        providers = with_credentials(
            fields.table(options, "kmsProviders", path), self._test, os.environ
        )
        given: JsonObject = {**options, "kmsProviders": providers}
        self.adapter.create("clientEncryption", name, {**spec, "clientEncryptionOpts": given})
        self.entities.add(name, Entity("clientEncryption"), path)

    def _create_session(self, name: str, spec: JsonObject, path: Path) -> None:
        self.adapter.create("session", name, self._with_snapshot_time(spec, path))
        lsid: Json = None
        if _LSID in self.adapter.info.capabilities:
            lsid = self.ask(name, "spec.lsid", path)
        self.entities.add(name, Session(lsid if isinstance(lsid, dict) else None), path)
        if self.cluster_time is not None:
            self.ask(name, "advanceClusterTime", path, {"clusterTime": self.cluster_time})

    def _with_snapshot_time(self, session: JsonObject, path: Path) -> JsonObject:
        """A file names the entity that holds a session's snapshotTime; the driver wants a time."""
        options = fields.table(session, "sessionOptions", path, {})
        if "snapshotTime" not in options:
            return session
        where = (*path, "sessionOptions")
        name = fields.text(options, "snapshotTime", where)
        time = self.entity_value(name, (*where, "snapshotTime"))
        return {**session, "sessionOptions": {**options, "snapshotTime": time}}

    def ask(
        self, entity: str, operation: str, path: Path, arguments: JsonObject | None = None
    ) -> Json:
        """The result of an operation which the harness itself needs; its error is the case's."""
        reply = self.adapter.run(entity, operation, arguments or {})
        if reply.error is not None:
            raise unexpected(reply.error, operation, path)
        return reply.result

    def admin(self, client: str, command: JsonObject, path: Path) -> Json:
        """Run a command on the admin database with a client entity, at the primary."""
        database = f"{client}:spec.admin"
        if database not in self._admins:
            spec: JsonObject = {"id": database, "client": client, "databaseName": "admin"}
            self.adapter.create("database", database, spec)
            self._admins.add(database)
        arguments: JsonObject = {
            "command": command,
            "commandName": next(iter(command), ""),
            "readPreference": {"mode": "primary"},
        }
        return self.ask(database, "runCommand", path, arguments)


def unexpected(error: ErrorReport, operation: str, path: Path) -> CaseFailed:
    """The failure of a case whose operation gave an error that nobody expects."""
    message = f"{operation} failed unexpectedly: {error.message}"
    return CaseFailed(message, path, None, report_json(error))


def report_json(error: ErrorReport) -> JsonObject:
    """An error as JSON, with what it has."""
    known: JsonObject = {"kind": error.kind, "message": error.message}
    if error.code is not None:
        known |= {"code": error.code, "codeName": error.code_name}
    if error.labels:
        known["labels"] = list(error.labels)
    return known
