from __future__ import annotations

import contextlib
import warnings
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driver.errors import ConfigurationError, InvalidURI
from driver.topology.description import Address
from driver.uri import is_uri, parse_host, parse_uri


def options_of(query: str) -> dict[str, Any]:
    return dict(parse_uri(f"mongodb://h/?{query}").options)


def test_hosts_are_lower_case_and_have_the_default_port() -> None:
    assert parse_uri("mongodb://A.Example,[FE80::1]:27018").hosts == (
        Address("a.example", 27017),
        Address("fe80::1", 27018),
    )
    assert parse_uri("mongodb://h", default_port=4).hosts == (Address("h", 4),)


def test_paths_of_sockets_keep_their_case() -> None:
    assert parse_host("%2Ftmp%2FA.sock") == Address("/tmp/A.sock", None)
    assert parse_host("/tmp/A.sock") == Address("/tmp/A.sock", None)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb:///",
        "mongodb://h,",
        "mongodb://h:",
        "mongodb://h:+1",
        "mongodb://h:٣",
        "mongodb://h:000027017",
        "mongodb://[::1",
        "mongodb://[::1]x",
        "mongodb://[h]",
        "mongodb://h h",
        "mongodb://%2Ftmp%2Fa",
        "mongodb://%2Ftmp%2Fa.sock:1",
        "mongodb://h%FF",
        "mongodb://u%FF@h",
        "mongodb://h/d$b",
        "mongodb://h/d%22b",
        "mongodb://h/d@b",
        "mongodb://h/?=1",
        "mongodb://h/?w=1&",
        "mongodb+srv://a.b.c,d.e.f",
        "mongodb+srv://a.b.c:27017",
        "mongodb+srv://10.0.0.1",
        "mongodb+srv://[::1]",
        "mongodb+srv://%2Ftmp%2Fa.sock",
        "MONGODB://h",
        "mongodb://" + chr(0xD800) + "@h",
        "mongodb+foo://h",
        "localhost",
    ],
)
def test_bad_syntax_is_refused(uri: str) -> None:
    with pytest.raises(InvalidURI):
        parse_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://bob:s3cr/zzz@h",
        "mongodb://bob:s3cr/zzz@h/db",
        "mongodb://bob:s3crzzz/@h",
        "mongodb://bob:s3cr?zzz=@h",
        "mongodb://bob:s3cr:zzz@h",
        "mongodb://bob:s3cr@zzz@h",
        "mongodb://bob:s3cr%zzz@h",
        "mongodb://bob:s3cr#zzz/@h",
        "mongodb://h/?tlsCertificateKeyFilePassword=s3cr&tlsInsecure=true&tls=false",
        "mongodb://h/?proxyPassword=s3cr",
    ],
)
def test_errors_never_repeat_a_secret(uri: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_uri(uri)
    assert "s3cr" not in str(caught.value)
    assert "zzz" not in str(caught.value)


def test_the_repr_hides_the_password() -> None:
    uri = parse_uri("mongodb://bob:s3cret@h/?tlsCertificateKeyFilePassword=s3cret")
    assert "s3cret" not in repr(uri)


def test_an_empty_password_differs_from_none() -> None:
    assert parse_uri("mongodb://u:@h").password == ""
    assert parse_uri("mongodb://u@h").password is None
    assert parse_uri("mongodb://@h").username == ""


def test_a_plus_is_a_plus() -> None:
    assert parse_uri("mongodb://a+b:c+d@h").password == "c+d"
    assert options_of("appname=a+b%20c") == {"appname": "a+b c"}


def test_semicolons_separate_options_only_where_ampersands_do_not() -> None:
    assert options_of("w=2;journal=true") == {"w": 2, "journal": True}
    assert options_of("appname=a;b&w=2") == {"appname": "a;b", "w": 2}


def test_names_are_canonical_whatever_their_case() -> None:
    assert options_of("MAXPOOLSIZE=5&retrywrites=false") == {"maxPoolSize": 5, "retryWrites": False}


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("foo=bar", {}, "unknown option 'foo'; it is ignored"),
        ("maxPolSize=1", {}, "did you mean maxPoolSize"),
        ("password=x", {}, "unknown option 'password'"),
        ("maxPoolSize=", {}, "maxPoolSize must be a whole number"),
        ("maxPoolSize=1_0", {}, "maxPoolSize must be"),
        ("maxPoolSize=2147483648", {}, "maxPoolSize must be"),
        (f"maxPoolSize={'9' * 9999}", {}, "maxPoolSize must be"),
        ("connectTimeoutMS=1.5", {}, "connectTimeoutMS must be"),
        ("heartbeatFrequencyMS=499", {}, "at least 500"),
        ("journal=", {}, "journal must be true or false"),
        ("journal=TRUE", {}, "journal must be true or false"),
        ("readPreference=SECONDARY", {}, "readPreference must be one of"),
        ("replicaSet=", {}, "replicaSet must not be empty"),
        (f"appname={'ä' * 65}", {}, "at most 128 bytes"),
        ("w=", {}, "w must not be empty"),
        ("uuidRepresentation=x", {}, "uuidRepresentation must be one of"),
        ("compressors=zlib,x", {"compressors": ("zlib",)}, "unknown compressor 'x'"),
        ("replicaSet=a&replicaSet=b", {"replicaSet": "b"}, "the last one counts"),
        ("wtimeout=5", {"wTimeoutMS": 5}, "wtimeout is deprecated; use wTimeoutMS"),
        ("wTimeoutMS=6&wtimeout=5", {"wTimeoutMS": 6}, "wtimeout is ignored"),
        ("j=true", {"journal": True}, "j is deprecated; use journal"),
        ("tls=1", {"tls": True}, "write tls=true"),
        ("tls=no", {"tls": False}, "write tls=false"),
        ("authMechanismProperties=A:b,c", {}, "authMechanismProperties must be key:value"),
        ("readPreference=nearest&readPreferenceTags=x", {"readPreference": "nearest"}, "key:value"),
    ],
)
def test_what_is_wrong_warns_and_is_ignored(
    query: str, options: dict[str, Any], message: str
) -> None:
    with pytest.warns(UserWarning, match=message) as caught:
        assert options_of(query) == options
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize("query", ["foo=bar", "maxPoolSize=x", "readPreference=x"])
def test_without_warnings_the_same_is_an_error(query: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_uri(f"mongodb://h/?{query}", warn=False)


@pytest.mark.parametrize("name", ["mongodb", "a" * 62, "x-1", "1a"])
def test_service_names(name: str) -> None:
    options = parse_uri(f"mongodb+srv://a.b.c/?srvServiceName={name}", warn=False).options
    assert options == {"srvServiceName": name}


@pytest.mark.parametrize("name", ["", "a" * 63, "-a", "a-", "a--b", "1", "a.b", "ä", "_a"])
def test_bad_service_names(name: str) -> None:
    with pytest.raises(ConfigurationError, match="srvServiceName must"):
        parse_uri(f"mongodb+srv://a.b.c/?srvServiceName={name}", warn=False)


def test_srv_is_no_direct_connection() -> None:
    with pytest.raises(ConfigurationError, match="directConnection"):
        parse_uri("mongodb+srv://a.b.c/?directConnection=true")


@pytest.mark.parametrize(
    "query",
    [
        "maxStalenessSeconds=120",
        "readPreference=primary&maxStalenessSeconds=120",
        "readPreferenceTags=dc:ny",
        "tls=true&ssl=x",
        "tls=false&tlsCAFile=ca.pem",
        "maxPoolSize=5&minPoolSize=6",
        "minPoolSize=101",
        "authSource=",
        "loadBalanced=true&replicaSet=x",
        "proxyHost=a&proxyPassword=b",
        "w=0&fsync=true",
    ],
)
def test_contradictions_are_errors(query: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_uri(f"mongodb://h/?{query}")


@pytest.mark.parametrize(
    "query",
    [
        "readPreference=primary&maxStalenessSeconds=-1",
        "readPreference=secondary&maxStalenessSeconds=1",
        "readPreferenceTags=",
        "maxPoolSize=0&minPoolSize=101",
        "tlsInsecure=false&tls=false",
        "proxyHost=a&proxyUsername=&proxyPassword=",
        "srvServiceName=",
    ],
)
def test_what_is_no_contradiction_is_accepted(query: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parse_uri(f"mongodb://h/?{query}")


def test_tag_sets_keep_their_order() -> None:
    query = "readPreference=nearest&readPreferenceTags=dc:ny,rack:1&readPreferenceTags="
    assert options_of(query)["readPreferenceTags"] == ({"dc": "ny", "rack": "1"}, {})


def test_only_schemes_make_connection_strings() -> None:
    assert is_uri("mongodb://h")
    assert not is_uri("localhost:27017")


NAMES = st.text(st.characters(codec="utf-8", exclude_characters='/\\ "$.\x00'), min_size=1)


@given(st.text(), st.text(), NAMES)
def test_what_is_percent_encoded_comes_back(username: str, password: str, database: str) -> None:
    parts = (quote(part, safe="") for part in (username, password, database))
    uri = parse_uri("mongodb://{}:{}@h/{}".format(*parts))
    assert (uri.username, uri.password, uri.database) == (username, password, database)


@given(st.text(st.sampled_from("mh:/?&=@%,;.[]20A $\\ä") | st.characters(), max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.suppress(ConfigurationError):
            parse_uri("mongodb://" + text)
