"""Making entities from the unified format's entity objects."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runners.adapters.base import AdapterError, EventSink, Unsupported
from runners.adapters.pymongo_api import spans
from runners.adapters.pymongo_api.arguments import (
    Converter,
    build,
    keywords,
    parameters_of,
    table,
    text,
)
from runners.adapters.pymongo_api.binding import ENCRYPTION, Binding
from runners.adapters.pymongo_api.driving import Driving, settle
from runners.adapters.pymongo_api.entity import Entity
from runners.adapters.pymongo_api.events import NAMES
from runners.adapters.pymongo_api.log_messages import COMPONENTS, LEVELS, LogCollector
from runners.adapters.pymongo_api.names import NameService
from runners.adapters.pymongo_api.observer import Observer, Wanted
from runners.model import Json, JsonObject

_OF_THE_HARNESS = frozenset({"id", "uriOptions", "useMultipleMongoses", "storeEventsAsEntities"})


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes entities; `find` gives an existing one of a kind by its id."""

    binding: Binding
    driving: Driving
    sink: EventSink
    logs: LogCollector
    convert: Converter
    find: Callable[[str, Json], Entity]
    faults: list[Exception]

    async def make(self, kind: str, entity_id: str, spec: JsonObject) -> Entity:
        """Make one entity; raises Unsupported for what the driver lacks."""
        if kind not in _MAKERS:
            raise Unsupported(f"entity.{kind}")
        make, known = _MAKERS[kind]
        for key in spec:
            if key not in known:
                raise Unsupported(f"entity.{kind}.{key}")
        return await make(self, entity_id, spec)

    def options(self, function: Any, spec: JsonObject, key: str, kind: str) -> dict[str, Any]:
        """The object at `key` of an entity object, as keywords of a function."""
        name = f"entity.{kind}.{key}"
        values = self.convert.all(table(spec.get(key, {}), name), name)
        return keywords(name, parameters_of(self.binding, function), values)


async def _client(to: Maker, entity_id: str, spec: JsonObject) -> Entity:
    options: dict[str, Any] = {}
    for option in table(spec.get("uriOptions", {}), "entity.client.uriOptions"):
        if not to.binding.knows_option(option):
            raise Unsupported(f"uriOption.{option}", "the driver ignores it")
    if "serverApi" in spec:
        values = table(spec["serverApi"], "serverApi")
        options["server_api"] = build(
            to.binding, to.binding.public("ServerApi"), values, "entity.client.serverApi"
        )
    if "observeTracingMessages" in spec:
        options.update(_tracing(to, entity_id, spec))
    observer = Observer(entity_id, _wanted(spec), to.binding, to.sink, to.faults)
    levels = _log_levels(spec)
    if levels:
        to.logs.start()
    uri = text(spec.get("uri"), "entity.client.uri")
    patience = spec.get("awaitMinPoolSizeMS", 0)
    observer.listening = not patience
    client = to.binding.classes["client"](uri, event_listeners=observer.listeners(), **options)
    try:
        if hasattr(type(client), "aconnect"):  # the client itself has a database of every name
            await client.aconnect()  # others begin to watch the deployment when they are made
        if isinstance(patience, int) and patience:
            await _await_pools(to, client, observer, uri, patience / 1000)
        if levels:
            to.logs.claim(to.binding.log_owner(client), entity_id, levels)
    except BaseException:
        await settle(client.close())
        raise
    return Entity("client", client, observer)


def _tracing(to: Maker, entity_id: str, spec: JsonObject) -> Mapping[str, Any]:
    if to.binding.tracing is None:
        raise Unsupported(f"event.{spans.SPAN}")
    wanted = table(spec["observeTracingMessages"], "entity.client.observeTracingMessages")
    provider = spans.provider(lambda span: to.sink(entity_id, spans.SPAN, span))
    return to.binding.tracing(provider, wanted.get("enableCommandPayload") is True)


def _wanted(spec: JsonObject) -> Wanted:
    events = _strings(spec, "observeEvents")
    for event in events - NAMES:
        raise Unsupported(f"event.{event}")
    return Wanted(
        events=events,
        ignored_commands=frozenset(
            name.lower() for name in _strings(spec, "ignoreCommandMonitoringEvents")
        ),
        sensitive_commands=bool(spec.get("observeSensitiveCommands", False)),
    )


def _strings(spec: JsonObject, key: str) -> frozenset[str]:
    values = spec.get(key, [])
    if not isinstance(values, list):
        raise AdapterError(f"entity.client.{key} should be an array, not {values!r}")
    return frozenset(text(value, f"entity.client.{key}") for value in values)


def _log_levels(spec: JsonObject) -> Mapping[str, str]:
    levels = table(spec.get("observeLogMessages", {}), "entity.client.observeLogMessages")
    for component, level in levels.items():
        if component not in COMPONENTS:
            raise Unsupported(f"log.{component}")
        if level not in LEVELS:
            raise AdapterError(f"there is no log level {level!r}")
    return {component: str(level) for component, level in levels.items()}


async def _await_pools(
    to: Maker, client: Any, observer: Observer, uri: str, seconds: float
) -> None:
    size = re.search(r"[?&;]minPoolSize=(\d+)", uri, re.IGNORECASE)
    data_bearing = {"Standalone", "Mongos", "RSPrimary", "RSSecondary", "LoadBalancer"}

    def addresses() -> list[str]:
        servers = to.binding.servers(to.binding.topology(client))
        return [server.address for server in servers if server.type in data_bearing]

    if size is not None and int(size[1]) > 0:
        least = int(size[1])
        if not await to.driving.offload(lambda: observer.await_pools(least, addresses, seconds)):
            raise AdapterError(
                f"client {observer.client}: its pools had no {least} connections (minPoolSize) "
                f"within {seconds} s (awaitMinPoolSizeMS)"
            )
    observer.listening = True


async def _database(to: Maker, _entity_id: str, spec: JsonObject) -> Entity:
    client = to.find("client", spec.get("client")).value
    options = to.options(client.get_database, spec, "databaseOptions", "database")
    name = text(spec.get("databaseName"), "entity.database.databaseName")
    return Entity("database", client.get_database(name, **options))


async def _collection(to: Maker, _entity_id: str, spec: JsonObject) -> Entity:
    database = to.find("database", spec.get("database")).value
    options = to.options(database.get_collection, spec, "collectionOptions", "collection")
    name = text(spec.get("collectionName"), "entity.collection.collectionName")
    return Entity("collection", database.get_collection(name, **options))


async def _session(to: Maker, _entity_id: str, spec: JsonObject) -> Entity:
    client = to.find("client", spec.get("client")).value
    options = to.options(client.start_session, spec, "sessionOptions", "session")
    return Entity("session", await settle(client.start_session(**options)))


async def _bucket(to: Maker, _entity_id: str, spec: JsonObject) -> Entity:
    database = to.find("database", spec.get("database")).value
    factory = to.binding.classes["bucket"]
    options = to.options(factory, spec, "bucketOptions", "bucket")
    return Entity("bucket", factory(database, **options))


async def _client_encryption(to: Maker, _entity_id: str, spec: JsonObject) -> Entity:
    if ENCRYPTION not in to.binding.classes:
        raise Unsupported("entity.clientEncryption", "its library is not installed")
    name = "entity.clientEncryption.clientEncryptionOpts"
    options = table(spec.get("clientEncryptionOpts"), name)
    client = to.find("client", options.get("keyVaultClient")).value
    values = {
        **to.convert.all(options, name),
        "keyVaultClient": client,
        "codecOptions": client.codec_options,
    }
    return Entity(ENCRYPTION, build(to.binding, to.binding.classes[ENCRYPTION], values, name))


async def _nameserver(_to: Maker, _entity_id: str, spec: JsonObject) -> Entity:
    return Entity("nameserver", NameService(text(spec.get("address"), "entity.nameserver.address")))


_Make = Callable[[Maker, str, JsonObject], Awaitable[Entity]]

_MAKERS: Mapping[str, tuple[_Make, frozenset[str]]] = {
    "client": (
        _client,
        _OF_THE_HARNESS
        | {"uri", "observeEvents", "observeLogMessages", "ignoreCommandMonitoringEvents"}
        | {"observeTracingMessages"}
        | {"observeSensitiveCommands", "serverApi", "awaitMinPoolSizeMS"},
    ),
    "database": (_database, frozenset({"id", "client", "databaseName", "databaseOptions"})),
    "collection": (
        _collection,
        frozenset({"id", "database", "collectionName", "collectionOptions"}),
    ),
    "session": (_session, frozenset({"id", "client", "sessionOptions"})),
    "nameserver": (_nameserver, frozenset({"id", "address"})),
    "bucket": (_bucket, frozenset({"id", "database", "bucketOptions"})),
    ENCRYPTION: (_client_encryption, frozenset({"id", "clientEncryptionOpts"})),
}
KINDS = frozenset(_MAKERS)
