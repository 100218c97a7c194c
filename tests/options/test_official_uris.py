"""The official connection strings: parts, options, warnings and errors."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from driver.errors import ConfigurationError
from driver.options import ClientOptions
from driver.uri import ParsedURI, parse_uri
from tests.options.official import official_cases


def parse(uri: str) -> tuple[ParsedURI, bool]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return parse_uri(uri), bool(caught)


def plain(value: Any) -> Any:
    """JSON's idea of an option's value."""
    return (
        [dict(each) if isinstance(each, dict) else each for each in value]
        if isinstance(value, tuple)
        else value
    )


@pytest.mark.parametrize(
    "case",
    official_cases("uri-options/tests/*.json") + official_cases("connection-string/tests/*.json"),
)
def test_connection_string(case: dict[str, Any]) -> None:
    if not case["valid"]:
        with pytest.raises(ConfigurationError):
            parse_uri(case["uri"])
        return
    uri, warned = parse(case["uri"])
    assert warned is case["warning"]
    if case["hosts"] is not None:
        assert len(uri.hosts) == len(case["hosts"])
        for address, host in zip(uri.hosts, case["hosts"], strict=True):
            assert address.host == host["host"]
            assert (address.port is None) is (host["type"] == "unix")
            assert host["port"] in (None, address.port)
    if case["auth"] is not None:
        assert uri.username == case["auth"]["username"]
        assert uri.password == case["auth"]["password"]
        namespace = [part for part in (uri.database, uri.collection) if part is not None]
        assert (".".join(namespace) or None) == case["auth"]["db"]
    parsed = {name.lower(): plain(value) for name, value in uri.options.items()}
    for name, value in (case["options"] or {}).items():
        assert parsed[name.lower()] == value


@pytest.mark.parametrize(
    "case", official_cases("read-write-concern/tests/connection-string/*.json")
)
def test_concerns(case: dict[str, Any]) -> None:
    if not case["valid"]:
        with pytest.raises(ConfigurationError):
            parse_uri(case["uri"])
        return
    options = ClientOptions.resolve(case["uri"])
    if "readConcern" in case:
        assert options.read_concern.document == case["readConcern"]
    if "writeConcern" in case:
        names = {"w": "w", "wtimeoutMS": "wtimeout", "journal": "j"}
        expected = {names[name]: value for name, value in case["writeConcern"].items()}
        assert options.write_concern.document == expected


OUTDATED = {
    "should use username and password if specified (MONGODB-AWS)",
    "should use username, password and session token if specified (MONGODB-AWS)",
}
"""The auth spec of 2025-09-30 forbids AWS keys in options, and other cases of the file say so."""


@pytest.mark.parametrize("case", official_cases("auth/tests/legacy/*.json"))
def test_credentials(case: dict[str, Any]) -> None:
    if not case["valid"] or case["description"] in OUTDATED:
        with pytest.raises(ConfigurationError):
            ClientOptions.resolve(case["uri"])
        return
    credentials = ClientOptions.resolve(case["uri"]).credentials
    expected = case["credential"]
    if expected is None:
        assert credentials is None
        return
    assert credentials is not None
    for name in ("username", "password", "source", "mechanism"):
        assert getattr(credentials, name) == expected[name]
    for name, value in (expected["mechanism_properties"] or {}).items():
        assert credentials.mechanism_properties[name] == value
