"""Operations on a collection, by the unified format's names (CRUD and index management specs)."""

from __future__ import annotations

from typing import Any

from runners.adapters.base import AdapterError
from runners.adapters.pymongo_api import results
from runners.adapters.pymongo_api.cursor_operations import WATCH, open_cursor, watch
from runners.adapters.pymongo_api.entity import Entity
from runners.adapters.pymongo_api.operation import Call, Operation, operation, returns, yields
from runners.adapters.pymongo_api.write_models import write_models

_COMMON = ("session", "comment", "rawData")
_UPDATE = (*_COMMON, "upsert", "collation", "hint", "let", "bypassDocumentValidation")
_DELETE = (*_COMMON, "collation", "hint", "let")
_FIND_AND_MODIFY = (*_DELETE, "projection", "sort", "maxTimeMS")
_FIND_AND_WRITE = (*_FIND_AND_MODIFY, "returnDocument", "upsert", "bypassDocumentValidation")
_COUNT = (*_COMMON, "filter", "skip", "limit", "collation", "hint", "maxTimeMS")
_FIND = (
    *_COMMON,
    *("filter", "projection", "sort", "skip", "limit", "batchSize", "collation", "hint", "let"),
    *("max", "min", "maxTimeMS", "returnKey", "showRecordId", "allowDiskUse", "cursorType"),
    *("noCursorTimeout", "allowPartialResults", "oplogReplay", "timeoutMode"),
)
_AGGREGATE = (
    *_COMMON,
    *("pipeline", "allowDiskUse", "batchSize", "bypassDocumentValidation", "collation", "hint"),
    *("let", "maxTimeMS", "maxAwaitTimeMS", "timeoutMode"),
)
_INDEX = (
    *("keys", "name", "unique", "sparse", "hidden", "expireAfterSeconds", "collation"),
    *("partialFilterExpression", "wildcardProjection", "background", "bits", "min", "max"),
    *("default_language", "language_override", "textIndexVersion", "weights", "version"),
    *("2dsphereIndexVersion", "commitQuorum", "maxTimeMS"),
)


async def _started_find(call: Call) -> Any:
    cursor = await call.method(**call.keywords("maxAwaitTimeMS"))
    if "maxAwaitTimeMS" in call.values:
        cursor = await call.invoke(cursor.max_await_time_ms, call.values["maxAwaitTimeMS"])
    return cursor


async def _find(call: Call) -> Any:
    return await call.collect(await _started_find(call))


async def _create_find_cursor(call: Call) -> Entity:
    """A find is sent on the first iteration, so what that gives is kept."""
    cursor = await _started_find(call)
    return open_cursor(cursor, await call.advance(cursor))


async def _bulk_write(call: Call) -> Any:
    requests = write_models(call.binding, call.values["requests"], f"{call.name}.requests")
    return results.bulk_write(await call.method(requests=requests, **call.keywords("requests")))


async def _list_index_names(call: Call) -> Any:
    return list(await call.method(**call.keywords()))


async def _map_reduce(call: Call) -> Any:
    """PyMongo's API left the helper out; the command is what it came down to."""
    command = {"mapReduce": call.target.name, **call.values}
    session = command.pop("session", None)
    if "filter" in command:
        command["query"] = command.pop("filter")
    reply = await call.invoke(
        call.target.database.command,
        command,
        read_preference=call.target.read_preference,
        session=session,
    )
    return reply.get("results", [])


async def _list_search_indexes(call: Call) -> Any:
    options = call.values.get("aggregationOptions", {})
    return await call.collect(await call.method(**call.keywords("aggregationOptions"), **options))


def _search_index(call: Call, model: Any) -> Any:
    if not isinstance(model, dict) or "definition" not in model:
        raise AdapterError(f"{call.name}: a search index needs `definition`, given was {model!r}")
    return call.binding.public("SearchIndexModel")(**model)


async def _create_search_index(call: Call) -> Any:
    return await call.method(model=_search_index(call, call.values["model"]))


async def _create_search_indexes(call: Call) -> Any:
    models = [_search_index(call, model) for model in call.values["models"]]
    return await call.method(models=models)


OPERATIONS: dict[str, Operation] = {
    "aggregate": yields("aggregate", *_AGGREGATE),
    "bulkWrite": operation(
        _bulk_write,
        *(*_COMMON, "ordered", "bypassDocumentValidation", "let"),
        method="bulk_write",
        own=("requests",),
    ),
    "count": returns("count", *_COUNT),
    "countDocuments": returns("count_documents", *_COUNT),
    "createChangeStream": operation(watch, *WATCH, method="watch"),
    "createFindCursor": operation(
        _create_find_cursor, *_FIND, method="find", own=("maxAwaitTimeMS",)
    ),
    "createIndex": returns("create_index", *_COMMON, *_INDEX),
    "deleteMany": returns("delete_many", "filter", *_DELETE, result=results.delete),
    "deleteOne": returns("delete_one", "filter", *_DELETE, result=results.delete),
    "distinct": returns(
        "distinct", *_COMMON, "fieldName=key", "filter", "collation", "hint", "maxTimeMS"
    ),
    "drop": returns("drop", *_COMMON),
    "dropIndex": returns("drop_index", *_COMMON, "name=index_or_name", "maxTimeMS"),
    "dropIndexes": returns("drop_indexes", *_COMMON, "maxTimeMS"),
    "estimatedDocumentCount": returns("estimated_document_count", *_COMMON, "maxTimeMS"),
    "find": operation(_find, *_FIND, method="find", own=("maxAwaitTimeMS",)),
    "findOne": returns("find_one", *_FIND),
    "findOneAndDelete": returns("find_one_and_delete", "filter", *_FIND_AND_MODIFY),
    "findOneAndReplace": returns("find_one_and_replace", "filter", "replacement", *_FIND_AND_WRITE),
    "findOneAndUpdate": returns(
        "find_one_and_update", "filter", "update", "arrayFilters", *_FIND_AND_WRITE
    ),
    "insertMany": returns(
        "insert_many",
        *(*_COMMON, "documents", "ordered", "bypassDocumentValidation"),
        result=results.insert_many,
    ),
    "insertOne": returns(
        "insert_one",
        *(*_COMMON, "document", "bypassDocumentValidation"),
        result=results.insert_one,
    ),
    "listIndexNames": operation(
        _list_index_names, *_COMMON, "batchSize", method="index_information"
    ),
    "listIndexes": yields("list_indexes", *_COMMON, "batchSize", "timeoutMode"),
    "mapReduce": operation(
        _map_reduce, *("map", "reduce", "out", "filter", "sort", "limit", "session")
    ),
    "rename": returns("rename", *_COMMON, "to=new_name", "dropTarget", result=results.nothing),
    "replaceOne": returns(
        "replace_one", "filter", "replacement", "sort", *_UPDATE, result=results.update
    ),
    "updateMany": returns(
        "update_many", "filter", "update", "arrayFilters", *_UPDATE, result=results.update
    ),
    "updateOne": returns(
        "update_one", "filter", "update", "arrayFilters", "sort", *_UPDATE, result=results.update
    ),
    "createSearchIndex": operation(
        _create_search_index, method="create_search_index", own=("model",)
    ),
    "createSearchIndexes": operation(
        _create_search_indexes, method="create_search_indexes", own=("models",)
    ),
    "dropSearchIndex": returns("drop_search_index", "name", *_COMMON),
    "listSearchIndexes": operation(
        _list_search_indexes, "name", method="list_search_indexes", own=("aggregationOptions",)
    ),
    "updateSearchIndex": returns("update_search_index", "name", "definition", *_COMMON),
}
