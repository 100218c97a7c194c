from __future__ import annotations

from typing import Any

import pytest

from driver.errors import ConfigurationError
from driver.server_api import ServerApi, ServerApiVersion


def test_only_what_was_set_is_sent() -> None:
    assert ServerApi(ServerApiVersion.V1).document == {"apiVersion": "1"}
    assert ServerApi("1", strict=False, deprecation_errors=True).document == {
        "apiVersion": "1",
        "apiStrict": False,
        "apiDeprecationErrors": True,
    }


@pytest.mark.parametrize(
    "arguments",
    [{"version": "2"}, {"version": "1", "strict": 1}, {"version": "1", "deprecation_errors": "x"}],
)
def test_wrong_values_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        ServerApi(**arguments)
