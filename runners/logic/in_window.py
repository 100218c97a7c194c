"""Selection within the latency window: how often each server is chosen, given its operations.

Format: server-selection/tests/in_window. The adapter is asked for `in-window` with the topology,
the operation counts and the number of iterations, and answers `{"frequencies": {address: share}}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.judging import Node, ask, judge, unlike
from runners.model import Case, Json, Verdict
from runners.unified.match import Mismatch

_INPUTS = ("topology_description", "mocked_topology_state", "iterations")


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge the file, which is one case."""
    return judge(spec, case, lambda file: _check(file, adapter))


def _check(file: Node, adapter: Adapter) -> Iterator[Mismatch]:
    file.refuse_keys_beyond(("$schema", "description", "outcome", *_INPUTS))
    outcome = file.need("outcome")
    outcome.refuse_keys_beyond(("tolerance", "expected_frequencies"))
    expected = outcome.need("expected_frequencies")
    tolerance = outcome.need("tolerance").number()
    found = ask(adapter, "in-window", {key: file.need(key).value for key in _INPUTS})
    frequencies = found.get("frequencies")
    if not isinstance(frequencies, dict):
        yield unlike("there are no frequencies", expected, frequencies)
        return
    for address, node in expected.fields().items():
        yield from _check_frequency(node, frequencies.get(address, 0), tolerance)
    for address in frequencies.keys() - expected.fields().keys():
        yield unlike(f"{address} should never be chosen", expected, frequencies[address])


def _check_frequency(expected: Node, actual: Json, tolerance: float) -> Iterator[Mismatch]:
    """0 and 1 are meant exactly."""
    wanted = expected.number()
    allowed = 0 if wanted in (0, 1) else tolerance
    if not isinstance(actual, int | float) or abs(actual - wanted) > allowed:
        yield unlike(f"is not within {allowed:g} of the expected share", expected, actual)
