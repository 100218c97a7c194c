"""Names of the unified test format that only the linter has to know."""

from __future__ import annotations

from typing import Final

TEST_RUNNER_OPERATIONS: Final[dict[str, dict[str, str]]] = {
    "assertCollectionExists": {},
    "assertCollectionNotExists": {},
    "assertDifferentLsidOnLastTwoCommands": {"client": "client"},
    "assertEventCount": {"client": "client"},
    "assertIndexExists": {},
    "assertIndexNotExists": {},
    "assertNumberConnectionsCheckedOut": {"client": "client"},
    "assertSameLsidOnLastTwoCommands": {"client": "client"},
    "assertSessionDirty": {"session": "session"},
    "assertSessionNotDirty": {"session": "session"},
    "assertSessionPinned": {"session": "session"},
    "assertSessionTransactionState": {"session": "session"},
    "assertSessionUnpinned": {"session": "session"},
    "assertTopologyType": {"topologyDescription": "topologyDescription"},
    "createEntities": {},
    "failPoint": {"client": "client"},
    "recordTopologyDescription": {"client": "client"},
    "runOnThread": {"thread": "thread"},
    "targetedFailPoint": {"session": "session"},
    "wait": {},
    "waitForEvent": {"client": "client"},
    "waitForPrimaryChange": {
        "client": "client",
        "priorTopologyDescription": "topologyDescription",
    },
    "waitForThread": {"thread": "thread"},
}
"""The operations of `testRunner`: the arguments that name an entity, and the kind it must have.

There is no `since`: official files use operations that are newer than the version they declare.
"""

OPERATORS: Final = {
    "$$exists": "1.0",
    "$$hexBytes": "1.0",
    "$$lte": "1.9",
    "$$matchAsDocument": "1.13",
    "$$matchAsRoot": "1.13",
    "$$matchesEntity": "1.0",
    "$$matchesHexBytes": "1.0",
    "$$placeholder": "1.8",
    "$$sessionLsid": "1.0",
    "$$type": "1.0",
    "$$unsetOrMatches": "1.0",
}
"""The operators in values, and the schemaVersion that brought each."""
