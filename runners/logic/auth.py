"""Credentials: who a client is and how it proves that, read from a URI.

Format: auth/tests/legacy. The adapter is asked for `auth` with the `uri` and answers
`{"credential": {"username", "password", "source", "mechanism", "mechanism_properties"}}`, with
null for a credential, or a part of one, that there is not; or `{"error": message}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.judging import Node, Rule, accepted, against, ask, equal, judge, unlike
from runners.model import Case, Json, Verdict
from runners.unified.match import Mismatch


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge one test of the file."""
    return judge(spec, case, lambda test: _check(test, adapter))


def _check(test: Node, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(("description", "uri", "valid", "credential"))
    answer = ask(adapter, "auth", {"uri": test.need("uri").text()})
    valid = test.need("valid")
    yield from accepted(valid, answer, valid=valid.flag())
    expected = test.fields().get("credential")
    if expected is None or not valid.flag() or "error" in answer:
        return
    if expected.value is None:
        yield from equal(expected, answer.get("credential"))
    else:
        yield from against(expected, answer.get("credential"), _CREDENTIAL)


def _check_properties(expected: Node, actual: Json) -> Iterator[Mismatch]:
    """Check those that the test names; a mechanism may have others by default."""
    found = actual if isinstance(actual, dict) else {}
    for name, node in expected.fields().items() if expected.value is not None else ():
        if name not in found:
            yield unlike("is not set", node, None)
        else:
            yield from equal(node, found[name])


_CREDENTIAL: dict[str, Rule] = {
    "username": equal,
    "password": equal,
    "source": equal,
    "mechanism": equal,
    "mechanism_properties": _check_properties,
}
