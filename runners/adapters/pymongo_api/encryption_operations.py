"""Operations on a ClientEncryption, by the unified format's names."""

from __future__ import annotations

from typing import Any

from runners.adapters.pymongo_api import results
from runners.adapters.pymongo_api.arguments import keywords, table
from runners.adapters.pymongo_api.operation import Call, Operation, operation, returns, yields


async def _with_options(call: Call) -> Any:
    """A method that takes the options of the format one by one."""
    name = f"{call.name}.opts"
    parameters = call.operation.parameters(call.binding, call.entity.kind)
    options = keywords(name, parameters, table(call.values.get("opts", {}), name))
    return await call.method(**call.keywords("opts"), **options)


async def _rewrap(call: Call) -> Any:
    written = (await _with_options(call)).bulk_write_result
    return {} if written is None else {"bulkWriteResult": results.bulk_write(written)}


OPERATIONS: dict[str, Operation] = {
    "addKeyAltName": returns("add_key_alt_name", "id", "keyAltName"),
    "createDataKey": operation(
        _with_options, "kmsProvider", method="create_data_key", own=("opts",)
    ),
    "decrypt": returns("decrypt", "value"),
    "deleteKey": returns("delete_key", "id", result=results.delete),
    "encrypt": operation(_with_options, "value", method="encrypt", own=("opts",)),
    "getKey": returns("get_key", "id"),
    "getKeyByAltName": returns("get_key_by_alt_name", "keyAltName"),
    "getKeys": yields("get_keys"),
    "removeKeyAltName": returns("remove_key_alt_name", "id", "keyAltName"),
    "rewrapManyDataKey": operation(_rewrap, "filter", method="rewrap_many_data_key", own=("opts",)),
}
