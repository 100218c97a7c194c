"""Operations on a driver's entities: results, errors, entities that are saved."""

from __future__ import annotations

import pytest

from runners.adapters.base import ErrorReport, Reply
from runners.model import Json, JsonObject, State
from tests.unified.files import file_with, find, insert, op
from tests.unified.scripted import Answer, Bench, failed

DOCUMENT: JsonObject = {"_id": 1, "more": 2}


def state_of(operation: Json, answer: Answer) -> State:
    return Bench({"coll": answer, str(_name(operation)): answer}).run(file_with(operation)).state


def _name(operation: Json) -> Json:
    assert isinstance(operation, dict)
    return operation["name"]


@pytest.mark.parametrize(
    ("expected", "answer", "state"),
    [
        ([{"_id": 1}], [DOCUMENT], State.PASS),
        ([{"_id": 1}], [DOCUMENT, DOCUMENT], State.FAIL),
        ({"_id": 1}, DOCUMENT, State.PASS),
        ({"$$unsetOrMatches": {"_id": 1}}, DOCUMENT, State.PASS),
        ({"$$unsetOrMatches": {"_id": 1}}, Reply(), State.PASS),
        ({"$$unsetOrMatches": {"_id": 2}}, DOCUMENT, State.FAIL),
        (None, Reply(), State.PASS),
        (None, DOCUMENT, State.FAIL),
        ({"_id": 1}, Reply(), State.FAIL),
    ],
)
def test_results(expected: Json, answer: Answer, state: State) -> None:
    assert state_of(find(expectResult=expected), answer) is state


def test_distinct_gives_values_not_root_documents() -> None:
    operation = op(
        "distinct", arguments={"fieldName": "x", "filter": {}}, expectResult=[{"_id": 1}]
    )
    assert state_of(operation, [DOCUMENT]) is State.FAIL
    assert state_of(operation, [{"_id": 1}]) is State.PASS


def test_result_that_nobody_asks_for_is_ignored() -> None:
    assert state_of(find(), [DOCUMENT]) is State.PASS


@pytest.mark.parametrize("answer", [failed(), [DOCUMENT]])
def test_result_and_error_may_be_ignored(answer: Answer) -> None:
    assert state_of(find(ignoreResultAndError=True), answer) is State.PASS


def test_ignoring_errors_of_the_driver_does_not_ignore_those_of_the_file() -> None:
    bench = Bench()
    verdict = bench.run(file_with(op("insertOne", arguments={"foo": 1}, ignoreResultAndError=True)))
    assert verdict.state is State.ERROR
    assert "insertOne needs document" in verdict.reason
    assert "coll.insertOne" not in bench.driver.done


def test_expected_error_that_does_not_come() -> None:
    verdict = Bench({"find": [DOCUMENT]}).run(file_with(find(expectError={"isError": True})))
    assert verdict.state is State.FAIL
    assert "find should have failed" in verdict.reason
    assert verdict.failure is not None
    assert verdict.failure.actual == [DOCUMENT]


ERROR = ErrorReport(
    message="Duplicate key",
    kind="WriteError",
    code=11000,
    code_name="DuplicateKey",
    labels=("RetryableWriteError",),
    response={"ok": 0, "code": 11000, "errmsg": "…"},
    result={"insertedCount": 1, "deletedCount": 0},
    write_errors={"2": {"code": 5, "message": "m"}},
    write_concern_errors=[{"code": 91, "message": "w"}],
)


@pytest.mark.parametrize(
    "expected",
    [
        {"isError": True},
        {"isClientError": False},
        {"isTimeoutError": False},
        {"errorContains": "DUPLICATE"},
        {"errorCode": 11000},
        {"errorCodeName": "duplicatekey"},
        {"errorLabelsContain": ["RetryableWriteError"]},
        {"errorLabelsOmit": ["TransientTransactionError"]},
        {"errorResponse": {"code": 11000}},
        {"expectResult": {"insertedCount": 1}},
        {"expectResult": {"$$unsetOrMatches": {"insertedCount": 1}}},
        {"writeErrors": {"2": {"code": 5}}},
        {"writeConcernErrors": [{"code": 91}]},
    ],
)
def test_errors_as_expected(expected: JsonObject) -> None:
    assert state_of(find(expectError=expected), Reply(error=ERROR)) is State.PASS


@pytest.mark.parametrize(
    ("expected", "path"),
    [
        ({"isClientError": True}, "isClientError"),
        ({"isTimeoutError": True}, "isTimeoutError"),
        ({"isError": True, "errorContains": "other"}, "errorContains"),
        ({"errorCode": 1}, "errorCode"),
        ({"errorCodeName": "Duplicate"}, "errorCodeName"),
        ({"errorLabelsContain": ["RetryableWriteError", "X"]}, "errorLabelsContain"),
        ({"errorLabelsOmit": ["X", "RetryableWriteError"]}, "errorLabelsOmit"),
        ({"errorResponse": {"code": 1}}, "errorResponse.code"),
        ({"expectResult": {"insertedCount": 2}}, "expectResult.insertedCount"),
        ({"writeErrors": {"2": {"code": 6}}}, "writeErrors.2.code"),
        ({"writeErrors": {}}, "writeErrors"),
        ({"writeErrors": {"2": {}, "3": {}}}, "writeErrors"),
        ({"writeConcernErrors": []}, "writeConcernErrors"),
        ({"writeConcernErrors": [{"code": 1}]}, "writeConcernErrors[0].code"),
    ],
)
def test_errors_other_than_expected(expected: JsonObject, path: str) -> None:
    verdict = Bench({"find": Reply(error=ERROR)}).run(file_with(find(expectError=expected)))
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    assert verdict.failure.path == f"tests[0].operations[0].expectError.{path}"


@pytest.mark.parametrize(
    "expected",
    [
        {"errorCode": 1},
        {"errorCodeName": "X"},
        {"errorResponse": {}},
        {"expectResult": {}},
        {"writeErrors": {"0": {}}},
        {"writeConcernErrors": [{}]},
    ],
)
def test_errors_that_lack_what_is_expected(expected: JsonObject) -> None:
    bare = Reply(error=ErrorReport("m", "K"))
    assert state_of(find(expectError=expected), bare) is State.FAIL


def test_error_without_a_result_matches_an_optional_one() -> None:
    expected: JsonObject = {"expectResult": {"$$unsetOrMatches": {"insertedCount": 1}}}
    assert state_of(find(expectError=expected), failed()) is State.PASS


@pytest.mark.parametrize(
    "expected", [{"isError": False}, {"moon": 1}, {"errorLabelsContain": "X"}, {"writeErrors": []}]
)
def test_expected_errors_that_make_no_sense(expected: JsonObject) -> None:
    assert state_of(find(expectError=expected), Reply(error=ERROR)) is State.ERROR


def test_saved_results_can_be_matched() -> None:
    bench = Bench({"insertOne": {"$oid": "0" * 24}, "find": [{"_id": {"$oid": "0" * 24}}]})
    found: Json = [{"_id": {"$$matchesEntity": "id0"}}]
    file = file_with(insert(saveResultAsEntity="id0"), find(expectResult=found))
    assert bench.run(file).state is State.PASS
    bench.driver.answers["find"] = [{"_id": {"$oid": "1" * 24}}]
    assert bench.run(file).state is State.FAIL


def test_cursors_stay_with_the_adapter() -> None:
    bench = Bench({"iterateOnce": DOCUMENT})
    make = op("createFindCursor", arguments={"filter": {}}, saveResultAsEntity="cursor0")
    step = op("iterateOnce", "cursor0", expectResult={"_id": 1})
    assert bench.run(file_with(make, step)).state is State.PASS
    assert bench.driver.saved == ["cursor0"]
    assert bench.driver.done[-2] == "cursor0.iterateOnce"


@pytest.mark.parametrize(
    ("operations", "reason"),
    [
        ([find(saveResultAsEntity="x")], "gave no result to save as 'x'"),
        ([op("close", "client0", saveResultAsEntity="coll")], "already an entity named 'coll'"),
        ([op("find", "nobody")], "no entity named 'nobody'"),
        ([op("findd")], "a collection has no operation 'findd'"),
        ([op("close")], "a collection has no operation 'close'"),
        ([op("find", arguments={"filter": {}, "sorted": 1})], "find has no argument sorted"),
        ([op("find", arguments={"filter": {}, "session": "coll"})], "should be a session"),
        ([op("find", arguments={"filter": {}, "session": 1})], "should be a string"),
        ([op("find", "thread0")], "a thread has no operation 'find'"),
        ([{"object": "coll"}], "`name` is missing"),
        ([{"name": "find"}], "`object` is missing"),
        ([op("find", arguments={"filter": {}}, expectError=1)], "should be an object"),
        ([find(expectResult={"$$matchesEntity": "coll"})], "should be a saved"),
        ([find(expectResult={"$$sessionLsid": "coll"})], "should be a session"),
        ([find(expectResult={"$$what": 1})], "not a matching operator"),
        ([op("moon", "testRunner")], "testRunner knows no operation 'moon'"),
    ],
)
def test_operations_that_make_no_sense(operations: list[Json], reason: str) -> None:
    verdict = Bench().run(file_with(*operations))
    assert verdict.state is State.ERROR
    assert reason in verdict.reason


def test_lsid_is_known_after_the_session_ended() -> None:
    lsid: JsonObject = {"id": "x"}
    bench = Bench({"spec.lsid": lsid, "find": [{"lsid": lsid}]})
    expected: Json = [{"lsid": {"$$sessionLsid": "session0"}}]
    file = file_with(op("endSession", "session0"), find(expectResult=expected))
    assert bench.run(file).state is State.PASS
    assert bench.driver.done.index("session0.spec.lsid") < bench.driver.done.index(
        "session0.endSession"
    )


def transaction(*callback: Json, **more: Json) -> Json:
    return op("withTransaction", "session0", {"callback": list(callback)}, **more)


def test_callback_operations_are_checked() -> None:
    verdict = Bench({"find": []}).run(file_with(transaction(find(expectResult=[1]))))
    assert verdict.state is State.FAIL
    assert verdict.failure is not None
    assert verdict.failure.path == "tests[0].operations[0].arguments.callback[0].expectResult"
    assert verdict.failure.operation == "find"


def test_callback_hands_the_error_to_the_driver_and_ends() -> None:
    bench = Bench({"find": failed("inner", 7)})
    inner = find(expectError={"errorCode": 7})
    file = file_with(transaction(insert(), inner, insert(), expectError={"errorCode": 7}))
    assert bench.run(file).state is State.PASS
    assert bench.driver.done.count("coll.insertOne") == 1


def test_callback_hands_over_even_an_ignored_error() -> None:
    bench = Bench({"find": failed("inner", 7)})
    inner = find(ignoreResultAndError=True)
    file = file_with(transaction(inner, insert(), expectError={"errorCode": 7}))
    assert bench.run(file).state is State.PASS
    assert "coll.insertOne" not in bench.driver.done


def test_callback_without_error_passes() -> None:
    bench = Bench()
    assert bench.run(file_with(transaction(insert(), find()))).state is State.PASS
    assert bench.driver.done[-3:] == ["coll.insertOne", "coll.find", "reset"]
