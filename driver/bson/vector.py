"""Vectors of numbers in Binary subtype 9 (bson-binary-vector)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Self


class BinaryVectorDtype(Enum):
    """The type of a vector's elements; the value is the byte that stands for it."""

    INT8 = b"\x03"
    FLOAT32 = b"\x27"
    PACKED_BIT = b"\x10"


_FORMATS = {
    BinaryVectorDtype.INT8: "b",
    BinaryVectorDtype.FLOAT32: "f",
    BinaryVectorDtype.PACKED_BIT: "B",
}


@dataclass(frozen=True, slots=True)
class BinaryVector:
    """Numbers and how they are packed.

    `data`: ints in [-128, 127] for INT8, floats for FLOAT32, ints in [0, 255] of eight bits each
    for PACKED_BIT, of whose last one the `padding` (0 to 7) low bits do not count and are zero.
    Raises ValueError if the three contradict each other.
    """

    data: Sequence[float]
    dtype: BinaryVectorDtype
    padding: int = 0

    def __post_init__(self) -> None:
        if not self.padding:
            return
        if self.dtype is not BinaryVectorDtype.PACKED_BIT:
            raise ValueError(f"padding must be 0 for {self.dtype.name}, not {self.padding}")
        if not 0 <= self.padding <= 7:
            raise ValueError(f"padding must be 0 to 7, not {self.padding}")
        if len(self.data) == 0:
            raise ValueError(f"an empty vector has no padding, but it is {self.padding}")
        last = self.data[-1]
        if isinstance(last, int) and last & ((1 << self.padding) - 1):
            raise ValueError(f"the {self.padding} padding bits of the last byte must be zero")

    def pack(self) -> bytes:
        """The payload of a Binary of subtype 9; ValueError if a number does not fit the dtype."""
        layout = f"<{len(self.data)}{_FORMATS[self.dtype]}"
        try:
            packed = struct.pack(layout, *self.data)
        except (struct.error, OverflowError) as error:
            raise ValueError(f"not a vector of {self.dtype.name}: {error}") from None
        return self.dtype.value + bytes([self.padding]) + packed

    @classmethod
    def unpack(cls, payload: bytes) -> Self:
        """Read what `pack` wrote; ValueError if it is malformed."""
        if len(payload) < 2:
            raise ValueError("a vector begins with a dtype and a padding byte")
        dtype = BinaryVectorDtype(payload[:1])
        size = struct.calcsize(_FORMATS[dtype])
        length, rest = divmod(len(payload) - 2, size)
        if rest:
            raise ValueError(f"{len(payload) - 2} bytes do not hold {dtype.name} of {size} bytes")
        numbers = struct.unpack_from(f"<{length}{_FORMATS[dtype]}", payload, 2)
        return cls(list(numbers), dtype, payload[1])
