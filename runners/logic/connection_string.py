"""Connection strings: what a driver reads in a URI, what it warns of, and what it refuses.

Formats: connection-string/tests and uri-options/tests. The adapter is asked for
`connection-string` with the `uri` and answers `{"hosts": [{"host", "port"}], "auth": {"username",
"password", "db"}, "options": {name: value}, "warnings": [messages]}`, or `{"error": message}`. The
port of a Unix domain socket is null, `db` is the whole namespace, durations are milliseconds.
`unresolved` is true where the driver accepts a URI for now, until DNS has told its hosts.
"""

from __future__ import annotations

from collections.abc import Iterator

from runners.adapters.base import Adapter, Unsupported
from runners.load import SpecFile
from runners.logic.judging import Node, accepted, ask, equal, judge, unlike
from runners.model import Case, Json, JsonObject, Verdict
from runners.unified.match import Mismatch

_TEST = ("description", "uri", "valid", "warning", "hosts", "auth", "options")


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge one test of the file."""
    return judge(spec, case, lambda test: _check(test, adapter))


def _check(test: Node, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(_TEST)
    answer = ask(adapter, "connection-string", {"uri": test.need("uri").text()})
    valid = test.need("valid")
    if "error" not in answer and answer.get("unresolved") is True and not valid.flag():
        raise Unsupported("logic.connection-string.srv", "the driver judges this after DNS")
    yield from accepted(valid, answer, valid=valid.flag())
    if valid.flag() and "error" not in answer:
        yield from check_warnings(test, answer)
        yield from _check_hosts(test.need("hosts"), answer.get("hosts"))
        yield from _check_auth(test.need("auth"), answer.get("auth"))
        yield from check_options(test.need("options"), answer.get("options"))


def check_warnings(test: Node, answer: JsonObject) -> Iterator[Mismatch]:
    """Check that there is a warning if the test's `warning` is true, and none if it is false."""
    warning = test.need("warning")
    if warning.value is not None and warning.flag() != bool(answer.get("warnings")):
        yield unlike("warns of other things", warning, answer.get("warnings"))


def _check_hosts(expected: Node, actual: Json) -> Iterator[Mismatch]:
    if expected.value is None:
        return
    hosts = expected.items()
    if not isinstance(actual, list) or len(actual) != len(hosts):
        yield unlike("are other hosts", expected, actual)
        return
    for host, found in zip(hosts, actual, strict=True):
        host.refuse_keys_beyond(("type", "host", "port"))
        if not isinstance(found, dict):
            yield unlike("is no host", host, found)
            continue
        yield from equal(host.need("host"), found.get("host"))
        yield from _unless_null(host.need("port"), found.get("port"))
        if (host.need("type").text() == "unix") != (found.get("port") is None):
            yield unlike("is another kind of host", host.need("type"), found)


def _check_auth(expected: Node, actual: Json) -> Iterator[Mismatch]:
    if expected.value is None:
        return
    expected.refuse_keys_beyond(("username", "password", "db"))
    if not isinstance(actual, dict):
        yield unlike("is missing", expected, actual)
        return
    for name, node in expected.fields().items():
        yield from _unless_null(node, actual.get(name))


def check_options(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """Check those that the test names, in any case; a driver may add its defaults."""
    if expected.value is None:
        return
    options = actual if isinstance(actual, dict) else {}
    found = {_option(name): value for name, value in options.items()}
    for name, node in expected.fields().items():
        if _option(name) not in found:
            yield unlike("is not set", node, None)
        else:
            yield from equal(node, found[_option(name)])


def _option(name: str) -> str:
    """An option's name in lower case; ssl is tls."""
    return {"ssl": "tls"}.get(name.lower(), name.lower())


def _unless_null(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """Check equality; null asks for nothing."""
    if expected.value is not None:
        yield from equal(expected, actual)
