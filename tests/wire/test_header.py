"""How long a frame may be: what a peer announces is not believed."""

from __future__ import annotations

import struct

import pytest

from driver.errors import ProtocolError
from driver.wire.header import frame_length

LIMIT = 48_000_000


def announced(length: int, *, before: bytes = b"") -> bytes:
    return before + struct.pack("<i", length)


@pytest.mark.parametrize("length", [16, 17, LIMIT])
def test_a_length_between_the_limits(length: int) -> None:
    assert frame_length(announced(length), 0, LIMIT) == length


@pytest.mark.parametrize("length", [15, 0, -1, -(2**31)])
def test_a_frame_is_never_shorter_than_its_header(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"cannot be {length} bytes"):
        frame_length(announced(length), 0, LIMIT)


@pytest.mark.parametrize("length", [LIMIT + 1, 2**31 - 1])
def test_a_frame_is_never_longer_than_the_limit(length: int) -> None:
    with pytest.raises(ProtocolError, match=f"{length} bytes; {LIMIT} is allowed"):
        frame_length(announced(length), 0, LIMIT)


def test_a_frame_may_begin_anywhere_in_a_buffer() -> None:
    assert frame_length(announced(99, before=b"\xff" * 7), 7, LIMIT) == 99
