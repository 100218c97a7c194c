"""From a hello reply to a server's description (SDAM, "Parsing a hello or legacy hello response").

A reply is untrusted: a field of the wrong type makes the server Unknown with an error that names
the field; nothing here raises.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeVar

from driver.bson.objectid import ObjectId
from driver.errors import ProtocolError
from driver.replies import error_in
from driver.topology.description import Address, ServerDescription, ServerType, TopologyVersion

T = TypeVar("T")


def parse_hello(
    address: Address,
    reply: Mapping[str, Any],
    *,
    round_trip_time: float | None,
    min_round_trip_time: float | None,
    now: float,
) -> ServerDescription:
    """Describe the server at `address` by its reply to hello or legacy hello.

    Times are seconds; `now` is when the reply came, on the clock of all other descriptions. A
    reply without `ok: 1`, or a malformed one, gives an Unknown server with its `error` set.
    """
    if (refusal := error_in(reply)) is not None:
        return ServerDescription(address, error=refusal, last_update_time=now)
    try:
        return _describe(
            address,
            reply,
            round_trip_time=round_trip_time,
            min_round_trip_time=min_round_trip_time,
            last_update_time=now,
        )
    except _Malformed as malformed:
        error = ProtocolError(f"malformed hello reply of {address}: {malformed}")
        return ServerDescription(address, error=error, last_update_time=now)


def parse_topology_version(reply: Mapping[str, Any]) -> TopologyVersion | None:
    """The topologyVersion of any reply; None where it is missing or malformed."""
    try:
        return _optional(reply, "topologyVersion", _topology_version)
    except _Malformed:
        return None


def _describe(address: Address, reply: Mapping[str, Any], **times: Any) -> ServerDescription:
    last_write = _optional(reply, "lastWrite", _mapping) or {}
    return ServerDescription(
        address,
        type=_server_type(reply),
        last_write_date=_optional(last_write, "lastWriteDate", _date, inside="lastWrite."),
        min_wire_version=_optional(reply, "minWireVersion", _integer) or 0,
        max_wire_version=_optional(reply, "maxWireVersion", _integer) or 0,
        me=_optional(reply, "me", _address),
        hosts=_optional(reply, "hosts", _addresses) or (),
        passives=_optional(reply, "passives", _addresses) or (),
        arbiters=_optional(reply, "arbiters", _addresses) or (),
        tags=_optional(reply, "tags", _tags) or MappingProxyType({}),
        set_name=_optional(reply, "setName", _text),
        set_version=_optional(reply, "setVersion", _integer),
        election_id=_optional(reply, "electionId", _object_id),
        primary=_optional(reply, "primary", _address),
        logical_session_timeout_minutes=_optional(reply, "logicalSessionTimeoutMinutes", _integer),
        topology_version=_optional(reply, "topologyVersion", _topology_version),
        hello_ok=_flag(reply, "helloOk"),
        **_limits(reply),
        **times,
    )


def _server_type(reply: Mapping[str, Any]) -> ServerType:
    if _flag(reply, "isreplicaset"):
        return ServerType.RS_GHOST
    if _optional(reply, "setName", _text) is None:
        is_mongos = _optional(reply, "msg", _text) == "isdbgrid"
        return ServerType.MONGOS if is_mongos else ServerType.STANDALONE
    if _flag(reply, "hidden"):
        return ServerType.RS_OTHER
    if _flag(reply, "isWritablePrimary" if "isWritablePrimary" in reply else "ismaster"):
        return ServerType.RS_PRIMARY
    if _flag(reply, "secondary"):
        return ServerType.RS_SECONDARY
    return ServerType.RS_ARBITER if _flag(reply, "arbiterOnly") else ServerType.RS_OTHER


def _limits(reply: Mapping[str, Any]) -> dict[str, Any]:
    """The limits that the reply names; the description has defaults for the others."""
    limits = {
        "max_bson_object_size": _optional(reply, "maxBsonObjectSize", _positive),
        "max_message_size_bytes": _optional(reply, "maxMessageSizeBytes", _positive),
        "max_write_batch_size": _optional(reply, "maxWriteBatchSize", _positive),
    }
    return {name: limit for name, limit in limits.items() if limit is not None}


# Readers of one value: each takes it as it came and raises _Malformed if it is of a wrong type.


class _Malformed(Exception):
    """What was expected; `_optional` puts the field's name before it."""


def _optional(
    reply: Mapping[str, Any], name: str, read: Callable[[Any], T], *, inside: str = ""
) -> T | None:
    value = reply.get(name)
    if value is None:
        return None
    try:
        return read(value)
    except _Malformed as wanted:
        raise _Malformed(f"{inside}{name} is {reprlib.repr(value)}, not {wanted}") from None


def _flag(reply: Mapping[str, Any], name: str) -> bool:
    return bool(_optional(reply, name, _number))


def _number(value: Any) -> float:
    """A number or a boolean: both serve as truth values in server replies."""
    if isinstance(value, int | float):
        return value
    raise _Malformed("a boolean or a number")


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise _Malformed("an integer")


def _positive(value: Any) -> int:
    if (number := _integer(value)) > 0:
        return number
    raise _Malformed("a positive integer")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _Malformed("a string")


def _mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    raise _Malformed("a document")


def _date(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    raise _Malformed("a date")


def _object_id(value: Any) -> ObjectId:
    if isinstance(value, ObjectId):
        return value
    raise _Malformed("an ObjectId")


def _address(value: Any) -> Address:
    try:
        return Address.parse(_text(value))
    except ValueError as error:
        raise _Malformed(f"an address ({error})") from None


def _addresses(value: Any) -> tuple[Address, ...]:
    """A set of addresses, in an order of its own so that the server's does not matter."""
    if not isinstance(value, list | tuple):
        raise _Malformed("an array of addresses")
    return tuple(sorted({_address(item) for item in value}, key=str))


def _tags(value: Any) -> Mapping[str, str]:
    tags = _mapping(value)
    if all(isinstance(tag, str) for tag in tags.values()):
        return MappingProxyType(dict(tags))
    raise _Malformed("a document of strings")


def _topology_version(value: Any) -> TopologyVersion:
    version = _mapping(value)
    process_id = _optional(version, "processId", _object_id)
    counter = _optional(version, "counter", _integer)
    if process_id is None or counter is None:
        raise _Malformed("a document with processId and counter")
    return TopologyVersion(process_id, counter)
