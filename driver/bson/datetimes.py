"""BSON datetimes: signed 64-bit milliseconds since the Unix epoch, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from driver.bson.codec_options import DEFAULT_CODEC_OPTIONS, CodecOptions, DatetimeConversion

_EPOCH = datetime(1970, 1, 1)
_EPOCH_AWARE = _EPOCH.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MIN_MILLIS = (datetime.min - _EPOCH) // _MILLISECOND
_MAX_MILLIS = (datetime.max - _EPOCH) // _MILLISECOND


def to_millis(value: datetime) -> int:
    """Milliseconds since the epoch, rounded down; a naive datetime is UTC."""
    if value.tzinfo is None or value.utcoffset() is None:
        since = value.replace(tzinfo=None) - _EPOCH
    else:
        since = value - _EPOCH_AWARE
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def from_millis(millis: int, options: CodecOptions) -> datetime | DatetimeMS:
    """What `options` want a BSON datetime to be; OverflowError if a datetime cannot hold it."""
    conversion = options.datetime_conversion
    if conversion is DatetimeConversion.DATETIME_MS:
        return DatetimeMS(millis)
    try:
        return _to_datetime(millis, options)
    except OverflowError:
        if conversion is DatetimeConversion.DATETIME:
            raise
    if conversion is DatetimeConversion.DATETIME_AUTO:
        return DatetimeMS(millis)
    return _clamped(millis, options)


def _to_datetime(millis: int, options: CodecOptions) -> datetime:
    try:
        since = timedelta(milliseconds=millis)
        if not options.tz_aware:
            return _EPOCH + since
        value = _EPOCH_AWARE + since
        return value if options.tzinfo is None else value.astimezone(options.tzinfo)
    except OverflowError:
        raise OverflowError(
            f"datetime cannot hold {millis} ms since the epoch; a datetime_conversion of "
            "DATETIME_AUTO, DATETIME_CLAMP or DATETIME_MS can"
        ) from None


def _clamped(millis: int, options: CodecOptions) -> datetime:
    nearest = min(max(millis, _MIN_MILLIS), _MAX_MILLIS)
    try:
        return _to_datetime(nearest, options)
    except OverflowError:  # the offset of options.tzinfo leaves the range
        limit = datetime.min if millis < 0 else _EPOCH + _MAX_MILLIS * _MILLISECOND
        return limit.replace(tzinfo=options.tzinfo)


@dataclass(frozen=True, slots=True, order=True, init=False)
class DatetimeMS:
    """Milliseconds since the epoch, for times that datetime cannot hold."""

    _value: int

    def __init__(self, value: int | datetime) -> None:
        """From milliseconds, or a datetime (naive: UTC); OverflowError beyond 64 bits."""
        millis = to_millis(value) if isinstance(value, datetime) else value
        if not isinstance(millis, int):
            raise TypeError(f"DatetimeMS takes an int or a datetime, not {type(value).__name__}")
        if not -(1 << 63) <= millis < 1 << 63:
            raise OverflowError(f"{millis} ms do not fit into 64 bits")
        object.__setattr__(self, "_value", int(millis))

    def __int__(self) -> int:
        return self._value

    def __repr__(self) -> str:
        return f"DatetimeMS({self._value})"

    def as_datetime(self, codec_options: CodecOptions = DEFAULT_CODEC_OPTIONS) -> datetime:
        """A datetime as the options want it; OverflowError if it cannot be one."""
        return _to_datetime(self._value, codec_options)
