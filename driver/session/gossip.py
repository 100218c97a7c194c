"""Cluster time: keep the greatest one seen (driver-sessions, "Gossipping the cluster time")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.bson import Timestamp


def is_cluster_time(value: object) -> bool:
    """Whether a `$clusterTime` can be compared with others; a peer may send anything."""
    return isinstance(value, (dict, Mapping)) and isinstance(value.get("clusterTime"), Timestamp)


def later(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> Any:
    """The later of two `$clusterTime` documents; None only when both are."""
    if one is None or other is None:
        return one or other
    return one if one["clusterTime"] >= other["clusterTime"] else other
