"""Cluster time: keep the greatest one seen (driver-sessions, "Gossipping the cluster time")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.bson import Timestamp


def is_cluster_time(value: object) -> bool:
    """Whether a `$clusterTime` can be compared with others; a peer may send anything."""
    return isinstance(value, (dict, Mapping)) and isinstance(value.get("clusterTime"), Timestamp)


def later(known: Mapping[str, Any] | None, heard: Any) -> Any:
    """The later of a `$clusterTime` that was checked and another; a peer may send anything."""
    time = heard.get("clusterTime") if isinstance(heard, (dict, Mapping)) else None
    if not isinstance(time, Timestamp):
        return known
    if known is None:
        return heard
    mine = known["clusterTime"]
    return known if (mine.time, mine.inc) >= (time.time, time.inc) else heard
