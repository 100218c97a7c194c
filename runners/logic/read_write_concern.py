"""Read and write concerns: read from a URI, and as the document that a server gets.

Formats: read-write-concern/tests/connection-string and document. The adapter is asked for
`read-write-concern` with the `uri` and answers `{"readConcern": {"level"}, "writeConcern": {"w",
"wtimeoutMS", "journal"}, "warnings": [messages]}`, without what was not given. It is asked for
`read-write-concern-document` with a `readConcern` or a `writeConcern` like these, and answers
`{"document": what is sent, "isServerDefault", "isAcknowledged"}`. Both may be `{"error": message}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from runners.adapters.base import Adapter
from runners.load import SpecFile
from runners.logic.connection_string import check_warnings
from runners.logic.judging import Node, accepted, ask, equal, judge
from runners.model import Case, Verdict
from runners.unified.match import BadExpectation, Mismatch

_CONCERNS = ("readConcern", "writeConcern")
_OF_URI = ("description", "uri", "valid", "warning", *_CONCERNS)
_ABOUT = ("isServerDefault", "isAcknowledged")
_DOCUMENTS = ("readConcernDocument", "writeConcernDocument")
_OF_DOCUMENT = ("description", "valid", *_CONCERNS, *_DOCUMENTS, *_ABOUT)


def run_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge one test of a file about URIs."""
    return judge(spec, case, lambda test: _check_uri(test, adapter))


def run_document_case(spec: SpecFile, case: Case, adapter: Adapter) -> Verdict:
    """Judge one test of a file about documents."""
    return judge(spec, case, lambda test: _check_document(test, adapter))


def _check_uri(test: Node, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(_OF_URI)
    answer = ask(adapter, "read-write-concern", {"uri": test.need("uri").text()})
    valid = test.need("valid")
    yield from accepted(valid, answer, valid=valid.flag())
    if not valid.flag() or "error" in answer:
        return
    yield from check_warnings(test, answer)
    for name, node in test.fields().items():
        if name in _CONCERNS and node.value is not None:
            yield from equal(node, answer.get(name))


def _check_document(test: Node, adapter: Adapter) -> Iterator[Mismatch]:
    test.refuse_keys_beyond(_OF_DOCUMENT)
    fields = test.fields()
    given = [name for name in _CONCERNS if name in fields]
    if len(given) != 1:
        raise BadExpectation("a test needs either a readConcern or a writeConcern", test.path)
    answer = ask(adapter, "read-write-concern-document", {given[0]: fields[given[0]].value})
    valid = test.need("valid")
    yield from accepted(valid, answer, valid=valid.flag())
    if not valid.flag() or "error" in answer:
        return
    yield from equal(test.need(f"{given[0]}Document"), answer.get("document"))
    for name in _ABOUT:
        if name in fields:
            yield from equal(fields[name], answer.get(name))
