"""Documents that stay bytes until someone looks into them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, CodecOptions
from driver.bson.decoder import check_document, decode_shallow


class RawBSONDocument(Mapping[str, Any]):
    """A document as BSON bytes; a level is decoded when it is first read, and kept.

    Embedded documents are RawBSONDocuments, too. Encoding one copies its bytes.
    """

    __slots__ = ("_fields", "_options", "_raw")

    holds_bson: ClassVar[bool] = True

    def __init__(
        self, bson_bytes: bytes | bytearray | memoryview, options: CodecOptions | None = None
    ) -> None:
        """Raises InvalidBSON unless the bytes have a document's length and end.

        What is inside is checked when it is read. The document_class of `options` is ignored.
        """
        self._raw = bytes(bson_bytes)
        check_document(self._raw)
        self._options = options or DEFAULT_CODEC_OPTIONS
        self._fields: dict[str, Any] | None = None

    @property
    def raw(self) -> bytes:
        """The bytes."""
        return self._raw

    def _read(self) -> dict[str, Any]:
        if self._fields is None:
            self._fields = decode_shallow(self._raw, self._options, type(self))
        return self._fields

    def __getitem__(self, key: str) -> Any:
        return self._read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __eq__(self, other: object) -> bool:
        return self._raw == other._raw if isinstance(other, RawBSONDocument) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._raw)

    def __repr__(self) -> str:
        return f"RawBSONDocument({self._raw!r})"
