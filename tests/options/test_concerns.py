from __future__ import annotations

from typing import Any

import pytest

from driver.concerns import ReadConcern, WriteConcern
from driver.errors import ConfigurationError


def test_a_read_concern_is_a_value() -> None:
    assert ReadConcern("majority") == ReadConcern("majority")
    assert len({ReadConcern("local"), ReadConcern("local"), ReadConcern()}) == 2


def test_a_level_is_a_string() -> None:
    with pytest.raises(ConfigurationError, match="level"):
        ReadConcern(1)  # type: ignore[arg-type]


def test_a_write_concern_is_a_value() -> None:
    assert WriteConcern(w=1) == WriteConcern(1)
    assert len({WriteConcern(1), WriteConcern(1), WriteConcern()}) == 2


def test_a_document_is_a_copy() -> None:
    concern = WriteConcern("majority", 5, fsync=True)
    concern.document["w"] = 0
    assert concern.document == {"w": "majority", "wtimeout": 5, "fsync": True}


@pytest.mark.parametrize(
    "arguments",
    [
        {"w": True},
        {"w": 1.5},
        {"w": 2**31},
        {"wtimeout": 2**63},
        {"wtimeout": "5"},
        {"j": 1},
        {"fsync": "true"},
        {"w": 0, "fsync": True},
    ],
)
def test_wrong_values_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        WriteConcern(**arguments)
