"""Operations on a database, by the unified format's names."""

from __future__ import annotations

from typing import Any

from runners.adapters.base import AdapterError, Unsupported
from runners.adapters.pymongo_api import results
from runners.adapters.pymongo_api.cursor_operations import WATCH, open_cursor, watch
from runners.adapters.pymongo_api.entity import Entity
from runners.adapters.pymongo_api.operation import Call, Operation, operation, returns, yields

_COMMON = ("session", "comment", "rawData")
_LIST = (*_COMMON, "filter", "nameOnly", "authorizedCollections")
_CREATE_COLLECTION = (
    *("session", "comment", "capped", "size", "max", "validator", "validationLevel"),
    *("validationAction", "viewOn", "pipeline", "timeseries", "expireAfterSeconds"),
    *("clusteredIndex", "changeStreamPreAndPostImages", "encryptedFields", "collation"),
    *("indexOptionDefaults", "storageEngine", "writeConcern"),
)
_MODIFY_COLLECTION = (
    *("index", "validator", "validationLevel", "validationAction", "viewOn", "pipeline"),
    *("expireAfterSeconds", "timeseries", "changeStreamPreAndPostImages", "cappedSize"),
    *("cappedMax", "comment"),
)
_CURSOR_COMMAND = (
    *("command", "commandName", "batchSize", "cursorType", "maxTimeMS"),
    *("readPreference", "session", "comment"),
)


def _command(call: Call) -> dict[str, Any]:
    """The command with its name first, wherever the file has it."""
    command = dict(call.values["command"])
    name = call.values.get("commandName", next(iter(command), None))
    if name not in command:
        raise AdapterError(f"{call.name}: `command` has no key {name!r}, its name")
    return {name: command.pop(name), **command}


async def _run_command(call: Call) -> Any:
    named = call.keywords("command", "commandName")
    return await call.method(command=_command(call), **named)


async def _create_command_cursor(call: Call) -> Entity:
    own = ("command", "commandName", "batchSize", "cursorType", "maxTimeMS")
    named = call.keywords(*own)
    command = _command(call)
    kinds = call.binding.public("CursorType")
    kind = call.values.get("cursorType", kinds.NON_TAILABLE)
    if kind != kinds.NON_TAILABLE:
        command["tailable"] = True
    if kind == kinds.TAILABLE_AWAIT:
        command["awaitData"] = True
    if "maxTimeMS" in call.values:
        named["max_await_time_ms"] = call.values["maxTimeMS"]
    cursor = await call.method(command=command, **named)
    if "batchSize" in call.values:
        if not hasattr(cursor, "batch_size"):
            raise Unsupported(f"{call.name}.batchSize")
        cursor = await call.invoke(cursor.batch_size, call.values["batchSize"])
    return open_cursor(cursor, [])


async def _run_cursor_command(call: Call) -> Any:
    cursor = await _create_command_cursor(call)
    return await call.collect(cursor.value.driver)


async def _create_collection(call: Call) -> Entity:
    """Just `create`: helpers that first look whether the collection exists are told not to."""
    parameters = call.operation.parameters(call.binding, call.entity.kind)
    extra = {"check_exists": False} if "check_exists" in parameters.names else {}
    return Entity("collection", await call.method(**call.keywords(), **extra))


async def _modify_collection(call: Call) -> None:
    options = {name: value for name, value in call.values.items() if name != "collection"}
    session = options.pop("session", None)
    command = {"collMod": call.values["collection"], **options}
    await call.invoke(call.target.command, command, session=session)


async def _listed(call: Call) -> Any:
    """What a method gives that passes options on to listCollections, where batchSize is nested."""
    named = call.keywords("batchSize")
    if "batchSize" in call.values:
        named["cursor"] = {"batchSize": call.values["batchSize"]}
    return await call.method(**named)


async def _list_collections(call: Call) -> Any:
    return await call.collect(await _listed(call))


async def _list_collection_objects(call: Call) -> Any:
    """An object for each name is what the API has for this."""
    return [{"name": call.target.get_collection(name).name} for name in await _listed(call)]


OPERATIONS: dict[str, Operation] = {
    "aggregate": yields(
        "aggregate",
        *(*_COMMON, "pipeline", "allowDiskUse", "batchSize", "bypassDocumentValidation"),
        *("collation", "hint", "let", "maxTimeMS", "maxAwaitTimeMS", "timeoutMode"),
    ),
    "createChangeStream": operation(watch, *WATCH, method="watch"),
    "createCollection": operation(
        _create_collection, "collection=name", *_CREATE_COLLECTION, method="create_collection"
    ),
    "createCommandCursor": operation(
        _create_command_cursor,
        *("readPreference", "session", "comment", "timeoutMode"),
        method="cursor_command",
        own=("command", "commandName", "batchSize", "cursorType", "maxTimeMS"),
    ),
    "dropCollection": returns(
        "drop_collection",
        *("collection=name_or_collection", "session", "comment"),
        result=results.nothing,
    ),
    "listCollectionNames": operation(
        _listed, *_LIST, method="list_collection_names", own=("batchSize",)
    ),
    "listCollectionObjects": operation(
        _list_collection_objects, *_LIST, method="list_collection_names", own=("batchSize",)
    ),
    "listCollections": operation(
        _list_collections, *_LIST, "timeoutMode", method="list_collections", own=("batchSize",)
    ),
    "modifyCollection": operation(_modify_collection, "collection", "session", *_MODIFY_COLLECTION),
    "runCommand": operation(
        _run_command, "readPreference", "session", method="command", own=("command", "commandName")
    ),
    "runCursorCommand": operation(
        _run_cursor_command,
        *("readPreference", "session", "comment", "timeoutMode"),
        method="cursor_command",
        own=("command", "commandName", "batchSize", "cursorType", "maxTimeMS"),
    ),
}
