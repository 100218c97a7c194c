"""Which servers may answer a read (server selection spec, "Read Preference")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias

from driver.errors import ConfigurationError
from driver.warn import warn

MODES = ("primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest")

TagSet: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReadPreference:
    """A mode with its tag sets, in order of preference, and the staleness a reader tolerates.

    `max_staleness` is seconds; None (or -1, as in a connection string) is no limit. Its lower
    bound depends on the deployment and is checked by server selection. `hedge` is deprecated.
    Raises ConfigurationError for an unknown mode and for anything more than the mode `primary`.
    """

    PRIMARY: ClassVar[ReadPreference]
    PRIMARY_PREFERRED: ClassVar[ReadPreference]
    SECONDARY: ClassVar[ReadPreference]
    SECONDARY_PREFERRED: ClassVar[ReadPreference]
    NEAREST: ClassVar[ReadPreference]

    mode: str
    tag_sets: tuple[TagSet, ...] = ()
    max_staleness: float | None = None
    hedge: Mapping[str, Any] | None = None
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ConfigurationError(
                f"unknown read preference mode {self.mode!r}; use one of {', '.join(MODES)}"
            )
        tag_sets = _tag_sets(self.tag_sets)
        staleness = _max_staleness(self.max_staleness)
        hedge = None if self.hedge is None else MappingProxyType(dict(self.hedge))
        if self.mode == "primary" and (tag_sets or staleness is not None or hedge):
            raise ConfigurationError(
                "read preference primary takes no tag sets, max staleness or hedge; "
                "choose another mode, such as secondaryPreferred"
            )
        if hedge is not None:
            warn("hedged reads are deprecated since MongoDB 8.0", DeprecationWarning)
        object.__setattr__(self, "tag_sets", tag_sets)
        object.__setattr__(self, "max_staleness", staleness)
        object.__setattr__(self, "hedge", hedge)
        # Kept, since a read preference is part of the key of every cached selection.
        tags = tuple(frozenset(tag_set.items()) for tag_set in tag_sets)
        object.__setattr__(self, "_hash", hash((self.mode, tags, staleness)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def document(self) -> dict[str, Any]:
        """A new `$readPreference` document."""
        document: dict[str, Any] = {"mode": self.mode}
        if self.tag_sets:
            document["tags"] = [dict(tag_set) for tag_set in self.tag_sets]
        if self.max_staleness is not None:
            whole = int(self.max_staleness)
            exact = whole == self.max_staleness
            document["maxStalenessSeconds"] = whole if exact else self.max_staleness
        if self.hedge:
            document["hedge"] = dict(self.hedge)
        return document


def _tag_sets(tag_sets: Iterable[object]) -> tuple[TagSet, ...]:
    """Read-only copies; the specified default, one empty tag set, becomes no tag sets."""
    frozen = []
    for tag_set in tag_sets:
        if not isinstance(tag_set, Mapping) or not all(
            isinstance(text, str) for item in tag_set.items() for text in item
        ):
            raise ConfigurationError('a tag set maps strings to strings, such as {"dc": "ny"}')
        frozen.append(MappingProxyType(dict(tag_set)))
    return () if frozen == [{}] else tuple(frozen)


def _max_staleness(seconds: object) -> float | None:
    if seconds is None or seconds == -1:
        return None
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < inf:
        return seconds
    raise ConfigurationError(f"max staleness must be seconds, or -1 for no limit, not {seconds!r}")


def Primary() -> ReadPreference:  # noqa: N802 - PyMongo's name
    """Read from the primary only."""
    return ReadPreference.PRIMARY


def PrimaryPreferred(  # noqa: N802 - PyMongo's name
    tag_sets: Sequence[TagSet] | None = None,
    max_staleness: float = -1,
    hedge: Mapping[str, Any] | None = None,
) -> ReadPreference:
    """Read from the primary, or from a secondary while there is none."""
    return ReadPreference("primaryPreferred", tuple(tag_sets or ()), max_staleness, hedge)


def Secondary(  # noqa: N802 - PyMongo's name
    tag_sets: Sequence[TagSet] | None = None,
    max_staleness: float = -1,
    hedge: Mapping[str, Any] | None = None,
) -> ReadPreference:
    """Read from secondaries only."""
    return ReadPreference("secondary", tuple(tag_sets or ()), max_staleness, hedge)


def SecondaryPreferred(  # noqa: N802 - PyMongo's name
    tag_sets: Sequence[TagSet] | None = None,
    max_staleness: float = -1,
    hedge: Mapping[str, Any] | None = None,
) -> ReadPreference:
    """Read from a secondary, or from the primary when there is none."""
    return ReadPreference("secondaryPreferred", tuple(tag_sets or ()), max_staleness, hedge)


def Nearest(  # noqa: N802 - PyMongo's name
    tag_sets: Sequence[TagSet] | None = None,
    max_staleness: float = -1,
    hedge: Mapping[str, Any] | None = None,
) -> ReadPreference:
    """Read from any member within the latency window."""
    return ReadPreference("nearest", tuple(tag_sets or ()), max_staleness, hedge)


ReadPreference.PRIMARY = ReadPreference("primary")
ReadPreference.PRIMARY_PREFERRED = ReadPreference("primaryPreferred")
ReadPreference.SECONDARY = ReadPreference("secondary")
ReadPreference.SECONDARY_PREFERRED = ReadPreference("secondaryPreferred")
ReadPreference.NEAREST = ReadPreference("nearest")
