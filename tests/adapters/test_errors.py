from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runners.adapters.base import ErrorReport
from runners.adapters.pymongo_api.errors import report
from tests.adapters import fake

_NOTHING_WRITTEN = {
    "nInserted": 0,
    "nMatched": 0,
    "nModified": 0,
    "nRemoved": 0,
    "nUpserted": 0,
    "upserted": [],
}


def _report(error: BaseException) -> ErrorReport:
    return report(fake.SYNC, error)


def test_a_servers_error() -> None:
    reply = {"ok": 0, "code": 13, "codeName": "Unauthorized", "errorLabels": ["B", "A"]}
    assert _report(fake.OperationFailure("no", 13, reply)) == ErrorReport(
        message="no",
        kind="OperationFailure",
        client_error=False,
        code=13,
        code_name="Unauthorized",
        labels=("A", "B"),
        response=reply,  # type: ignore[arg-type]
    )


def test_the_code_may_be_known_without_being_in_the_details() -> None:
    assert _report(fake.OperationFailure("no", 8, {"errmsg": "no"})).code == 8


@pytest.mark.parametrize(
    ("error", "client_error"),
    [
        (fake.ConnectionFailure("lost"), True),
        (fake.NotPrimaryError("moved"), False),
        (fake.OperationFailure("no"), False),
        (fake.PyMongoError("bad option"), True),
        (ValueError("no operator"), True),
    ],
)
def test_whose_error_it_is(error: BaseException, client_error: bool) -> None:
    assert _report(error).client_error is client_error


def test_a_client_errors_details_are_no_response() -> None:
    error = fake.PyMongoError("bad")
    error.details = {"code": 1}  # type: ignore[attr-defined]
    found = _report(error)
    assert (found.code, found.response) == (None, None)


@pytest.mark.parametrize(
    ("error", "timeout"),
    [
        (fake.NetworkTimeout("slow"), True),
        (fake.ExecutionTimeout("slow", 50), True),
        (fake.ConnectionFailure("lost"), False),
    ],
)
def test_timeouts_are_known_by_class(error: fake.PyMongoError, timeout: bool) -> None:
    assert _report(error).timeout is timeout


def test_timeouts_are_known_by_what_the_error_says() -> None:
    error = fake.ConnectionFailure("lost")
    error.timeout = True
    assert _report(error).timeout is True


def test_a_labelled_client_error() -> None:
    error = fake.ConnectionFailure("lost", labels=("RetryableWriteError",))
    assert _report(error).labels == ("RetryableWriteError",)


def test_an_error_without_text_still_has_a_message() -> None:
    assert _report(ValueError()).message == "ValueError()"


def test_a_bulk_writes_own_code_is_not_the_servers() -> None:
    error = fake.BulkWriteError({**_NOTHING_WRITTEN, "writeErrors": [], "writeConcernErrors": []})
    found = _report(error)
    assert (found.code, found.code_name, found.response) == (None, None, None)
    assert found.write_errors == {}
    assert found.write_concern_errors == []


def test_a_bulk_write_error_gathers_the_single_ones() -> None:
    details = {
        **_NOTHING_WRITTEN,
        "nInserted": 2,
        "writeErrors": [
            {"index": 3, "code": 11000, "errmsg": "a duplicate", "op": {"x": {1, 2}}},
            {"index": 1, "code": 121, "errmsg": "invalid", "errInfo": {"why": 1}},
        ],
        "writeConcernErrors": [{"code": 64, "codeName": "WriteConcernFailed", "errmsg": "late"}],
    }
    found = _report(fake.BulkWriteError(details))
    assert "a duplicate" in found.message
    assert "late" in found.message
    assert found.code == 11000
    assert found.code_name == "WriteConcernFailed"
    assert found.client_error is False
    assert isinstance(found.result, dict)
    assert found.result["insertedCount"] == 2
    assert found.write_errors == {
        "1": {"code": 121, "message": "invalid", "details": {"why": 1}},
        "3": {"code": 11000, "message": "a duplicate"},
    }
    assert isinstance(found.write_errors, dict)
    assert list(found.write_errors) == ["1", "3"]
    assert found.write_concern_errors == [{"code": 64, "message": "late"}]


def test_what_a_bulk_wrote_before_its_connection_was_lost() -> None:
    error = fake.ConnectionFailure("lost")
    error.partial_result = {**_NOTHING_WRITTEN, "nInserted": 4}  # type: ignore[attr-defined]
    found = _report(error)
    assert found.client_error is True
    assert isinstance(found.result, dict)
    assert found.result["insertedCount"] == 4


def _client_bulk(**fields: Any) -> ErrorReport:
    error = fake.ClientBulkWriteException("bulk failed", 65, {"error": {"never", "converted"}})
    for name, value in fields.items():
        setattr(error, name, value)
    return _report(error)


def test_a_client_bulk_write_is_judged_by_its_top_level_error() -> None:
    reply = {"code": 8, "codeName": "UnknownError", "errorLabels": ["A"]}
    found = _client_bulk(error=fake.OperationFailure("the server failed", 8, reply))
    assert "the server failed" in found.message
    assert (found.code, found.code_name, found.response) == (8, "UnknownError", reply)
    assert found.labels == ("A",)
    assert found.client_error is False


def test_a_client_bulk_write_that_never_got_to_the_server() -> None:
    assert _client_bulk(error=fake.NetworkTimeout("slow")).client_error is True
    assert _client_bulk(error=fake.NetworkTimeout("slow")).timeout is True


@pytest.mark.parametrize(
    "write_errors",
    [
        {2: {"code": 11000, "errmsg": "a duplicate"}},
        [{"idx": 2, "code": 11000, "errmsg": "a duplicate"}],
    ],
)
def test_a_client_bulk_write_without_a_top_level_error(write_errors: Any) -> None:
    done = SimpleNamespace(
        acknowledged=True,
        inserted_count=1,
        matched_count=0,
        modified_count=0,
        deleted_count=0,
        upserted_count=0,
        has_verbose_results=False,
    )
    found = _client_bulk(
        write_errors=write_errors,
        write_concern_errors=[{"code": 91, "errmsg": "late"}],
        partial_result=done,
    )
    assert found.code is None
    assert found.client_error is False
    assert found.write_errors == {"2": {"code": 11000, "message": "a duplicate"}}
    assert found.write_concern_errors == [{"code": 91, "message": "late"}]
    assert isinstance(found.result, dict)
    assert found.result["insertedCount"] == 1


def test_a_client_bulk_write_that_wrote_nothing_has_no_result() -> None:
    assert _client_bulk().result is None
