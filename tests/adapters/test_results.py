from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from runners.adapters.pymongo_api import results


def _result(**fields: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"acknowledged": True, **fields})


def _update(**fields: Any) -> SimpleNamespace:
    return _result(
        **{"matched_count": 1, "modified_count": 0, "upserted_id": None, "did_upsert": False}
        | fields
    )


_COUNTS = {
    "inserted_count": 1,
    "matched_count": 2,
    "modified_count": 3,
    "deleted_count": 4,
    "upserted_count": 5,
}
_FORMATS_COUNTS = {
    "insertedCount": 1,
    "matchedCount": 2,
    "modifiedCount": 3,
    "deletedCount": 4,
    "upsertedCount": 5,
}


@pytest.mark.parametrize(
    "convert",
    [
        results.insert_one,
        results.insert_many,
        results.update,
        results.delete,
        results.bulk_write,
        results.client_bulk_write,
    ],
)
def test_an_unacknowledged_write_says_just_that(convert: Any) -> None:
    assert convert(SimpleNamespace(acknowledged=False)) == {"acknowledged": False}


def test_inserts() -> None:
    assert results.insert_one(_result(inserted_id=7)) == {"insertedId": 7}
    assert results.insert_many(_result(inserted_ids=[7, "x"])) == {
        "insertedCount": 2,
        "insertedIds": {"0": 7, "1": "x"},
    }


def test_an_update_that_matched() -> None:
    assert results.update(_update(modified_count=1)) == {
        "matchedCount": 1,
        "modifiedCount": 1,
        "upsertedCount": 0,
    }


def test_an_upsert_is_told_even_with_a_null_id() -> None:
    assert results.update(_update(matched_count=0, did_upsert=True)) == {
        "matchedCount": 0,
        "modifiedCount": 0,
        "upsertedCount": 1,
        "upsertedId": None,
    }


def test_a_driver_without_did_upsert_is_judged_by_the_id() -> None:
    result = _result(matched_count=0, modified_count=0, upserted_id=4)
    assert results.update(result)["upsertedId"] == 4
    result.upserted_id = None
    assert "upsertedId" not in results.update(result)


def test_delete() -> None:
    assert results.delete(_result(deleted_count=3)) == {"deletedCount": 3}


@pytest.mark.parametrize(("ids", "expected"), [({2: "x"}, {"2": "x"}), (None, {})])
def test_bulk_write(ids: Any, expected: Any) -> None:
    result = _result(**_COUNTS, upserted_ids=ids)
    assert results.bulk_write(result) == {**_FORMATS_COUNTS, "upsertedIds": expected}


def test_what_a_failed_bulk_wrote() -> None:
    details = {
        "nInserted": 1,
        "nMatched": 2,
        "nModified": 3,
        "nRemoved": 4,
        "nUpserted": 5,
        "upserted": [{"index": 6, "_id": 7}],
    }
    assert results.partial_bulk_write(details) == {**_FORMATS_COUNTS, "upsertedIds": {"6": 7}}


def test_a_client_bulk_write_in_sum() -> None:
    result = _result(**_COUNTS, has_verbose_results=False)
    assert results.client_bulk_write(result) == _FORMATS_COUNTS


def test_a_verbose_client_bulk_write() -> None:
    result = _result(
        **_COUNTS,
        has_verbose_results=True,
        insert_results={0: _result(inserted_id="a")},
        update_results={1: _update(), 2: _update(did_upsert=True, upserted_id=9)},
        delete_results={3: _result(deleted_count=1)},
    )
    assert results.client_bulk_write(result) == {
        **_FORMATS_COUNTS,
        "insertResults": {"0": {"insertedId": "a"}},
        "updateResults": {
            "1": {"matchedCount": 1, "modifiedCount": 0},
            "2": {"matchedCount": 1, "modifiedCount": 0, "upsertedId": 9},
        },
        "deleteResults": {"3": {"deletedCount": 1}},
    }
