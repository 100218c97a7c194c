"""Operations on a GridFS bucket, by the unified format's names."""

from __future__ import annotations

from typing import Any

from runners.adapters.base import AdapterError, Unsupported
from runners.adapters.pymongo_api.operation import Call, Operation, operation, returns


async def _download(call: Call) -> bytes:
    stream = await call.method(**call.keywords())
    return bytes(await call.invoke(stream.read))


async def _upload(call: Call) -> Any:
    if call.values.get("disableMD5", True) is not True:
        raise Unsupported(f"{call.name}.disableMD5", "the driver never computes one")
    return await call.method(
        source=_hex_bytes(call.values["source"], call.name), **call.keywords("source", "disableMD5")
    )


async def _find(call: Call) -> Any:
    """The driver gives open files; these are what can be told of them."""
    files = await call.collect(await call.method(**call.keywords()))
    return [{"_id": file._id, "filename": file.filename, "length": file.length} for file in files]


def _hex_bytes(source: Any, name: str) -> bytes:
    digits = source.get("$$hexBytes") if isinstance(source, dict) else None
    try:
        return bytes.fromhex(digits)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise AdapterError(
            f"{name}: `source` should be {{$$hexBytes: <pairs of hex digits>}}, not {source!r}"
        ) from None


OPERATIONS: dict[str, Operation] = {
    "delete": returns("delete", "id=file_id", "session"),
    "deleteByName": returns("delete_by_name", "filename", "session"),
    "download": operation(_download, "id=file_id", "session", method="open_download_stream"),
    "downloadByName": operation(
        _download, *("filename", "revision", "session"), method="open_download_stream_by_name"
    ),
    "drop": returns("drop", "session"),
    "find": operation(
        _find, "filter", "sort", "skip", "limit", "batchSize", "session", method="find"
    ),
    "rename": returns("rename", "id=file_id", "newFilename", "session"),
    "renameByName": returns("rename_by_name", "filename", "newFilename", "session"),
    "upload": operation(
        _upload,
        *("filename", "chunkSizeBytes", "metadata", "session"),
        method="upload_from_stream",
        own=("source", "disableMD5"),
    ),
    "uploadWithId": operation(
        _upload,
        *("id=file_id", "filename", "chunkSizeBytes", "metadata", "session"),
        method="upload_from_stream_with_id",
        own=("source", "disableMD5"),
    ),
}
