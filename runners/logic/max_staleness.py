"""Max staleness: server selection by how far a secondary lags behind.

Format: max-staleness/tests, which is that of server selection with the times of the servers'
last writes and checks. The adapter is asked for `max-staleness` and answers alike.
"""

from __future__ import annotations

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic import server_selection
from runners.logic.judging import judge
from runners.model import Case, Verdict


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge the file, which is one case."""
    return judge(spec, case, lambda file: server_selection.check(file, adapter, "max-staleness"))
