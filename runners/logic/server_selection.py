"""Server selection: a topology and a read preference go in, the servers that suit come out.

Format: server-selection/tests/server_selection; max staleness files have the same shape. The
adapter is asked with the file's inputs as they are and answers `{"suitable": [addresses],
"in_latency_window": [addresses]}`, or `{"error": message}` where the driver refuses.
"""

from __future__ import annotations

from collections.abc import Iterator

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.judging import Node, accepted, ask, judge
from runners.model import Case, Json, Verdict
from runners.unified.match import BadExpectation, Mismatch

_INPUTS = (
    "topology_description",
    "operation",
    "read_preference",
    "deprioritized_servers",
    "heartbeatFrequencyMS",
)
_SETS = {"suitable_servers": "suitable", "in_latency_window": "in_latency_window"}
_KNOWN = ("$schema", "description", "error", *_INPUTS, *_SETS)


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge the file, which is one case."""
    return judge(spec, case, lambda file: check(file, adapter, "server-selection"))


def check(file: Node, adapter: Adapter, name: str) -> Iterator[Mismatch]:
    """Ask the adapter for `name` and hold its servers, or its error, against the file's."""
    file.refuse_keys_beyond(_KNOWN)
    fields = file.fields()
    expected = [fields[key] for key in (*_SETS, "error") if key in fields]
    if not expected:
        raise BadExpectation("the file expects neither servers nor an error", file.path)
    inputs = {key: node.value for key, node in fields.items() if key in _INPUTS}
    answer = ask(adapter, name, inputs)
    refused = answer.get("error")
    for node in expected:
        key = str(node.path[-1])
        if key == "error":
            yield from accepted(node, answer, valid=not node.flag())
        elif refused is not None:
            yield from accepted(node, answer, valid=True)
        else:
            yield from _check_addresses(node, answer.get(_SETS[key]))


def _check_addresses(expected: Node, actual: Json) -> Iterator[Mismatch]:
    wanted = sorted(server.need("address").text() for server in expected.items())
    if not isinstance(actual, list) or sorted(map(str, actual)) != wanted:
        addresses: list[Json] = [*wanted]
        yield Mismatch("other servers are selected", expected.path, addresses, actual)
