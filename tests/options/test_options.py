from __future__ import annotations

import math
import warnings
from dataclasses import fields
from datetime import UTC
from typing import Any

import pytest

from driver.bson.binary import UuidRepresentation
from driver.concerns import ReadConcern, WriteConcern
from driver.driver_info import DriverInfo
from driver.errors import ConfigurationError
from driver.events import CommandListener
from driver.options import ClientOptions
from driver.read_preferences import Nearest, ReadPreference
from driver.server_api import ServerApi
from driver.topology.description import Address
from driver.uri.table import OPTIONS

resolve = ClientOptions.resolve


def test_defaults() -> None:
    assert resolve() == ClientOptions()
    assert resolve().seeds == (Address("localhost", 27017),)
    assert resolve().connect_timeout == 20
    assert resolve().credentials is None
    assert resolve().tls is None


@pytest.mark.parametrize(
    ("host", "port", "seeds"),
    [
        ("h", None, [("h", 27017)]),
        ("h:1,[::1]", 2, [("h", 1), ("::1", 2)]),
        (["a", "b:1"], 2, [("a", 2), ("b", 1)]),
        (["mongodb://a,b:1"], 2, [("a", 2), ("b", 1)]),
        ("/tmp/a.sock", None, [("/tmp/a.sock", None)]),
    ],
)
def test_hosts(host: Any, port: int | None, seeds: list[tuple[str, int | None]]) -> None:
    assert list(resolve(host, port).seeds) == seeds


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ([], None),
        ([1], None),
        (b"h", None),
        (7, None),
        ("h", 0),
        ("h", "1"),
        ("h", True),
        ("http://h", None),
        (["mongodb://a", "b"], None),
        ("mongodb://", None),
        ("h:x", None),
        (["a", ""], None),
    ],
)
def test_bad_hosts_are_refused(host: Any, port: Any) -> None:
    with pytest.raises(ConfigurationError):
        resolve(host, port)


def test_a_connection_string_stands_alone() -> None:
    with pytest.raises(ConfigurationError, match="one of several hosts"):
        resolve(["a", "mongodb://b"])


@pytest.mark.parametrize(
    ("keywords", "field", "value"),
    [
        ({"serverSelectionTimeoutMS": 1500}, "server_selection_timeout", 1.5),
        ({"serverselectiontimeoutms": "1500"}, "server_selection_timeout", 1.5),
        ({"serverSelectionTimeoutMS": 0}, "server_selection_timeout", 0),
        ({"connectTimeoutMS": 0}, "connect_timeout", None),
        ({"connectTimeoutMS": 0.5}, "connect_timeout", 0.0005),
        ({"socketTimeoutMS": None}, "socket_timeout", None),
        ({"timeoutMS": 0}, "timeout", math.inf),
        ({"timeoutMS": 100}, "timeout", 0.1),
        ({"maxIdleTimeMS": 0}, "max_idle_time", None),
        ({"waitQueueTimeoutMS": 5}, "wait_queue_timeout", 0.005),
        ({"maxPoolSize": 0}, "max_pool_size", None),
        ({"localThresholdMS": 0}, "local_threshold", 0),
        ({"retryWrites": False}, "retry_writes", False),
        ({"readPreference": "secondary"}, "read_preference", ReadPreference.SECONDARY),
        (
            {"readPreference": "nearest", "readPreferenceTags": "dc:ny"},
            "read_preference",
            Nearest([{"dc": "ny"}]),
        ),
        (
            {"readPreference": "nearest", "readPreferenceTags": [{"dc": "ny"}, "", "a:b"]},
            "read_preference",
            Nearest([{"dc": "ny"}, {}, {"a": "b"}]),
        ),
        (
            {"readPreference": "nearest", "maxStalenessSeconds": 90},
            "read_preference",
            Nearest(max_staleness=90),
        ),
        ({"read_preference": Nearest()}, "read_preference", ReadPreference.NEAREST),
        ({"readConcernLevel": "majority"}, "read_concern", ReadConcern("majority")),
        ({"w": "majority", "journal": True}, "write_concern", WriteConcern("majority", j=True)),
        ({"w": "2", "wTimeoutMS": 5}, "write_concern", WriteConcern(2, 5)),
        ({"compressors": ["zlib"]}, "compressors", ("zlib",)),
        ({"appname": "me"}, "app_name", "me"),
        ({"server_api": ServerApi("1")}, "server_api", ServerApi("1")),
        ({"driver": DriverInfo("wrapper")}, "driver_info", DriverInfo("wrapper")),
        ({"proxyHost": "p", "proxyUsername": ""}, "proxy_username", None),
    ],
)
def test_keywords(keywords: dict[str, Any], field: str, value: Any) -> None:
    assert getattr(resolve(**keywords), field) == value


def test_codec_options() -> None:
    options = resolve(
        "mongodb://h/?uuidRepresentation=standard", tz_aware=True, tzinfo=UTC
    ).codec_options
    assert options.uuid_representation is UuidRepresentation.STANDARD
    assert options.tzinfo is UTC
    with pytest.raises(ConfigurationError, match="tz_aware"):
        resolve(tzinfo=UTC)


def test_listeners_are_checked() -> None:
    listener = CommandListener()
    assert resolve(event_listeners=[listener]).event_listeners == (listener,)
    with pytest.raises(ConfigurationError, match="event_listeners"):
        resolve(event_listeners=[CommandListener])


def test_keywords_override_the_connection_string() -> None:
    uri = "mongodb://u:p@h/db?maxPoolSize=5&w=1&readPreference=nearest&readPreferenceTags=a:b"
    options = resolve(uri, maxpoolsize=6, username="v", password="q")
    assert options.max_pool_size == 6
    assert (options.username, options.password) == ("v", "q")
    assert options.write_concern == WriteConcern(1)
    assert resolve(uri, read_preference=ReadPreference.PRIMARY).read_preference.mode == "primary"


@pytest.mark.parametrize(
    "keywords",
    [
        {"serverSelectionTimeoutMS": "x"},
        {"serverSelectionTimeoutMS": True},
        {"connectTimeoutMS": math.nan},
        {"connectTimeoutMS": math.inf},
        {"retryWrites": 1},
        {"readPreference": "x"},
        {"readPreference": ReadPreference.NEAREST},
        {"read_preference": "nearest"},
        {"read_preference": Nearest(), "readPreference": "nearest"},
        {"readPreference": "nearest", "readPreferenceTags": [{"dc": 1}]},
        {"readPreference": "nearest", "readPreferenceTags": 7},
        {"w": -1},
        {"w": True},
        {"w": 0, "journal": True},
        {"wTimeoutMS": -1},
        {"heartbeatFrequencyMS": 499},
        {"maxConnecting": 0},
        {"minPoolSize": 101},
        {"waitQueueSize": 1, "waitQueueMultiple": 1},
        {"compressors": 1},
        {"authMechanismProperties": 5},
        {"authMechanismProperties": {1: 2}},
        {"appname": b"x"},
        {"username": chr(0xD800), "password": "p"},
        {"document_class": {}},
        {"host": ["a", "b"], "directConnection": True},
        {"host": ["a", "b"], "loadBalanced": True},
        {"srvMaxHosts": 1},
        {"username": "u"},
        {"password": "p"},
        {"authMechanism": "MONGODB-CR", "username": "u", "password": "p"},
        {"proxyPort": 1},
        {"TLS": True, "ssl": False},
    ],
)
def test_bad_keywords_are_errors(keywords: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        resolve(**keywords)


def test_unknown_keywords_get_a_suggestion() -> None:
    with pytest.raises(ConfigurationError, match=r"'servrSelection.*mean serverSelectionTimeoutMS"):
        resolve(servrSelectionTimeoutMs=1)


def test_errors_and_reprs_hide_secrets() -> None:
    secrets: dict[str, Any] = {
        "password": "s3cret",
        "tlsCertificateKeyFilePassword": "s3cret",
        "proxyPassword": "s3cret",
    }
    options = resolve(username="u", tls=True, proxyHost="h", proxyUsername="u", **secrets)
    assert "s3cret" not in repr(options)
    assert "s3cret" not in repr(options.credentials)
    for name in secrets:
        with pytest.raises(ConfigurationError) as caught:
            resolve(None, None, **{name: ["s3cret"]})
        assert "s3cret" not in str(caught.value)


def test_pool_options_are_the_ones_that_differ() -> None:
    assert resolve(maxPoolSize=100, minPoolSize=0, maxConnecting=2).pool_options() == {}
    uri = "mongodb://h/?maxPoolSize=0&minPoolSize=5&maxIdleTimeMS=100&waitQueueTimeoutMS=7"
    uri += "&waitQueueSize=9"
    assert resolve(uri, maxConnecting=3, appname="x").pool_options() == {
        "maxPoolSize": 0,
        "minPoolSize": 5,
        "maxConnecting": 3,
        "maxIdleTimeMS": 100,
        "waitQueueTimeoutMS": 7,
        "waitQueueSize": 9,
    }
    assert resolve(waitQueueMultiple=2).pool_options() == {"waitQueueMultiple": 2}


@pytest.mark.parametrize(
    ("given", "most"),
    [
        ({}, None),
        ({"waitQueueSize": 0}, None),
        ({"waitQueueSize": 7}, 7),
        ({"waitQueueMultiple": 3}, 300),
        ({"waitQueueMultiple": 3, "maxPoolSize": 5}, 15),
        ({"waitQueueMultiple": 3, "maxPoolSize": 0}, None),
    ],
)
def test_how_many_may_wait_for_a_connection(given: dict[str, Any], most: int | None) -> None:
    assert resolve(**given).max_waiting == most


def test_every_field_of_the_table_exists() -> None:
    known = {field.name for field in fields(ClientOptions)}
    assert {option.field for option in OPTIONS.values()} - {""} <= known


SRV = "mongodb+srv://a.b.c/db"


def test_srv_waits_for_dns_and_implies_tls() -> None:
    options = resolve(SRV)
    assert (options.srv_hostname, options.seeds) == ("a.b.c", ())
    assert options.tls is not None
    assert resolve(SRV + "?tls=false").tls is None
    assert resolve(SRV, tls=False).tls is None


def test_dns_completes_the_options() -> None:
    seeds = (Address("x.b.c"), Address("y.b.c", 1))
    options = resolve(SRV + "?authSource=mine", username="u", password="p", w=2).with_srv(
        seeds, "authSource=theirs&replicaSet=rs"
    )
    assert options.seeds == seeds
    assert options.replica_set == "rs"
    assert options.credentials is not None
    assert options.credentials.source == "mine"
    assert options.write_concern == WriteConcern(2)
    assert options.tls is not None


@pytest.mark.parametrize(
    ("query", "seeds", "txt"),
    [
        ("", "x", "tls=false"),
        ("", "x", "socketTimeoutMS=1"),
        ("", "x", "replicaSet"),
        ("?loadBalanced=true", "xy", ""),
        ("", "xy", "loadBalanced=true"),
        ("?replicaSet=rs", "x", "loadBalanced=true"),
        ("?srvMaxHosts=1", "x", "replicaSet=rs"),
        ("", "x", "authSource="),
    ],
)
def test_dns_may_not_contradict_the_options(query: str, seeds: str, txt: str) -> None:
    options = resolve(SRV + query)
    with pytest.raises(ConfigurationError):
        options.with_srv([Address(f"{seed}.b.c") for seed in seeds], txt)


@pytest.mark.parametrize(
    "arguments", [{"name": ""}, {"name": "a|b"}, {"name": 1}, {"name": "a", "version": 2}]
)
def test_driver_info_is_checked(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        DriverInfo(**arguments)


def test_nothing_warns_without_reason() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolve("mongodb://u:p@h,i/db?replicaSet=rs&tls=true&w=majority&compressors=zlib,zstd")
