"""A run split over several machines: each runs a part of the cases, `report` puts them together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from runners.collect import Collection


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `of`, counted from 1, of the cases that `whole` identifies."""

    index: int
    of: int
    whole: str

    def __str__(self) -> str:
        return f"{self.index}/{self.of}"


def shard(collection: Collection, index: int, of: int) -> tuple[Collection, Shard]:
    """The cases of one part, and which it is. Every case is in just one of the `of` parts.

    Neighbours of one file go to different parts, so that none has all the slow ones.
    """
    ids = sorted(collection.ids)
    mine = frozenset(ids[index - 1 :: of])
    whole = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    return collection.keep(lambda case: case.id in mine), Shard(index, of, whole)
