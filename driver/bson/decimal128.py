"""Decimal128 (bson-decimal128): IEEE 754-2008 decimals of 34 digits, binary integer coding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import (
    Context,
    Decimal,
    DecimalException,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Any

_DIGITS = 34
_BIAS = 6176
_MAX_COEFFICIENT = 10**_DIGITS - 1
_LOW_MASK = (1 << 64) - 1

_SIGN = 1 << 63
_SPECIAL = 0b11 << 61  # set in infinities, NaNs and the form whose coefficient is too large
_INFINITY = 0b11110 << 58
_NAN = 0b11111 << 58
_SIGNALLING = 1 << 57

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_NAMED = re.compile(r"[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE)


def create_decimal128_context() -> Context:
    """The decimal context in which arithmetic stays exact within Decimal128's range."""
    return Context(
        prec=_DIGITS,
        Emin=-6143,
        Emax=6144,
        capitals=1,
        clamp=1,
        traps=[InvalidOperation, Overflow, Inexact],
    )


class Decimal128:
    """A decimal of up to 34 digits; immutable, without arithmetic: see `to_decimal`."""

    __slots__ = ("_high", "_low")

    _high: int
    _low: int

    def __init__(self, value: str | Decimal | Decimal128 | Sequence[int]) -> None:
        """From text, a Decimal, or the (high, low) 64-bit halves of its bits.

        Raises ValueError if the text is not a number, or the value needs more digits or another
        exponent than Decimal128 has.
        """
        if isinstance(value, str):
            high, low = _encode(_parse(value))
        elif isinstance(value, Decimal):
            high, low = _encode(_fit(value))
        elif isinstance(value, Decimal128):
            high, low = value._high, value._low
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            high, low = value
            if not (0 <= high <= _LOW_MASK and 0 <= low <= _LOW_MASK):
                raise ValueError(f"the halves of a Decimal128 have 64 bits each, not {value}")
        else:
            raise TypeError(f"Decimal128 takes str, Decimal or (high, low), not {value!r}")
        self._high = high
        self._low = low

    @classmethod
    def from_bid(cls, value: bytes) -> Decimal128:
        """From the 16 bytes that BSON has; ValueError for another length."""
        if len(value) != 16:
            raise ValueError(f"a Decimal128 has 16 bytes, not {len(value)}")
        return cls((int.from_bytes(value[8:], "little"), int.from_bytes(value[:8], "little")))

    @property
    def bid(self) -> bytes:
        """The 16 bytes that BSON has."""
        return self._low.to_bytes(8, "little") + self._high.to_bytes(8, "little")

    def to_decimal(self) -> Decimal:
        """The same number, digits and exponent; a NaN loses its payload."""
        high = self._high
        sign = high >> 63
        minus = "-" if sign else ""
        if high & _NAN == _NAN:
            return Decimal(minus + ("sNaN" if high & _SIGNALLING else "NaN"))
        if high & _NAN == _INFINITY:
            return Decimal(minus + "Infinity")
        if high & _SPECIAL == _SPECIAL:  # a coefficient beyond 34 digits counts as zero
            exponent, coefficient = (high >> 47) & 0x3FFF, 0
        else:
            exponent, coefficient = (
                (high >> 49) & 0x3FFF,
                (high & ((1 << 49) - 1)) << 64 | self._low,
            )
        if coefficient > _MAX_COEFFICIENT:
            coefficient = 0
        digits = tuple(map(int, str(coefficient)))
        return Decimal((sign, digits, exponent - _BIAS))

    def __str__(self) -> str:
        value = self.to_decimal()
        return "NaN" if value.is_nan() else str(value)

    def __repr__(self) -> str:
        return f"Decimal128('{self}')"

    def __reduce__(self) -> tuple[Any, ...]:
        return Decimal128, ((self._high, self._low),)

    def __eq__(self, other: object) -> bool:
        """Whether all bits are the same: 1.0 and 1.00 differ."""
        if not isinstance(other, Decimal128):
            return NotImplemented
        return (self._high, self._low) == (other._high, other._low)

    def __hash__(self) -> int:
        return hash((self._high, self._low))


def _parse(text: str) -> Decimal:
    # Decimal's own grammar is wider: payloads of NaNs, other scripts' digits.
    if not (_NUMBER.fullmatch(text) or _NAMED.fullmatch(text)):
        raise ValueError(f"{text[:80]!r} is not a decimal number")
    return _fit(text)


def _fit(value: str | Decimal) -> Decimal:
    try:
        return create_decimal128_context().create_decimal(value)
    except DecimalException as error:
        raise ValueError(
            f"{str(value)[:80]!r} is beyond Decimal128 ({_DIGITS} digits, exponents -6176 to 6111)"
        ) from error


def _encode(value: Decimal) -> tuple[int, int]:
    sign, digits, exponent = value.as_tuple()
    sign_bit = _SIGN if sign else 0
    if exponent == "F":
        return sign_bit | _INFINITY, 0
    if isinstance(exponent, str):
        if digits:
            raise ValueError("a Decimal128 NaN has no payload")
        return sign_bit | _NAN | (_SIGNALLING if exponent == "N" else 0), 0
    coefficient = int("".join(map(str, digits)))
    return sign_bit | (exponent + _BIAS) << 49 | coefficient >> 64, coefficient & _LOW_MASK
