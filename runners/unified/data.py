"""initialData and outcome: what collections hold before a test, and should hold after it.

Spec: unified-test-format, "collectionData" and "Executing a Test".
"""

from __future__ import annotations

from runners.model import Json, JsonObject, Topology
from runners.unified import fields
from runners.unified.faults import CaseError, CaseFailed
from runners.unified.match import Path
from runners.unified.needs import runs
from runners.unified.state import CaseState
from runners.unified.values import MalformedValue, exact

_ENCRYPTION_STATE = ("esc", "ecoc")
_SYSTEM_DATABASES = frozenset({"admin", "config", "local"})


def set_up(state: CaseState, file: JsonObject, test: JsonObject) -> None:
    """Make the collections hold what `initialData` says, by way of one server.

    Other collections that the file names are dropped: what an earlier file left in them must not
    decide this one's verdict.
    """
    host = state.deployment.routers[0]
    encrypted = _encrypts(file)
    declared, filled = _declared(file), _filled(file)
    for db, name in sorted(declared - filled):
        state.control.drop(db, name, host=host)
    for index, wanted in enumerate(fields.tables(file, "initialData", ())):
        path: Path = ("initialData", index)
        db, name = _namespace(wanted, path)
        documents = [document for _, document in fields.items(wanted, "documents", path)]
        options = fields.table(wanted, "createOptions", path, {})
        state.control.drop(db, name, host=host)
        for suffix in _ENCRYPTION_STATE if encrypted else ():
            state.control.drop(db, f"enxcol_.{name}.{suffix}", host=host)
        if options or not documents:
            state.control.create(db, name, options, host=host)
        if documents:
            state.control.insert(db, name, documents, host=host)
    if state.deployment.topology is Topology.REPLICA_SET and (declared or filled):
        # A majority has the data now, but a test may read at a member that is behind.
        state.control.await_replication(state.deployment.hosts)
    if state.deployment.routed and (state.transactions or _has_sessions(file)):
        # Another mongos might read at an earlier time than that of the data.
        state.cluster_time = state.control.cluster_time(host=host)
    if state.deployment.routed and state.transactions and runs(test, "distinct"):
        _refresh_routes(state, file)


def _has_sessions(file: JsonObject) -> bool:
    return any("session" in entity for entity in fields.tables(file, "createEntities", ()))


def check_outcome(state: CaseState, test: JsonObject, path: Path) -> None:
    """Raise CaseFailed unless the collections hold exactly what `outcome` says."""
    for index, wanted in enumerate(fields.tables(test, "outcome", path)):
        where = (*path, "outcome", index)
        db, name = _namespace(wanted, where)
        documents = [document for _, document in fields.items(wanted, "documents", where)]
        _check_documents(documents, state.control.find_all(db, name), f"{db}.{name}", where)


def _check_documents(expected: list[Json], actual: list[Json], namespace: str, path: Path) -> None:
    path = (*path, "documents")
    for index, (want, got) in enumerate(zip(expected, actual, strict=False)):
        if not _equal(want, got, (*path, index)):
            message = f"document {index} of {namespace} differs"
            raise CaseFailed(message, (*path, index), want, got)
    if len(expected) != len(actual):
        message = f"{namespace} should have {len(expected)} documents, but has {len(actual)}"
        raise CaseFailed(message, path, expected, actual)


def _equal(expected: Json, actual: Json, path: Path) -> bool:
    try:
        wanted = exact(expected)
    except MalformedValue as error:
        raise CaseError(str(error), path) from None
    return wanted == exact(actual)


def _namespace(data: JsonObject, path: Path) -> tuple[str, str]:
    return fields.text(data, "databaseName", path), fields.text(data, "collectionName", path)


def _filled(file: JsonObject) -> set[tuple[str, str]]:
    """The collections of `initialData`."""
    tables = enumerate(fields.tables(file, "initialData", ()))
    return {_namespace(data, ("initialData", index)) for index, data in tables}


def _declared(file: JsonObject) -> set[tuple[str, str]]:
    """The collections among the entities that every test of the file starts with."""
    databases: dict[str, str] = {}
    found: set[tuple[str, str]] = set()
    for entity in fields.tables(file, "createEntities", ()):
        kind, body = next(iter(entity.items()), ("", None))
        if not isinstance(body, dict):
            continue
        if kind == "database":
            databases[str(body.get("id"))] = str(body.get("databaseName"))
        elif kind == "collection" and body.get("database") in databases:
            found.add((databases[str(body["database"])], str(body.get("collectionName"))))
    return {(db, name) for db, name in found if db not in _SYSTEM_DATABASES}


def _encrypts(file: JsonObject) -> bool:
    """Whether the file's collections may have encryption state beside them."""
    clients = (entity.get("client") for entity in fields.tables(file, "createEntities", ()))
    created = (data.get("createOptions") for data in fields.tables(file, "initialData", ()))
    return any(isinstance(each, dict) and "autoEncryptOpts" in each for each in clients) or any(
        isinstance(each, dict) and "encryptedFields" in each for each in created
    )


def _refresh_routes(state: CaseState, file: JsonObject) -> None:
    """Without this, a transaction's `distinct` could meet a shard with a stale version.

    Spec: "StaleDbVersion Errors on Sharded Clusters".
    """
    for index, data in enumerate(fields.tables(file, "initialData", ())):
        db, name = _namespace(data, ("initialData", index))
        for host in state.deployment.routers:
            command: JsonObject = {"distinct": name, "key": "_id", "query": {}}
            state.control.command(db, command, host=host)
