"""Client metadata: what is left out when it would be too long."""

from __future__ import annotations

import os

import pytest

from driver.bson import encode
from driver.driver_info import DriverInfo
from driver.errors import ConfigurationError
from driver.metadata import ClientMetadata, client_metadata
from driver.options import ClientOptions


@pytest.fixture(autouse=True)
def _on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "exists", lambda path: False)
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_x")
    monkeypatch.setenv("AWS_REGION", "r" * 50)


def test_parts_go_one_after_the_other() -> None:
    whole = client_metadata("app")
    steps = []
    for size in range(1, 440):
        document = client_metadata("app", [DriverInfo("w", None, "p" * size)])
        assert len(encode(document)) <= 512
        assert document["driver"] == {**document["driver"], "name": "mongospec|w"}
        step = (
            document.get("env") == whole["env"],
            document["os"] == whole["os"],
            "env" in document,
            document["platform"].endswith("|" + "p" * size),
        )
        if step not in steps:
            steps.append(step)
    assert steps == [
        (True, True, True, True),
        (False, True, True, True),
        (False, False, True, True),
        (False, False, False, True),
        (False, False, False, False),
    ]


def test_what_finds_no_room_is_refused_and_changes_nothing() -> None:
    metadata = ClientMetadata(ClientOptions.resolve())
    before = metadata.document
    with pytest.raises(ConfigurationError, match="shorter names"):
        metadata.append(DriverInfo("n" * 500))
    metadata.append(DriverInfo("small"))
    assert metadata.document["driver"]["name"] == "mongospec|small"
    assert metadata.document["os"] == before["os"]
