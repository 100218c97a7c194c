from __future__ import annotations

from typing import Any

import pytest

from driver.concerns import ReadConcern, WriteConcern
from driver.errors import ConfigurationError
from tests.options.official import official_cases

NAMES = {"w": "w", "wtimeoutMS": "wtimeout", "journal": "j"}


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


@pytest.mark.parametrize("case", official_cases("read-write-concern/tests/document/*.json"))
def test_official_documents(case: dict[str, Any]) -> None:
    if "readConcern" in case:
        read_concern = ReadConcern(**case["readConcern"])
        assert read_concern.document == case["readConcernDocument"]
        assert read_concern.is_server_default is case["isServerDefault"]
        return
    arguments = {NAMES[name]: value for name, value in case["writeConcern"].items()}
    if not case["valid"]:
        with pytest.raises(ConfigurationError):
            WriteConcern(**arguments)
        return
    write_concern = WriteConcern(**arguments)
    assert write_concern.document == case["writeConcernDocument"]
    assert write_concern.is_server_default is case["isServerDefault"]
    assert write_concern.acknowledged is case["isAcknowledged"]
