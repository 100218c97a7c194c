"""What files about server selection mean: the servers that they expect must exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runners.hints import did_you_mean
from runners.load import SpecFile
from runners.model import Problem

_TOPOLOGY = ("topology_description", "servers")


def check_selection(spec: SpecFile) -> Iterator[Problem]:
    """Check that sets name servers of the topology, and that the window is of suitable servers."""
    for key, larger in (
        ("deprioritized_servers", _TOPOLOGY),
        ("suitable_servers", _TOPOLOGY),
        ("in_latency_window", ("suitable_servers",)),
    ):
        yield from _check_within(spec, (key,), larger)


def check_in_window(spec: SpecFile) -> Iterator[Problem]:
    """Check that operation counts and frequencies are those of servers of the topology."""
    yield from _check_within(spec, ("mocked_topology_state",), _TOPOLOGY)
    yield from _check_within(spec, ("outcome", "expected_frequencies"), _TOPOLOGY)


def _check_within(
    spec: SpecFile, path: tuple[str, ...], larger: tuple[str, ...]
) -> Iterator[Problem]:
    known = {address for _, address in _addresses(spec, larger)}
    for steps, address in _addresses(spec, path):
        if address not in known:
            message = f"{address} is not in `{'.'.join(larger)}`"
            yield spec.problem(steps, "unknown-server", message, did_you_mean(address, known))


def _addresses(
    spec: SpecFile, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield the path and the address of each server of a list, or of each key of a mapping."""
    node: Any = spec.value
    for step in path:
        node = node.get(step, [])
    if isinstance(node, dict):
        for address in node:
            yield (*path, address), address
    else:
        for index, server in enumerate(node):
            yield (*path, index, "address"), server["address"]
