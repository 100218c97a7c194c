"""What sessions and transactions may be asked to be."""

from __future__ import annotations

from typing import Any

import pytest

from driver import ReadConcern, ReadPreference, SessionOptions, TransactionOptions, WriteConcern
from driver.bson import Timestamp
from driver.errors import ConfigurationError

MAJORITY = WriteConcern(w="majority")


def test_what_is_none_is_inherited() -> None:
    own = TransactionOptions(write_concern=MAJORITY)
    defaults = TransactionOptions(ReadConcern("local"), WriteConcern(1), max_commit_time_ms=5)
    assert own.over(defaults) == TransactionOptions(
        ReadConcern("local"), MAJORITY, max_commit_time_ms=5
    )
    assert own.over(None) == own


@pytest.mark.parametrize(
    "wrong",
    [
        {"read_concern": "local"},
        {"write_concern": {"w": 1}},
        {"read_preference": "primary"},
        {"max_commit_time_ms": 1.5},
        {"max_commit_time_ms": True},
    ],
    ids=str,
)
def test_values_of_other_types_are_refused_by_name(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(TypeError, match=name):
        TransactionOptions(**wrong)


def test_a_transaction_is_acknowledged() -> None:
    with pytest.raises(ConfigurationError, match="do not support unacknowledged write concerns"):
        TransactionOptions(write_concern=WriteConcern(w=0))


def test_any_read_preference_may_be_asked_for() -> None:
    assert TransactionOptions(read_preference=ReadPreference.NEAREST).read_preference is not None


@pytest.mark.parametrize(
    ("given", "causal"),
    [
        ({}, True),
        ({"causal_consistency": False}, False),
        ({"snapshot": True}, False),
        ({"snapshot": True, "causal_consistency": False}, False),
        ({"snapshot": True, "snapshot_time": Timestamp(1, 1)}, False),
    ],
    ids=str,
)
def test_a_session_is_causally_consistent_unless_it_is_a_snapshot(
    given: dict[str, Any], causal: bool
) -> None:
    assert SessionOptions(**given).causal_consistency is causal


@pytest.mark.parametrize(
    "contradiction",
    [
        {"snapshot": True, "causal_consistency": True},
        {"snapshot_time": Timestamp(1, 1)},
        {"snapshot": False, "snapshot_time": Timestamp(1, 1)},
    ],
    ids=str,
)
def test_contradictions_are_refused(contradiction: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        SessionOptions(**contradiction)


def test_default_transaction_options_are_transaction_options() -> None:
    wrong: Any = {"write_concern": MAJORITY}
    with pytest.raises(TypeError, match="default_transaction_options"):
        SessionOptions(default_transaction_options=wrong)
