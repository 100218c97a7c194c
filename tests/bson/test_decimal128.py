from __future__ import annotations

import copy
import pickle
from decimal import Decimal
from typing import Any

import pytest

from driver.bson import Decimal128


def test_forms_agree() -> None:
    value = Decimal128("-1.50")
    assert value == Decimal128(Decimal("-1.50")) == Decimal128(value)
    assert Decimal128.from_bid(value.bid) == value
    assert value.to_decimal().as_tuple() == Decimal("-1.50").as_tuple()
    assert Decimal128((0x303E000000000000, 150)) == Decimal128("15.0")
    assert repr(value) == "Decimal128('-1.50')"


def test_equality_is_of_bits() -> None:
    assert Decimal128("1.0") != Decimal128("1.00")
    assert Decimal128("1.0") != Decimal("1.0")
    assert len({Decimal128("1.0"), Decimal128("1.0"), Decimal128("1.00")}) == 2


def test_a_signalling_nan_survives() -> None:
    value = Decimal128(Decimal("-sNaN"))
    assert value.to_decimal().is_snan()
    assert Decimal128(value.to_decimal()) == value
    assert str(value) == "NaN"


def test_a_coefficient_beyond_34_digits_is_zero() -> None:
    largest = Decimal128("9" * 34)
    assert str(Decimal128((largest._high, largest._low + 1))) == "0"


def test_copies() -> None:
    value = Decimal128("0.1")
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("\u0661", id="digit of another script"),
        pytest.param("1_000", id="underscore"),
        pytest.param("NaN12", id="payload"),
        pytest.param("1\n", id="line end"),
        pytest.param("1" * 35, id="35 digits"),
        pytest.param("1E+6145", id="too large"),
        pytest.param("1E-6177", id="too small"),
        pytest.param("1E" + "9" * 5000, id="long exponent"),
    ],
)
def test_refused_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal number|beyond Decimal128") as caught:
        Decimal128(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (1, TypeError),
        (1.5, TypeError),
        ((1 << 64, 0), ValueError),
        ((0, -1), ValueError),
        (Decimal("NaN7"), ValueError),
    ],
)
def test_refused_value(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Decimal128(value)


def test_bid_has_16_bytes() -> None:
    with pytest.raises(ValueError, match="16 bytes, not 15"):
        Decimal128.from_bid(bytes(15))
