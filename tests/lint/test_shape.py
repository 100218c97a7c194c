"""Schema errors: what is said, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.linting import problems, problems_at_mark

UNIFIED = """\
description: some
schemaVersion: "1.0"
createEntities:
  - client: { id: client0, observeEvents: [commandStartedEvent, poolReadyEvent] }
tests:
  - description: one
    operations:
      - name: listDatabases
        object: client0
        expectResult: []
    expectEvents:
      - client: client0
        events:
          - commandStartedEvent: { commandName: listDatabases }
"""
SDAM = """\
description: some
uri: mongodb://a
phases:
  - responses:
      - [a:27017, {}]
    applicationErrors:
      - { address: a:27017, when: afterHandshakeCompletes, maxWireVersion: 9, type: network }
    outcome:
      topologyType: Single
      setName: null
      servers: { a:27017: { type: Unknown } }
"""
RTT = """\
avg_rtt_ms: 1
new_rtt_ms: 2
new_avg_rtt: 3
"""
STALENESS = """\
topology_description: { type: Unknown, servers: [] }
read_preference: { mode: Nearest }
suitable_servers: []
in_latency_window: []
"""


@pytest.mark.parametrize("text", [UNIFIED, SDAM, RTT, STALENESS])
def test_what_is_right_has_no_problems(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "old", "new", "expected"),
    [
        (
            UNIFIED,
            "observeEvents",
            "¶observeEvent",
            "[unknown-key] `client` has no key `observeEvent` (did you mean `observeEvents`?)",
        ),
        (
            UNIFIED,
            "poolReadyEvent",
            "¶PoolReady",
            "[value] an item of `observeEvents` cannot be 'PoolReady'"
            " (did you mean `poolReadyEvent`?)",
        ),
        (
            UNIFIED,
            "commandStartedEvent: { commandName: listDatabases }",
            "¶poolReadyEvent: {}",
            "[unknown-key] an item of `events` has no key `poolReadyEvent`"
            " (it needs eventType: cmap)",
        ),
        (
            UNIFIED,
            "client: client0\n        events:",
            "¶events:",
            "[required] an item of `expectEvents` lacks `client`",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "¶expectResult: []\n        expectError: { isError: true }",
            "[conflict] `expectResult` cannot stand beside `expectError` (remove one of them)",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "expectError: { isError: ¶false }",
            "[value] `isError` must be true, not false",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "expectError: ¶{}",
            "[size] `expectError` must not be empty",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "expectError: { ¶isTimeoutError: true }",
            '[newer-version] `isTimeoutError` needs schemaVersion 1.9 (declare "1.9")',
        ),
        (
            UNIFIED,
            '"1.0"',
            "¶1.0",
            "[type] `schemaVersion` must be a string, not 1.0 (put it in quotes)",
        ),
        (
            UNIFIED,
            "- client:",
            "- ¶session: { id: s, client: c }\n    client:",
            "[size] an item of `createEntities` must have exactly 1 key (it has session, client)",
        ),
        (
            UNIFIED,
            "name: listDatabases",
            "¶arguments: {}",
            "[required] an item of `operations` lacks `name`",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "arguments: { entities: [{ thread: ¶{} }] }",
            "[required] `thread` lacks `id`",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "arguments: { event: { ¶poolReady: {} } }",
            "[value] a key of `event` cannot be 'poolReady' (did you mean `poolReadyEvent`?)",
        ),
        (
            UNIFIED,
            "expectResult: []",
            "arguments: { callback: [{ name: find, object: client0, expectError: ¶3 }] }",
            "[type] `expectError` must be a mapping, not 3",
        ),
        (
            UNIFIED,
            "client: {",
            "clientEncryption: { id: e, clientEncryptionOpts: { keyVaultClient: c,"
            " keyVaultNamespace: a.b, kmsProviders: { ¶aws:one: {} } } }\n  - client: {",
            '[newer-version] a key of `kmsProviders` needs schemaVersion 1.18 (declare "1.18")',
        ),
        (
            SDAM,
            "{ address: a:27017, when: afterHandshakeCompletes, maxWireVersion: 9, type: network",
            "¶{ address: a:27017, when: afterHandshakeCompletes, maxWireVersion: 9, type: command",
            "[required] an item of `applicationErrors` lacks `response`",
        ),
        (
            SDAM,
            "type: network",
            "type: network, ¶response: {}",
            "[conflict] `response` cannot stand here",
        ),
        (
            SDAM,
            "[a:27017, {}]",
            "¶[a:27017]",
            "[size] an item of `responses` must have exactly 2 items",
        ),
        (
            SDAM,
            "mongodb://a",
            "¶http://a",
            "[value] `uri` cannot be 'http://a' (it must match ^mongodb(\\+srv)?://)",
        ),
        (
            SDAM,
            "[a:27017, {}]",
            "[¶a, {}]",
            "[value] an item of `responses` cannot be 'a' (As `a:27017`.)",
        ),
        (
            SDAM,
            "type: Unknown",
            "type: ¶RsPrimary",
            "[value] `type` cannot be 'RsPrimary' (did you mean `RSPrimary`?)",
        ),
        (RTT, "new_rtt_ms: 2", "new_rtt_ms: ¶-2", "[value] `new_rtt_ms` cannot be less than 0"),
        (
            RTT,
            "avg_rtt_ms: 1",
            "avg_rtt_ms: ¶none",
            "[value] `avg_rtt_ms` must be 'NULL', not 'none'",
        ),
        (
            RTT,
            "avg_rtt_ms: 1",
            "avg_rtt_ms: ¶null",
            "[type] `avg_rtt_ms` must be a number, not null",
        ),
        (
            STALENESS,
            "in_latency_window: []",
            "error: true\n¶in_latency_window: []",
            "[conflict] `in_latency_window` cannot stand here",
        ),
        (
            STALENESS,
            "mode: Nearest",
            "mode: ¶nearest",
            "[value] `mode` cannot be 'nearest' (did you mean `Nearest`?)",
        ),
    ],
)
def test_a_mistake_is_told_where_it_is(
    tmp_path: Path, text: str, old: str, new: str, expected: str
) -> None:
    assert old in text

    assert problems_at_mark(tmp_path, text.replace(old, new, 1)) == [expected]


def test_what_is_missing_from_the_file_is_told_once_at_its_beginning(tmp_path: Path) -> None:
    text = STALENESS.replace("suitable_servers: []\nin_latency_window: []\n", "")

    assert problems(tmp_path, text) == [
        "1:1: [required] the file lacks `suitable_servers`, `in_latency_window`"
    ]


def test_keys_that_fit_a_pattern_are_known(tmp_path: Path) -> None:
    entity = (
        "clientEncryption: { id: e, clientEncryptionOpts: { keyVaultClient: client0,"
        " keyVaultNamespace: a.b, kmsProviders: { aws: {}, ¶amazon: {} } } }"
    )
    text = UNIFIED.replace("client: {", f"{entity}\n  - client: {{").replace("1.0", "1.8")

    assert problems_at_mark(tmp_path, text) == [
        "[unknown-key] `kmsProviders` has no key `amazon`"
        " (aws, azure, gcp, kmip or local; or one with a name, as aws:name1.)"
    ]
    assert len(problems(tmp_path, text.replace("¶", ""))) == 1


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.0", None),
        ("1", None),
        ("1.28", None),
        ("1.28.0", None),
        ("1.28.1", "2:16: [schema-version] schemaVersion 1.28.1 is not supported"),
        ("1.29", "2:16: [schema-version] schemaVersion 1.29 is not supported"),
        ("2.0", "2:16: [schema-version] schemaVersion 2.0 is not supported"),
        ("0.9", "2:16: [schema-version] schemaVersion 0.9 is not supported"),
        ("one", "2:16: [schema-version] schemaVersion 'one' is not a version"),
        ("1.0.0.0", "2:16: [schema-version] schemaVersion '1.0.0.0' is not a version"),
        ("1.0\\n", "2:16: [schema-version] schemaVersion '1.0\\n' is not a version"),
        ("9" * 5000, f"2:16: [schema-version] schemaVersion '{'9' * 40}' is not a version"),
    ],
)
def test_versions(tmp_path: Path, version: str, expected: str | None) -> None:
    mend = " (supported: 1.0 to 1.28)"
    wanted = [] if expected is None else [expected + mend]

    assert problems(tmp_path, UNIFIED.replace("1.0", version)) == wanted


def test_of_an_unsupported_version_nothing_else_is_said(tmp_path: Path) -> None:
    text = UNIFIED.replace("1.0", "1.99") + "later: true\n"

    assert len(problems(tmp_path, text)) == 1


def test_problems_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = UNIFIED.replace("id: client0", "id: 1").replace("name: list", "names: list") + "x: 1\n"
    lines = [int(problem.split(":")[0]) for problem in problems(tmp_path, text)]

    assert lines == sorted(lines)
    assert len(lines) == 4


def test_a_json_twin_has_the_same_problems_in_its_own_places(tmp_path: Path) -> None:
    text = '{"new_rtt_ms": 1,\n "new_avg_rtt": 2, "avg_rtt_ms": "none"}'

    assert problems(tmp_path, text, "a.json") == [
        "2:34: [value] `avg_rtt_ms` must be 'NULL', not 'none'"
    ]
