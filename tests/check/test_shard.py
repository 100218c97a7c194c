"""A run split over several machines."""

from __future__ import annotations

from collections import Counter

import pytest

from runners.collect import Collection, collect, own_specs
from runners.shard import shard


@pytest.fixture(scope="module")
def whole() -> Collection:
    return collect([own_specs() / "server-selection", own_specs() / "crud"])


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_every_case_is_in_one_part(whole: Collection, of: int) -> None:
    parts = [shard(whole, index, of) for index in range(1, of + 1)]
    found = Counter(case for part, _ in parts for case in part.ids)
    assert found == Counter(whole.ids)
    assert {len(part) for part, _ in parts} <= {len(whole) // of, len(whole) // of + 1}
    assert [str(each) for _, each in parts] == [f"{index}/{of}" for index in range(1, of + 1)]
    assert len({each.whole for _, each in parts}) == 1


def test_other_cases_have_another_identity(whole: Collection) -> None:
    _, one = shard(whole, 1, 2)
    _, other = shard(whole.only(text="a"), 1, 2)
    assert one.whole != other.whole
