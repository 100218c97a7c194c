"""Round-trip times: the moving average after one more measurement.

Format: server-selection/tests/rtt. The adapter is asked for `rtt` with `avg_rtt_ms` (null where
there is no average yet) and `new_rtt_ms`, and answers `{"new_avg_rtt": milliseconds}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.judging import Node, ask, judge, unlike
from runners.model import Case, Verdict
from runners.unified.match import Mismatch

_KNOWN = ("$schema", "description", "avg_rtt_ms", "new_rtt_ms", "new_avg_rtt")


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge the file, which is one case."""
    return judge(spec, case, lambda file: _check(file, adapter))


def _check(file: Node, adapter: Adapter) -> Iterator[Mismatch]:
    file.refuse_keys_beyond(_KNOWN)
    before = file.need("avg_rtt_ms")
    average = None if before.value in (None, "NULL") else before.number()
    arguments = {"avg_rtt_ms": average, "new_rtt_ms": file.need("new_rtt_ms").number()}
    expected = file.need("new_avg_rtt")
    actual = ask(adapter, "rtt", {**arguments}).get("new_avg_rtt")
    if not isinstance(actual, int | float) or not isclose(
        actual, expected.number(), rel_tol=1e-9, abs_tol=1e-9
    ):
        yield unlike("is another average", expected, actual)
