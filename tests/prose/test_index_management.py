"""Index management: the tests ported from enumerate-indexes, on all kinds of servers.

The tests of search indexes, cases 1 to 8, need a cluster on Atlas: `mongot` is no part of the
servers here. What the helpers send is in the spec's unified tests.
"""

from __future__ import annotations

from typing import Any

import pytest

from driver import ReadPreference, WriteConcern
from runners.deployments.local import LocalDeployment
from tests.engine.clients import both_shells, use
from tests.prose.faults import Wait

pytestmark = pytest.mark.live


@both_shells
@pytest.mark.parametrize(
    ("topology", "preference"),
    [
        ("standalone", ReadPreference.PRIMARY),
        ("replica_set", ReadPreference.PRIMARY),
        ("replica_set", ReadPreference.SECONDARY),
        ("sharded", ReadPreference.PRIMARY),
    ],
    ids=["standalone", "primary", "secondary", "mongos"],
)
def test_indexes_are_listed(
    shell: str, topology: str, preference: ReadPreference, request: pytest.FixtureRequest
) -> None:
    deployment: LocalDeployment = request.getfixturevalue(topology)

    async def act(client: Any, wait: Wait) -> tuple[list[str], dict[str, Any], list[Any]]:
        concern = WriteConcern(w=3 if topology == "replica_set" else 1)
        database = client.get_database("indexes", write_concern=concern)
        collection = database[f"c_{shell}"]
        await wait(collection.drop())
        await wait(collection.create_index("a"))
        await wait(collection.create_index([("a", 1), ("b", -1)]))
        await wait(collection.create_index("c", unique=True))
        await wait(collection.insert_one({"a": 1, "b": 2, "c": 3}))
        read = collection.with_options(read_preference=preference)
        information = await wait(read.index_information())
        cursor = await wait(read.list_indexes())
        return list(information), information, await wait(cursor.to_list())

    names, information, listed = use(shell, deployment.info.uri, act)
    expected = ["_id_", "a_1", "a_1_b_-1", "c_1"]
    assert sorted(names) == expected
    assert sorted(index["name"] for index in listed) == expected
    assert [name for name in names if information[name].get("unique")] == ["c_1"]
    assert [index["name"] for index in listed if index.get("unique")] == ["c_1"]
    for index in listed:
        assert index.get("ns") in (None, f"indexes.c_{shell}")
