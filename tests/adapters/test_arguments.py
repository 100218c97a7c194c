from __future__ import annotations

from typing import Any

import pytest

from runners.adapters.base import AdapterError, Unsupported
from runners.adapters.pymongo_api.arguments import (
    Converter,
    Parameters,
    build,
    call_complete,
    keywords,
    parameters_of,
    snake,
)
from runners.adapters.pymongo_api.write_models import write_models
from runners.model import Json
from tests.adapters import fake


def _converter() -> Converter:
    return Converter(fake.SYNC, lambda entity_id: f"<{entity_id}>")


@pytest.mark.parametrize(
    ("camel", "expected"),
    [
        ("filter", "filter"),
        ("arrayFilters", "array_filters"),
        ("maxTimeMS", "max_time_ms"),
        ("disableMD5", "disable_md5"),
        ("bypassDocumentValidation", "bypass_document_validation"),
    ],
)
def test_names_as_python_spells_them(camel: str, expected: str) -> None:
    assert snake(camel) == expected


def test_a_named_parameter_is_preferred_to_passing_on() -> None:
    parameters = Parameters(frozenset({"batch_size"}), frozenset(), open=True)
    assert parameters.keyword("batchSize") == "batch_size"
    assert parameters.keyword("allowDiskUse") == "allowDiskUse"


def test_only_an_open_method_takes_what_it_does_not_name() -> None:
    closed = Parameters(frozenset({"filter"}), frozenset())
    assert closed.keyword("allowDiskUse") is None
    assert Parameters(frozenset({"maxTimeMS"}), frozenset()).keyword("maxTimeMS") == "maxTimeMS"


def test_withheld_options_need_a_named_parameter() -> None:
    withheld = frozenset({"rawData"})
    assert Parameters(frozenset(), frozenset(), True, withheld).keyword("rawData") is None
    named = Parameters(frozenset({"raw_data"}), frozenset(), True, withheld)
    assert named.keyword("rawData") == "raw_data"


def test_parameters_leave_self_and_variadic_ones_out() -> None:
    def method(self: Any, a: int, b: int = 1, *, c: int = 2, **more: Any) -> None: ...

    found = parameters_of(fake.SYNC, method)
    assert found.names == {"a", "b", "c"}
    assert found.required == {"a"}
    assert found.open


def test_a_forwarding_method_takes_what_it_forwards_to() -> None:
    found = parameters_of(fake.SYNC, fake.Collection.find)
    assert {"filter", "batch_size"} <= found.names
    assert not found.open
    assert not found.required, "the target's first argument is the method's own to give"
    assert parameters_of(fake.SYNC, fake.Collection("c").find).names == found.names


def test_keywords_raise_for_what_the_driver_lacks() -> None:
    parameters = Parameters(frozenset({"key"}), frozenset())
    renamed = {"fieldName": "key"}
    assert keywords("op", parameters, {"fieldName": 1}, renamed) == {"key": 1}
    with pytest.raises(Unsupported) as caught:
        keywords("operation.collection.find", parameters, {"hint": 1})
    assert caught.value.name == "operation.collection.find.hint"


def test_a_missing_argument_is_the_files_fault_not_the_drivers() -> None:
    parameters = Parameters(frozenset({"a", "b"}), frozenset({"a", "b"}))
    with pytest.raises(AdapterError, match="op needs b"):
        call_complete("op", dict, parameters, {"a": 1})


def test_build_makes_an_object_of_the_driver() -> None:
    model = build(fake.SYNC, fake.InsertOne, {"document": {"x": 1}, "namespace": "a.b"}, "m")
    assert model == fake.InsertOne({"x": 1}, "a.b")


@pytest.mark.parametrize(
    ("argument", "value", "expected"),
    [
        ("filter", {"x": 1}, {"x": 1}),
        ("session", "session0", "<session0>"),
        ("readConcern", {"level": "local"}, ("read concern", {"level": "local"})),
        (
            "writeConcern",
            {"w": 1, "journal": True, "wtimeoutMS": 5},
            ("write concern", {"w": 1, "j": True, "wtimeout_ms": 5}),
        ),
        (
            "readPreference",
            {"mode": "nearest", "tagSets": [{"a": "b"}], "maxStalenessSeconds": 90, "hedge": {}},
            (
                "read preference",
                {"mode": "nearest", "tag_sets": [{"a": "b"}], "max_staleness": 90, "hedge": {}},
            ),
        ),
        ("returnDocument", "After", fake.ReturnDocument.AFTER),
        ("returnDocument", "before", fake.ReturnDocument.BEFORE),
        ("cursorType", "tailableAwait", fake.CursorType.TAILABLE_AWAIT),
        ("cursorType", "nonTailable", fake.CursorType.NON_TAILABLE),
    ],
)
def test_conversions(argument: str, value: Json, expected: Any) -> None:
    assert _converter()(argument, value, "op") == expected


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("session", 1, r"op\.session should be a string"),
        ("readConcern", "local", r"op\.readConcern should be an object"),
        ("returnDocument", "during", "should be Before or After"),
        ("cursorType", "fast", "should be one of nonTailable"),
    ],
)
def test_malformed_arguments_are_told(argument: str, value: Json, message: str) -> None:
    with pytest.raises(AdapterError, match=message):
        _converter()(argument, value, "op")


def test_an_unknown_option_of_a_concern_is_unsupported_by_name() -> None:
    with pytest.raises(Unsupported) as caught:
        _converter()("writeConcern", {"fsync": True}, "entity.collection.collectionOptions")
    assert caught.value.name == "entity.collection.collectionOptions.writeConcern.fsync"


def test_a_class_that_the_driver_lacks_is_unsupported_by_name() -> None:
    with pytest.raises(Unsupported) as caught:
        _converter()("defaultTransactionOptions", {}, "op")
    assert caught.value.name == "class.TransactionOptions"


def test_write_models() -> None:
    models = write_models(fake.SYNC, [{"insertOne": {"document": {"_id": 1}}}], "op.requests")
    assert models == [fake.InsertOne({"_id": 1})]


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ({}, AdapterError, "should be an array"),
        ([{}], AdapterError, "one key"),
        ([{"insertOne": 1}], AdapterError, "should be an object"),
        ([{"insertOne": {}}], AdapterError, "needs document"),
        ([{"dropOne": {}}], Unsupported, r"op\.requests\.dropOne: known are insertOne"),
        (
            [{"insertOne": {"document": {}, "hint": 1}}],
            Unsupported,
            r"op\.requests\.insertOne\.hint",
        ),
    ],
)
def test_malformed_write_models(models: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        write_models(fake.SYNC, models, "op.requests")
