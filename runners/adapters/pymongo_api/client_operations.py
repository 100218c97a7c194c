"""Operations on a client, by the unified format's names, and what the harness asks of one."""

from __future__ import annotations

from typing import Any

from runners.adapters.pymongo_api import results
from runners.adapters.pymongo_api.cursor_operations import WATCH, watch
from runners.adapters.pymongo_api.operation import Call, Operation, operation, returns, yields
from runners.adapters.pymongo_api.write_models import write_models

_LIST = ("session", "comment", "filter", "nameOnly", "authorizedDatabases")


async def _bulk_write(call: Call) -> Any:
    models = write_models(call.binding, call.values["models"], f"{call.name}.models")
    return results.client_bulk_write(await call.method(models=models, **call.keywords("models")))


async def _list_database_objects(call: Call) -> Any:
    """An object for each name is what the API has for this."""
    names = await call.method(**call.keywords())
    return [{"name": call.target.get_database(name).name} for name in names]


async def _append_metadata(call: Call) -> None:
    info = call.binding.public("DriverInfo")(**call.values["driverInfoOptions"])
    await call.method(driver_info=info)


async def _topology_description(call: Call) -> Any:
    binding = call.binding
    topology = binding.topology(call.target)
    servers = [
        {"address": server.address, "type": server.type} for server in binding.servers(topology)
    ]
    return {"type": binding.topology_type(topology), "servers": servers}


async def _connections_checked_out(call: Call) -> int:
    if call.entity.observer is None:
        raise TypeError("a client entity has an observer")
    return call.entity.observer.checked_out


OPERATIONS: dict[str, Operation] = {
    "appendMetadata": operation(
        _append_metadata, method="append_metadata", own=("driverInfoOptions",)
    ),
    "clientBulkWrite": operation(
        _bulk_write,
        *("session", "ordered", "verboseResults", "bypassDocumentValidation", "comment", "let"),
        *("writeConcern", "rawData"),
        method="bulk_write",
        own=("models",),
    ),
    "close": returns("close"),
    "createChangeStream": operation(watch, *WATCH, method="watch"),
    "dropDatabase": returns(
        "drop_database",
        *("database=name_or_database", "session", "comment"),
        result=results.nothing,
    ),
    "listDatabaseNames": returns("list_database_names", *_LIST),
    "listDatabaseObjects": operation(_list_database_objects, *_LIST, method="list_database_names"),
    "listDatabases": yields("list_databases", *_LIST),
    "spec.topologyDescription": operation(_topology_description),
    "spec.connectionsCheckedOut": operation(_connections_checked_out),
}
