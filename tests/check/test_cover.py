"""A cover serves everybody, and none is smaller."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from runners.cover import fewest

WISHES = st.lists(st.lists(st.integers(0, 6), max_size=4, unique=True), max_size=8)


@given(WISHES)
def test_it_is_a_smallest_one(wishes: list[list[int]]) -> None:
    found = fewest(wishes)
    wanted = [set(wish) for wish in wishes if wish]
    assert all(wish & found for wish in wanted)
    for smaller in combinations(range(7), max(0, len(found) - 1)):
        assert len(found) == 0 or not all(wish & set(smaller) for wish in wanted)


def test_where_greed_takes_one_too_many() -> None:
    """`a` serves most at first, and then two more are needed; `b` and `c` serve all."""
    wishes = ["ab", "ab", "ac", "ac", "b", "c"]
    assert fewest(wishes) == {"b", "c"}


def test_the_preferred_of_several_is_taken() -> None:
    assert fewest(["ab"]) == {"a"}
    assert fewest(["ba"]) == {"b"}


def test_nobody_needs_nothing() -> None:
    assert fewest([]) == fewest([[]]) == frozenset()


def test_it_is_quick_where_there_is_much_to_choose_from() -> None:
    """Forty values, each wish with all but some of them: no search through all combinations."""
    wishes = [[v for v in range(40) if (v * wish) % 7 != wish % 5] for wish in range(1, 60)]
    assert len(fewest(wishes)) <= 3
