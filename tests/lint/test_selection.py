"""Servers that files about server selection expect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.linting import problems, problems_at_mark

SELECTION = """\
topology_description:
  type: ReplicaSetNoPrimary
  servers:
    - &a { address: a:27017, type: RSSecondary, avg_rtt_ms: 5 }
    - &b { address: b:27017, type: RSSecondary, avg_rtt_ms: 5 }
operation: read
read_preference: { mode: Nearest }
deprioritized_servers: [*b]
suitable_servers: [*a]
in_latency_window: [*a]
"""
IN_WINDOW = """\
topology_description:
  type: Sharded
  servers: [{ address: a:27017, type: Mongos }]
mocked_topology_state: [{ address: a:27017, operation_count: 1 }]
iterations: 1
outcome: { tolerance: 0.1, expected_frequencies: { a:27017: 1 } }
"""
STRANGER = "{ address: ¶c:27017, type: RSSecondary }"
NOT_IN_TOPOLOGY = "[unknown-server] c:27017 is not in `topology_description.servers`"


@pytest.mark.parametrize("text", [SELECTION, IN_WINDOW])
def test_what_is_right_has_no_problems(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (SELECTION, "suitable_servers: [", f"suitable_servers: [{STRANGER}, ", NOT_IN_TOPOLOGY),
        (SELECTION, "deprioritized_servers: [*b", f"deprioritized_servers: [{STRANGER}", ""),
        (
            SELECTION.replace("operation: read\n", "").replace("deprioritized_servers: [*b]\n", ""),
            "in_latency_window: [*a",
            f"in_latency_window: [{STRANGER}",
            "[unknown-server] c:27017 is not in `suitable_servers`",
        ),
        (IN_WINDOW, "[{ address: a:27017, op", "[{ address: ¶c:27017, op", NOT_IN_TOPOLOGY),
        (IN_WINDOW, "{ a:27017: 1", "{ c:27017: ¶1", NOT_IN_TOPOLOGY),
    ],
)
def test_strangers(tmp_path: Path, text: str, old: str, new: str, expected: str) -> None:
    assert old in text
    (found,) = problems_at_mark(tmp_path, text.replace(old, new))

    assert found.startswith(expected)
