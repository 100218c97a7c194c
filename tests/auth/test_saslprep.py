from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver.auth.saslprep import saslprep
from driver.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),  # the examples of RFC 4013, section 3
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b\u2003c", "a b c"),
        ("\u0627\u0661\u0628", "\u0627\u0661\u0628"),
        ("", ""),
    ],
)
def test_texts_with_one_meaning_become_one(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared


@pytest.mark.parametrize(
    "text",
    [
        "s3cret\x07",
        "s3cret\x7f",
        "s3cret\u06dd",
        "s3cret\ue000",
        "s3cret\ufdd0",
        "s3cret" + chr(0xD800),
        "s3cret\ufffd",
        "s3cret\u2ff0",
        "s3cret\u200e",
        "s3cret\U000e0041",
        "s3cret\U0001f600",  # unassigned in Unicode 3.2
        "\u06271",  # right to left, but does not end so
        "\u0627s3cret\u0628",
    ],
)
def test_prohibited_texts_are_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        saslprep(text)
    assert "s3cret" not in str(caught.value)


@given(st.text())
def test_preparing_twice_changes_nothing(text: str) -> None:
    try:
        prepared = saslprep(text)
    except ConfigurationError:
        return
    assert saslprep(prepared) == prepared
