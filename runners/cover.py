"""The fewest things that serve everybody: an exact minimum, for the few dozen that a plan has."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import count
from typing import TypeVar

T = TypeVar("T")


def fewest(wishes: Iterable[Collection[T]]) -> frozenset[T]:
    """As few values as can be, so that one of each wish is among them.

    A wish lists values of which any will do, the preferred ones first; one without values is left
    out. Wishes that go together with a narrower one cost nothing: most of a plan's are such.
    """
    distinct = {frozenset(wish): tuple(wish) for wish in wishes if wish}
    narrow = [wish for key, wish in distinct.items() if not any(other < key for other in distinct)]
    narrow.sort(key=len)
    return next(found for size in count() if (found := _within(size, narrow)) is not None)


def _within(size: int, wishes: Sequence[Sequence[T]]) -> frozenset[T] | None:
    """At most `size` values that serve all wishes; None where that cannot be."""
    if not wishes:
        return frozenset()
    if size < _apart(wishes):
        return None
    for value in wishes[0]:
        others = _within(size - 1, [wish for wish in wishes if value not in wish])
        if others is not None:
            return others | {value}
    return None


def _apart(wishes: Sequence[Sequence[T]]) -> int:
    """How many of the wishes have, each, nothing in common with the ones before: a lower bound."""
    taken: set[T] = set()
    number = 0
    for wish in wishes:
        if taken.isdisjoint(wish):
            taken.update(wish)
            number += 1
    return number
