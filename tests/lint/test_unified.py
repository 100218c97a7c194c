"""What no schema says: entities, operations, operators and events of the unified format."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.linting import problems, problems_at_mark

HEAD = """\
description: some
schemaVersion: "1.27"
createEntities:
  - client:
      id: client0
      observeEvents: [commandStartedEvent]
      observeLogMessages: { command: debug }
      observeTracingMessages: {}
  - database: { id: database0, client: client0, databaseName: db }
  - collection: { id: collection0, database: database0, collectionName: coll }
  - session: { id: session0, client: client0 }
  - thread: { id: thread0 }
tests:
  - description: one
"""


def operations(*lines: str) -> str:
    return "    operations:\n" + "".join(f"      - {line}\n" for line in lines)


@pytest.mark.parametrize(
    "test",
    [
        operations(
            "{ name: createChangeStream, object: database0, saveResultAsEntity: stream0 }",
            "{ name: iterateUntilDocumentOrError, object: stream0 }",
            "{ name: insertOne, object: collection0, arguments: { session: session0 } }",
            "{ name: wait, object: testRunner, arguments: { ms: 1 } }",
        ),
        operations(
            "{ name: createCollection, object: database0, saveResultAsEntity: new0 }",
            "{ name: insertMany, object: new0 }",
        ),
        operations(
            "{ name: recordTopologyDescription, object: testRunner,"
            " arguments: { client: client0, id: topology0 } }",
            "{ name: assertTopologyType, object: testRunner,"
            " arguments: { topologyDescription: topology0 } }",
        ),
        operations(
            "{ name: createEntities, object: testRunner,"
            " arguments: { entities: [{ client: { id: client1 } }] } }",
            "{ name: close, object: client1 }",
        ),
        operations(
            "{ name: distinct, object: collection0, saveResultAsEntity: values0 }",
            "{ name: find, object: collection0, expectResult: { $$matchesEntity: values0 } }",
        )
        + "    expectEvents:\n      - client: client0\n        events:\n"
        "          - commandStartedEvent: { command: { lsid: { $$sessionLsid: session0 } } }\n",
    ],
)
def test_what_is_right_has_no_problems(tmp_path: Path, test: str) -> None:
    assert problems(tmp_path, HEAD + test) == []


EVENTS = "    operations: []\n    expectEvents: "
CREATE = "{ name: createEntities, object: testRunner, arguments: { entities: [%s] } }"


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        (
            operations("{ name: find, object: ¶colection0 }"),
            "[undefined-entity] no entity `colection0` exists at this point"
            " (did you mean `collection0`?)",
        ),
        (
            operations("{ name: ¶fnd, object: collection0 }"),
            "[unknown-operation] collection has no operation `fnd` (did you mean `find`?)",
        ),
        (
            operations("{ name: ¶insertOne, object: database0 }"),
            "[unknown-operation] database has no operation `insertOne` (a collection has it)",
        ),
        (
            operations("{ name: ¶find, object: thread0 }"),
            "[unknown-operation] thread has no operation `find` (a collection has it)",
        ),
        (
            operations("{ name: ¶waitForEvents, object: testRunner }"),
            "[unknown-operation] testRunner has no operation `waitForEvents`"
            " (did you mean `waitForEvent`?)",
        ),
        (
            operations("{ name: failPoint, object: testRunner, arguments: ¶{ failPoint: {} } }"),
            "[required] failPoint needs an argument `client`, the id of a client",
        ),
        (
            operations(
                "{ name: assertSessionDirty, object: testRunner, arguments: { session: ¶client0 } }"
            ),
            "[wrong-kind] `client0` is a client, and a session is needed",
        ),
        (
            operations("{ name: find, object: collection0, arguments: { session: ¶session1 } }"),
            "[undefined-entity] no entity `session1` exists at this point"
            " (did you mean `session0`?)",
        ),
        (
            operations(
                "{ name: close, object: ¶stream9 }",
                "{ name: createChangeStream, object: client0, saveResultAsEntity: stream9 }",
            ),
            "[undefined-entity] no entity `stream9` exists at this point"
            " (known: client0, collection0, database0, session0, testRunner, thread0)",
        ),
        (
            operations(
                "{ name: createChangeStream, object: client0, saveResultAsEntity: ¶session0 }"
            ),
            "[duplicate-entity] an entity `session0` exists already (choose another id)",
        ),
        (
            operations(CREATE % "{ bucket: { id: ¶client0, database: database0 } }"),
            "[duplicate-entity] an entity `client0` exists already (choose another id)",
        ),
        (
            operations(CREATE % "{ bucket: { id: bucket0, database: ¶client0 } }"),
            "[wrong-kind] `client0` is a client, and a database is needed",
        ),
        (
            operations(
                "{ name: recordTopologyDescription, object: testRunner,"
                " arguments: { client: client0, id: ¶client0 } }"
            ),
            "[duplicate-entity] an entity `client0` exists already (choose another id)",
        ),
        (
            operations(
                "{ name: withTransaction, object: session0,"
                " arguments: { callback: [{ name: find, object: ¶collection1 }] } }"
            ),
            "[undefined-entity] no entity `collection1` exists at this point"
            " (did you mean `collection0`?)",
        ),
        (
            operations(
                "{ name: runOnThread, object: testRunner,"
                " arguments: { thread: thread0, operation: { name: ¶fin, object: collection0 } } }"
            ),
            "[unknown-operation] collection has no operation `fin` (did you mean `find`?)",
        ),
        (
            operations(
                "{ name: waitForEvent, object: testRunner,"
                " arguments: { client: client0, count: 1, event: { ¶poolClearedEvent: {} } } }"
            ),
            "[not-observed] the client `client0` does not observe poolClearedEvent"
            " (add it to the client's observeEvents)",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: { ¶$$exist: true } }"),
            "[unknown-operator] no operator `$$exist` (did you mean `$$exists`?)",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: { $$exists: ¶1 } }"),
            "[operator] `$$exists` takes true or false",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: { $$type: ¶strin } }"),
            "[operator] `$$type` takes BSON types as the query operator $type names them",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: { $$type: ¶[] } }"),
            "[operator] `$$type` takes BSON types as the query operator $type names them",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: { $$type: ¶[{}] } }"),
            "[operator] `$$type` takes BSON types as the query operator $type names them",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: { $$lte: ¶true } }"),
            "[operator] `$$lte` takes a number",
        ),
        (
            operations(
                "{ name: find, object: collection0, expectResult: {$$matchesHexBytes: ¶abc}}"
            ),
            "[operator] `$$matchesHexBytes` takes pairs of hexadecimal digits",
        ),
        (
            operations("{ name: find, object: collection0, expectResult: [{ ¶$$lte: 1, a: 1 }] }"),
            "[operator] `$$lte` must be the only key of its mapping",
        ),
        (
            operations(
                "{ name: find, object: collection0, expectResult: { $$sessionLsid: ¶client0 } }"
            ),
            "[wrong-kind] `client0` is a client, and a session is needed",
        ),
        (
            operations(
                "{ name: runOnThread, object: testRunner, arguments: { thread: thread0, operation:"
                " { name: find, object: collection0, expectResult: { ¶$$exis: 1 } } } }"
            ),
            "[unknown-operator] no operator `$$exis` (did you mean `$$exists`?)",
        ),
        (
            operations(
                "{ name: withTransaction, object: session0, arguments: { callback: [] },"
                " expectResult: { ¶$$typ: int } }"
            ),
            "[unknown-operator] no operator `$$typ` (did you mean `$$type`?)",
        ),
        (
            EVENTS + "[{ client: client0, events: [{ commandStartedEvent:"
            " { command: { lsid: { ¶$$sesionLsid: session0 } } } }] }]\n",
            "[unknown-operator] no operator `$$sesionLsid` (did you mean `$$sessionLsid`?)",
        ),
        (
            EVENTS + "[{ client: ¶client1, events: [] }]\n",
            "[undefined-entity] no entity `client1` exists at this point (did you mean `client0`?)",
        ),
        (
            EVENTS + "[{ client: client0, events: [{ ¶commandFailedEvent: {} }] }]\n",
            "[not-observed] the client `client0` does not observe commandFailedEvent"
            " (add it to the client's observeEvents)",
        ),
        (
            "    operations: []\n    expectLogMessages: [{ client: client0, messages:"
            " [{ level: debug, component: ¶topology, data: {} }] }]\n",
            "[not-observed] the client `client0` does not observe this component"
            " (add it to the client's observeLogMessages)",
        ),
        (
            "    operations: []\n  - description: ¶one\n    operations: []\n",
            "[duplicate-description] another test is described as 'one', too"
            " (a case is known by its description)",
        ),
    ],
)
def test_a_mistake_is_told_where_it_is(tmp_path: Path, test: str, expected: str) -> None:
    assert problems_at_mark(tmp_path, HEAD + test) == [expected]


def test_spans_need_a_client_that_observes_them(tmp_path: Path) -> None:
    text = HEAD.replace("      observeTracingMessages: {}\n", "") + (
        "    operations: []\n    expectTracingMessages: [{ client: client0, spans: [] }]\n"
    )

    assert problems(tmp_path, text) == [
        "15:39: [not-observed] the client `client0` does not observe spans"
        " (give the client observeTracingMessages)"
    ]


def test_operators_have_an_age(tmp_path: Path) -> None:
    text = (
        'description: old\nschemaVersion: "1.8"\ncreateEntities: [{ client: { id: c } }]\ntests:\n'
        "  - description: one\n    operations:\n"
        "      - { name: listDatabases, object: c, expectResult: { $$lte: 3 } }\n"
    )

    assert problems(tmp_path, text) == [
        '7:59: [newer-version] `$$lte` needs schemaVersion 1.9 (declare "1.9")'
    ]


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ("database: { id: d, client: ¶c1, databaseName: x }", "undefined-entity"),
        ("client: { id: ¶c }", "duplicate-entity"),
        ("client: { id: ¶testRunner }", "duplicate-entity"),
        (
            "session: { id: s, client: c, sessionOptions: { snapshotTime: ¶t } }",
            "undefined-entity",
        ),
        (
            "clientEncryption: { id: e, clientEncryptionOpts:"
            " { keyVaultClient: ¶v, keyVaultNamespace: a.b, kmsProviders: {} } }",
            "undefined-entity",
        ),
    ],
)
def test_entities_of_the_file(tmp_path: Path, entity: str, expected: str) -> None:
    text = (
        'description: some\nschemaVersion: "1.8"\ncreateEntities:\n  - { client: { id: c } }\n'
        f"  - {entity}\ntests: [{{ description: one, operations: [] }}]\n"
    )
    (found,) = problems_at_mark(tmp_path, text)

    assert found.startswith(f"[{expected}]")


def test_tests_do_not_share_what_they_make(tmp_path: Path) -> None:
    make = "{ name: createFindCursor, object: collection0, saveResultAsEntity: cursor0 }"
    text = HEAD + operations(make) + "  - description: two\n" + operations(make)

    assert problems(tmp_path, text) == []
