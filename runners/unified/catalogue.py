"""The operations that the format knows of each kind of entity: what they take and make.

Anything else in a file is a mistake of the file, while an operation which a driver's adapter does
not declare makes the case `unsupported`. Specs: unified-test-format, "Entity Test Operations",
and those of the APIs (CRUD, sessions, transactions, GridFS, index management …).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Arguments(NamedTuple):
    """The arguments of an operation; with `others`, any more go into the server's command."""

    required: frozenset[str]
    optional: frozenset[str]
    others: bool = False

    def knows(self, name: str) -> bool:
        """Whether the operation has such an argument."""
        return self.others or name in self.required or name in self.optional


def _takes(required: str = "", optional: str = "", *, others: bool = False) -> Arguments:
    everywhere = ("session", "timeoutMS")
    return Arguments(
        frozenset(required.split()), frozenset((*optional.split(), *everywhere)), others
    )


_COMMON: Final = "comment rawData"
_FIND_ONE: Final = (
    f"{_COMMON} allowPartialResults collation hint max maxTimeMS min projection readPreference "
    "returnKey showRecordId skip sort let"
)
_FIND: Final = (
    f"{_FIND_ONE} allowDiskUse batchSize cursorType limit maxAwaitTimeMS noCursorTimeout "
    "oplogReplay snapshot timeoutMode"
)
_AGGREGATE: Final = (
    f"{_COMMON} allowDiskUse batchSize bypassDocumentValidation collation cursorType hint let "
    "maxAwaitTimeMS maxTimeMS timeoutMode"
)
_WATCH: Final = (
    "batchSize collation comment fullDocument fullDocumentBeforeChange maxAwaitTimeMS resumeAfter "
    "showExpandedEvents startAfter startAtOperationTime"
)
_COUNT: Final = f"{_COMMON} collation hint limit maxTimeMS skip"
_DELETE: Final = f"{_COMMON} collation hint let writeConcern"
_WRITE: Final = f"{_COMMON} bypassDocumentValidation writeConcern"
_UPDATE: Final = f"{_WRITE} arrayFilters collation hint let sort upsert"
_FIND_AND_DELETE: Final = f"{_DELETE} maxTimeMS projection sort"
_FIND_AND_WRITE: Final = f"{_UPDATE} maxTimeMS projection returnDocument"
_LIST: Final = f"{_COMMON} authorizedCollections authorizedDatabases batchSize filter nameOnly"
_TRANSACTION: Final = "maxCommitTimeMS readConcern readPreference writeConcern"
_RUN_CURSOR: Final = "batchSize comment commandName cursorType maxTimeMS readPreference timeoutMode"
_CURSOR: Final = {
    "close": _takes(),
    "iterateOnce": _takes(),
    "iterateUntilDocumentOrError": _takes(),
}

OPERATIONS: Final[dict[str, dict[str, Arguments]]] = {
    "client": {
        "appendMetadata": _takes("driverInfoOptions"),
        "clientBulkWrite": _takes("models", f"{_WRITE} let ordered verboseResults"),
        "close": _takes(),
        "createChangeStream": _takes("pipeline", _WATCH),
        "dropDatabase": _takes("database", "comment writeConcern"),
        "listDatabaseNames": _takes("", _LIST),
        "listDatabaseObjects": _takes("", _LIST),
        "listDatabases": _takes("", _LIST),
        "watch": _takes("pipeline", _WATCH),
    },
    "database": {
        "aggregate": _takes("pipeline", _AGGREGATE),
        "createChangeStream": _takes("pipeline", _WATCH),
        "createCollection": _takes("collection", others=True),
        "createCommandCursor": _takes("command", _RUN_CURSOR),
        "dropCollection": _takes("collection", "comment encryptedFields writeConcern"),
        "listCollectionNames": _takes("", _LIST),
        "listCollectionObjects": _takes("", _LIST),
        "listCollections": _takes("", f"{_LIST} timeoutMode"),
        "modifyCollection": _takes("collection", others=True),
        "runCommand": _takes("command", "commandName readPreference"),
        "runCursorCommand": _takes("command", _RUN_CURSOR),
        "watch": _takes("pipeline", _WATCH),
    },
    "collection": {
        "aggregate": _takes("pipeline", _AGGREGATE),
        "bulkWrite": _takes("requests", f"{_WRITE} let ordered"),
        "count": _takes("filter", _COUNT),
        "countDocuments": _takes("filter", _COUNT),
        "createChangeStream": _takes("pipeline", _WATCH),
        "createFindCursor": _takes("filter", _FIND),
        "createIndex": _takes("keys", others=True),
        "createSearchIndex": _takes("model"),
        "createSearchIndexes": _takes("models"),
        "deleteMany": _takes("filter", _DELETE),
        "deleteOne": _takes("filter", _DELETE),
        "distinct": _takes("fieldName filter", f"{_COMMON} collation hint maxTimeMS"),
        "drop": _takes("", f"{_COMMON} encryptedFields writeConcern"),
        "dropIndex": _takes("name", f"{_COMMON} maxTimeMS writeConcern"),
        "dropIndexes": _takes("", f"{_COMMON} maxTimeMS writeConcern"),
        "dropSearchIndex": _takes("name"),
        "estimatedDocumentCount": _takes("", f"{_COMMON} maxTimeMS"),
        "find": _takes("filter", _FIND),
        "findOne": _takes("filter", _FIND_ONE),
        "findOneAndDelete": _takes("filter", _FIND_AND_DELETE),
        "findOneAndReplace": _takes("filter replacement", _FIND_AND_WRITE),
        "findOneAndUpdate": _takes("filter update", _FIND_AND_WRITE),
        "insertMany": _takes("documents", f"{_WRITE} ordered"),
        "insertOne": _takes("document", _WRITE),
        "listIndexNames": _takes("", f"{_COMMON} batchSize"),
        "listIndexes": _takes("", f"{_COMMON} batchSize timeoutMode"),
        "listSearchIndexes": _takes("", "aggregationOptions name"),
        "mapReduce": _takes("map out reduce", others=True),
        "rename": _takes("to", f"{_COMMON} dropTarget writeConcern"),
        "replaceOne": _takes("filter replacement", _UPDATE),
        "updateMany": _takes("filter update", _UPDATE),
        "updateOne": _takes("filter update", _UPDATE),
        "updateSearchIndex": _takes("definition name"),
        "watch": _takes("pipeline", _WATCH),
    },
    "session": {
        "abortTransaction": _takes(),
        "advanceClusterTime": _takes("clusterTime"),
        "advanceOperationTime": _takes("operationTime"),
        "commitTransaction": _takes(),
        "endSession": _takes(),
        "getSnapshotTime": _takes(),
        "startTransaction": _takes("", _TRANSACTION),
        "withTransaction": _takes("callback", _TRANSACTION),
    },
    "bucket": {
        "delete": _takes("id"),
        "deleteByName": _takes("filename"),
        "download": _takes("id"),
        "downloadByName": _takes("filename", "revision"),
        "drop": _takes(),
        "find": _takes("filter", _FIND),
        "rename": _takes("id newFilename"),
        "renameByName": _takes("filename newFilename"),
        "upload": _takes("filename source", "chunkSizeBytes contentType disableMD5 metadata"),
        "uploadWithId": _takes(
            "filename id source", "chunkSizeBytes contentType disableMD5 metadata"
        ),
    },
    "clientEncryption": {
        "addKeyAltName": _takes("id keyAltName"),
        "createDataKey": _takes("kmsProvider", "opts"),
        "decrypt": _takes("value"),
        "deleteKey": _takes("id"),
        "encrypt": _takes("opts value"),
        "getKey": _takes("id"),
        "getKeyByAltName": _takes("keyAltName"),
        "getKeys": _takes(),
        "removeKeyAltName": _takes("id keyAltName"),
        "rewrapManyDataKey": _takes("filter", "opts"),
    },
    "cursor": _CURSOR,
    "changeStream": _CURSOR,
}

MADE: Final[dict[str, str]] = {
    "createFindCursor": "cursor",
    "createCommandCursor": "cursor",
    "createChangeStream": "changeStream",
    "createCollection": "collection",
}
"""Operations whose result is an object of the driver, and its kind: the adapter keeps it."""

VALUES: Final = frozenset({"distinct"})
"""Operations that return an array of values rather than an iterable's root-level documents."""

CREATED: Final = frozenset(
    {"client", "clientEncryption", "database", "collection", "session", "bucket"}
)
"""The kinds of entity that an adapter creates."""

OWNERS: Final[dict[str, tuple[str, str]]] = {
    "database": ("client", "client"),
    "collection": ("database", "database"),
    "session": ("client", "client"),
    "bucket": ("database", "database"),
}
"""By kind of entity, the field that names the entity it is made from, and the kind of that."""
