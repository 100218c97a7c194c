"""The small types: their forms, order, equality and what they refuse."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from driver.bson import (
    BSONError,
    Code,
    DatetimeMS,
    DBRef,
    InvalidBSON,
    InvalidDocument,
    MaxKey,
    MinKey,
    RawBSONDocument,
    Regex,
    Symbol,
    Timestamp,
    Undefined,
    encode,
)
from tests.bson.samples import EVERY_TYPE


@pytest.mark.parametrize(
    "value", [*EVERY_TYPE.values(), DatetimeMS(5), RawBSONDocument(encode({}))]
)
def test_copies(value: Any) -> None:
    for copied in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value)):
        assert type(copied) is type(value)
        assert copied == value
        assert repr(copied) == repr(value)


@pytest.mark.parametrize("error", [InvalidBSON("why", 7), InvalidDocument("why", ("a", "b"))])
def test_errors_can_be_pickled(error: BSONError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.__dict__ == error.__dict__


def test_code() -> None:
    assert Code("f()").scope is None
    assert Code("f()", {"a": 1}, b=2).scope == {"a": 1, "b": 2}
    assert Code(Code("f()", {"a": 1})) == Code("f()", {"a": 1})
    assert Code("f()") != Code("f()", {})
    assert Code("f()") != "f()"
    assert hash(Code("f()")) == hash(Code("f()"))
    assert repr(Code("f()", {"a": 1})) == "Code('f()', {'a': 1})"


def test_symbol_is_text() -> None:
    assert Symbol("a") == "a"
    assert repr(Symbol("a")) == "Symbol('a')"


def test_regex_options() -> None:
    assert Regex("a", "xmim").options == "imx"
    assert Regex("a", re.IGNORECASE | re.DOTALL).options == "is"
    assert Regex("a", "is").flags == re.IGNORECASE | re.DOTALL
    assert Regex("a", "ig").options == "gi"  # `re` has no g, but the data does
    assert Regex("a", "ig").flags == re.IGNORECASE


def test_regex_and_native() -> None:
    native = re.compile("^a", re.MULTILINE)
    assert Regex.from_native(native) == Regex("^a", "mu")
    assert Regex.from_native(re.compile(b"\xc3\xa4")) == Regex("\u00e4")
    assert Regex("^a", "mu").try_compile() == native
    with pytest.raises(re.error):
        Regex("(").try_compile()
    with pytest.raises(ValueError, match="utf-8"):
        Regex.from_native(re.compile(b"\xff"))


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Regex("a\0"), ValueError),
        (lambda: Regex("a", "i\0"), ValueError),
        (lambda: Regex(b"a"), TypeError),  # type: ignore[arg-type]
        (lambda: Timestamp(-1, 0), ValueError),
        (lambda: Timestamp(0, 1 << 32), ValueError),
        (lambda: Timestamp(0, 1.5), TypeError),  # type: ignore[arg-type]
        (lambda: DBRef(5, 1), TypeError),  # type: ignore[arg-type]
        (lambda: DBRef("c", 1, 5), TypeError),  # type: ignore[arg-type]
        (lambda: DatetimeMS(1 << 63), OverflowError),
        (lambda: DatetimeMS("1"), TypeError),  # type: ignore[arg-type]
    ],
)
def test_refused(make: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        make()


def test_timestamp() -> None:
    assert Timestamp(1, 2) < Timestamp(1, 3) < Timestamp(2, 0)
    assert Timestamp(1, 2).as_datetime() == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert Timestamp(datetime(1970, 1, 2), 0).time == 86400
    east = timezone(timedelta(hours=1))
    assert Timestamp(datetime(1970, 1, 1, 1, tzinfo=east), 0).time == 0
    assert repr(Timestamp(1, 2)) == "Timestamp(1, 2)"


def test_extremes() -> None:
    assert MinKey() < 0
    assert MinKey() < MaxKey()
    assert MaxKey() > "text"
    assert MinKey() <= MinKey()
    assert not MinKey() < MinKey()
    assert not MaxKey() > MaxKey()
    assert {MinKey(), MinKey(), MaxKey(), Undefined()} == {MinKey(), MaxKey(), Undefined()}
