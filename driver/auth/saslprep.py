"""SASLprep: one form of all ways to type a password (RFC 4013, a profile of RFC 3454)."""

from __future__ import annotations

import stringprep
from unicodedata import ucd_3_2_0

from driver.errors import ConfigurationError

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,  # unassigned in Unicode 3.2: refused in stored strings
)


def saslprep(text: str) -> str:
    """The prepared text; raises ConfigurationError (which does not repeat it) if there is none."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char
        for char in text
        if not stringprep.in_table_b1(char)
    )
    prepared = ucd_3_2_0.normalize("NFKC", mapped)
    if any(prohibited(char) for char in prepared for prohibited in _PROHIBITED):
        raise ConfigurationError("the password has a character that SASLprep (RFC 4013) prohibits")
    _check_direction(prepared)
    return prepared


def _check_direction(text: str) -> None:
    """Right-to-left text must begin and end so, and hold no left-to-right (RFC 3454, section 6)."""
    right_to_left = [stringprep.in_table_d1(char) for char in text]
    if not any(right_to_left):
        return
    if any(map(stringprep.in_table_d2, text)) or not (right_to_left[0] and right_to_left[-1]):
        raise ConfigurationError(
            "the password mixes directions of writing, which SASLprep (RFC 4013) prohibits"
        )
