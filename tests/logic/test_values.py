"""Formats about values, in files written here: URIs, credentials, concerns, BSON, vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.adapters.reference_logic import LOGIC
from runners.model import Json, JsonObject, State, Verdict
from tests.logic.running import always, answering, run, run_all, write

URI = """\
tests:
  - description: one
    uri: mongodb://anna:secret@a:1,%2Ftmp%2Fb.sock/shop.things?maxPoolSize=5&compressors=zlib
    valid: true
    warning: false
    hosts:
      - {type: hostname, host: a, port: 1}
      - {type: unix, host: /tmp/b.sock, port: null}
    auth: {username: anna, password: secret, db: shop.things}
    options: {MAXPOOLSIZE: 5, compressors: [zlib]}
"""
AUTH = """\
tests:
  - description: one
    uri: mongodb://anna@a/?authMechanism=GSSAPI&authMechanismProperties=SERVICE_REALM:north
    valid: true
    credential:
      username: anna
      password: null
      source: $external
      mechanism: GSSAPI
      mechanism_properties: {SERVICE_REALM: north}
"""
CONCERN = """\
tests:
  - description: one
    uri: mongodb://a/?w=2&journal=true&readConcernLevel=local
    valid: true
    warning: false
    readConcern: {level: local}
    writeConcern: {w: 2, journal: true}
"""
DOCUMENT = """\
tests:
  - description: one
    valid: true
    writeConcern: {w: 0, wtimeoutMS: 7}
    writeConcernDocument: {w: 0, wtimeout: 7}
    isServerDefault: false
    isAcknowledged: false
"""
CORPUS = """\
description: floating point
bson_type: "0x01"
valid:
  - description: one
    canonical_bson: "10000000017800000000000000F03F00"
    canonical_extjson: '{"x": {"$numberDouble": "1.0"}}'
    relaxed_extjson: '{"x": 1.0}'
    degenerate_extjson: '{"x": {"$numberDouble": "1"}}'
"""
VECTOR = """\
test_key: v
tests:
  - description: one
    valid: true
    vector: [1, -1]
    dtype_hex: "0x03"
    dtype_alias: INT8
    padding: 0
    canonical_bson: 110000000576000400000009030001FF00
"""
FILES = {
    "connection-string": URI,
    "auth": AUTH,
    "read-write-concern": CONCERN,
    "read-write-concern-document": DOCUMENT,
    "bson-corpus": CORPUS,
    "bson-binary-vector": VECTOR,
}


@pytest.mark.parametrize("name", FILES)
def test_the_reference_passes(name: str, tmp_path: Path) -> None:
    verdict = run(write(tmp_path, FILES[name]))
    assert verdict.state is State.PASS, verdict
    assert verdict.case.format == name


@pytest.mark.parametrize(
    ("text", "old", "new", "place"),
    [
        (URI, "valid: true", "valid: false", "valid"),
        (URI, "warning: false", "warning: true", "warning"),
        (URI, "?max", "?nonsense=1&max", "warning"),
        (URI, "host: a, port: 1", "host: b, port: 1", "hosts[0].host"),
        (URI, "host: a, port: 1", "host: a, port: 2", "hosts[0].port"),
        (URI, "type: unix", "type: hostname", "hosts[1].type"),
        (URI, "a:1,%2F", "a:1,c,%2F", "hosts"),
        (URI, "username: anna", "username: otto", "auth.username"),
        (URI, "password: secret", "password: other", "auth.password"),
        (URI, "db: shop.things", "db: shop", "auth.db"),
        (URI, "MAXPOOLSIZE: 5", "MAXPOOLSIZE: 6", "options.MAXPOOLSIZE"),
        (URI, "MAXPOOLSIZE: 5", "minPoolSize: 5", "options.minPoolSize"),
        (AUTH, "valid: true", "valid: false", "valid"),
        (AUTH, "username: anna", "username: null", "credential.username"),
        (AUTH, "password: null", "password: x", "credential.password"),
        (AUTH, "source: $external", "source: admin", "credential.source"),
        (AUTH, "mechanism: GSSAPI", "mechanism: PLAIN", "credential.mechanism"),
        (AUTH, "REALM: n", "REALM: s", "credential.mechanism_properties.SERVICE_REALM"),
        (AUTH, "{SERVICE_REALM: n", "{X: n", "credential.mechanism_properties.X"),
        (AUTH, "anna@a/?authMechanism=GSSAPI&authMechanismProperties=", "a/?x=", "credential"),
        (CONCERN, "valid: true", "valid: false", "valid"),
        (CONCERN, "warning: false", "warning: true", "warning"),
        (CONCERN, "level: local", "level: majority", "readConcern.level"),
        (CONCERN, "journal: true", "journal: false", "writeConcern.journal"),
        (CONCERN, "{w: 2, journal: true}", "{w: 2}", "writeConcern"),
        (DOCUMENT, "valid: true", "valid: false", "valid"),
        (DOCUMENT, "wtimeout: 7", "wtimeout: 8", "writeConcernDocument.wtimeout"),
        (DOCUMENT, "isServerDefault: false", "isServerDefault: true", "isServerDefault"),
        (DOCUMENT, "isAcknowledged: false", "isAcknowledged: true", "isAcknowledged"),
        (CORPUS, "F03F00", "F0BF00", "canonical_extjson"),
        (CORPUS, '"1.0"}', '"1.5"}', "canonical_extjson"),
        (CORPUS, '{"x": 1.0}', '{"x": 2}', "relaxed_extjson"),
        (CORPUS, '"1"}', '"2"}', "canonical_bson"),
        (CORPUS, '"1"}', '"one"}', "degenerate_extjson"),
        (VECTOR, "valid: true", "valid: false", "vector"),
        (VECTOR, "[1, -1]", "[1, -2]", "canonical_bson"),
        (VECTOR, "INT8", "FLOAT32", "dtype_alias"),
        (VECTOR, '"0x03"', '"0x10"', "vector"),
        (VECTOR, "padding: 0", "padding: 1", "vector"),
    ],
)
def test_each_mismatch_is_found_at_its_place(
    text: str, old: str, new: str, place: str, tmp_path: Path
) -> None:
    assert text.count(old) == 1
    verdict = run(write(tmp_path, text.replace(old, new)))
    assert verdict.state is State.FAIL, verdict
    assert verdict.failure is not None
    assert verdict.failure.path.partition(".")[2] == place


@pytest.mark.parametrize("name", FILES)
def test_what_nothing_checks_is_an_error(name: str, tmp_path: Path) -> None:
    text = FILES[name].replace("- description: one", "- description: one\n    more: 1")
    verdict = run(write(tmp_path, text))
    assert verdict.state is State.ERROR
    assert "more: nothing reads this key" in verdict.reason


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("answer", [{}, {"error": "no"}, {"bson": 5, "hosts": 5, "document": []}])
def test_a_useless_answer_fails(name: str, answer: Json, tmp_path: Path) -> None:
    assert asked(tmp_path, name, answer).state is State.FAIL


@pytest.mark.parametrize("name", FILES)
def test_an_answer_that_is_no_object_is_an_error(name: str, tmp_path: Path) -> None:
    assert asked(tmp_path, name, None).state is State.ERROR


def asked(folder: Path, name: str, answer: Json) -> Verdict:
    return run(write(folder, FILES[name]), answering({name: always(answer)}))


ERRORS = """\
description: floating point
bson_type: "0x01"
decodeErrors:
  - {description: bytes, bson: "0500000000"}
parseErrors:
  - {description: text, string: "{}"}
"""


def test_what_should_be_refused_but_is_not_fails(tmp_path: Path) -> None:
    decoding, parsing = run_all(write(tmp_path, ERRORS))
    assert decoding.failure is not None
    assert decoding.failure.path == "decodeErrors[0].bson"
    assert parsing.failure is not None
    assert parsing.failure.path == "parseErrors[0].string"


def test_a_decimal_is_asked_for_as_such(tmp_path: Path) -> None:
    asked = []

    def answer(arguments: Json) -> Json:
        asked.append(arguments)
        return {"error": "no"}

    text = ERRORS.replace("0x01", "0x13")
    run_all(write(tmp_path, text), answering({"bson-corpus": answer}))
    assert asked == [{"bson": "0500000000"}, {"decimal128": "{}"}]


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ('{"x": 1.0}', True),
        ('{"x": 1}', True),
        ('{"x": 10e-1}', True),
        ('{"x": true}', False),
        ('{"x": "1"}', False),
        ('{"x": [1.0]}', False),
        ('{"x": 1.0, "y": 1}', False),
        ("{", False),
    ],
)
def test_how_a_number_is_written_does_not_count(written: str, same: bool, tmp_path: Path) -> None:
    honest = LOGIC["bson-corpus"]

    def answer(arguments: Json) -> Json:
        assert isinstance(arguments, dict)
        whole = honest(arguments)
        assert isinstance(whole, dict)
        return {**whole, "relaxed": written}

    verdict = run(write(tmp_path, CORPUS), answering({"bson-corpus": answer}))
    assert (verdict.state is State.PASS) is same


def test_the_sign_of_a_zero_counts(tmp_path: Path) -> None:
    text = CORPUS.replace("F03F00", "000000").replace("1.0", "-0.0").replace('"1"', '"-0"')
    (verdict,) = run_all(write(tmp_path, text))
    assert verdict.state is State.FAIL
    text = text.replace("10000000017800000000000000000000", "10000000017800000000000000008000")
    assert run(write(tmp_path, text)).state is State.PASS


def test_floats_of_32_bits_are_compared_as_such(tmp_path: Path) -> None:
    text = VECTOR.replace("[1, -1]", "[0.1]").replace("0x03", "0x27").replace("INT8", "FLOAT32")
    data = "1300000005760006000000092700CDCCCC3D00"
    text = text.replace("110000000576000400000009030001FF00", data)
    assert run(write(tmp_path, text)).state is State.PASS
    assert run(write(tmp_path, text.replace("[0.1]", "[0.2]"))).state is State.FAIL


DEPRECATED = """\
description: undefined
bson_type: "0x06"
deprecated: true
valid:
  - description: one
    canonical_bson: "0800000006780000"
    canonical_extjson: '{"x": {"$undefined": true}}'
    converted_bson: "080000000A780000"
    converted_extjson: '{"x": null}'
"""
_AS_IT_IS = {"bson": "0800000006780000", "canonical": '{"x": {"$undefined": true}}'}
_CONVERTED = {"bson": "080000000a780000", "canonical": '{"x": null}'}


@pytest.mark.parametrize(
    ("of_bson", "of_json", "state"),
    [
        (_AS_IT_IS, _AS_IT_IS, State.PASS),
        (_CONVERTED, _CONVERTED, State.PASS),
        (_CONVERTED, _AS_IT_IS, State.FAIL),
        ({**_CONVERTED, "canonical": '{"x": 0}'}, _CONVERTED, State.FAIL),
    ],
)
def test_a_codec_may_convert_a_deprecated_type_if_it_always_does(
    of_bson: JsonObject, of_json: JsonObject, state: State, tmp_path: Path
) -> None:
    def answer(arguments: JsonObject) -> Json:
        return of_bson if "bson" in arguments else of_json

    assert run(write(tmp_path, DEPRECATED), answering({"bson-corpus": answer})).state is state


@pytest.mark.parametrize(
    ("valid", "answer", "state"),
    [
        ("false", {"unresolved": True}, State.UNSUPPORTED),
        ("false", {"unresolved": True, "error": "no"}, State.PASS),
        ("false", {"unresolved": False}, State.FAIL),
    ],
)
def test_what_a_driver_accepts_until_it_asks_dns_is_not_judged(
    valid: str, answer: JsonObject, state: State, tmp_path: Path
) -> None:
    file = URI.replace("valid: true", f"valid: {valid}")
    verdict = run(write(tmp_path, file), answering({"connection-string": always(answer)}))
    assert verdict.state is state
