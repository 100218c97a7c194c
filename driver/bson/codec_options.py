"""How BSON becomes Python values, and the limits that both directions share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import tzinfo
from enum import IntEnum
from typing import Any

from driver.bson.binary import UuidRepresentation

MAX_DEPTH = 200
"""Levels of nesting (a document without children has one), as many as the server allows."""


class DatetimeConversion(IntEnum):
    """What a BSON datetime decodes to.

    `DATETIME`: always a datetime, InvalidBSON outside the years 1 to 9999; `DATETIME_CLAMP`: the
    nearest possible datetime; `DATETIME_MS`: always a DatetimeMS; `DATETIME_AUTO`: a datetime
    where possible, a DatetimeMS elsewhere.
    """

    DATETIME = 1
    DATETIME_CLAMP = 2
    DATETIME_MS = 3
    DATETIME_AUTO = 4


@dataclass(frozen=True, slots=True)
class CodecOptions:
    """Choices for encoding and decoding; raises ValueError if they contradict each other.

    `document_class`: what documents decode to; RawBSONDocument leaves them as bytes.
    `tz_aware`: datetimes are aware, in `tzinfo` (UTC if None), instead of naive in UTC.
    `unicode_decode_error_handler`: as for `bytes.decode`, for strings that are not UTF-8.
    """

    document_class: type[Any] = dict
    tz_aware: bool = False
    uuid_representation: UuidRepresentation = UuidRepresentation.UNSPECIFIED
    unicode_decode_error_handler: str = "strict"
    tzinfo: tzinfo | None = None
    datetime_conversion: DatetimeConversion = DatetimeConversion.DATETIME

    def __post_init__(self) -> None:
        if self.tzinfo is not None and not self.tz_aware:
            raise ValueError("tzinfo needs tz_aware=True")
        try:
            b"\xff".decode("utf-8", self.unicode_decode_error_handler)
        except UnicodeDecodeError:
            pass  # as "strict" shall do
        except (LookupError, TypeError) as error:
            raise ValueError(f"unicode_decode_error_handler: {error}") from None

    @property
    def raw(self) -> bool:
        """Whether documents stay bytes: document_class is RawBSONDocument or derives from it."""
        return getattr(self.document_class, "holds_bson", False)

    def with_options(self, **changes: Any) -> CodecOptions:
        """A copy with some options changed."""
        return replace(self, **changes)


DEFAULT_CODEC_OPTIONS = CodecOptions()
