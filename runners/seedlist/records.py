"""The DNS records that the official files count on, and those that a file brings itself.

Spec: initial-dns-seedlist-discovery, "Test Setup". Ports stand for the servers of a deployment, in
its order: they are replaced by the true ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from runners.model import Json
from runners.nameserver import Records

DOMAIN: Final = "test.build.10gen.cc"
SERVERS: Final = (27017, 27018, 27019)
BALANCER: Final = 8000
SET_NAME: Final = "repl0"

_FIRST: Final = ((27017, "localhost"),)
_SEEDS: Final[Mapping[str, tuple[tuple[int, str], ...]]] = {
    "test1": (*_FIRST, (27018, "localhost")),
    "test2": ((27018, "localhost"), (27019, "localhost")),
    **dict.fromkeys(("test3", "test5", "test6", "test7", "test8", "test10", "test11"), _FIRST),
    "test12": ((27017, "localhost.build.10gen.cc."),),
    "test13": ((27017, "test.build.10gen.cc."),),
    "test14": ((27017, "localhost.not-test.build.10gen.cc."),),
    "test15": ((27017, "localhost.test.not-build.10gen.cc."),),
    "test16": ((27017, "localhost.test.build.not-10gen.cc."),),
    "test17": ((27017, "localhost.test.build.10gen.not-cc."),),
    "test18": ((27017, "localhost.sub"),),
    "test19": ((27017, "localhost.evil.build.10gen.cc."), *_FIRST),
    **dict.fromkeys(("test20", "test21"), _FIRST),
    **dict.fromkeys(("test23", "test24"), ((BALANCER, "localhost"),)),
}
"""By host name: ports and targets, which are in DOMAIN unless they end in a dot."""
_CUSTOM: Final = (*_FIRST, (27018, "localhost"))


def official(address: str, ports: Mapping[int, int], set_name: str) -> Records:
    """The official records, for servers that listen on an address.

    `ports` has the true one of each in SERVERS, and of BALANCER, as far as there is one.
    """
    records: dict[tuple[str, str], list[str]] = {}
    for host, seeds in _SEEDS.items():
        records[f"_mongodb._tcp.{host}.{DOMAIN}", "SRV"] = _srv(seeds, ports)
    records[f"_customname._tcp.test22.{DOMAIN}", "SRV"] = _srv(_CUSTOM, ports)
    for host, texts in _options(set_name).items():
        records[f"{host}.{DOMAIN}", "TXT"] = list(texts)
    for host in ("localhost", "localhost.sub"):
        records[f"{host}.{DOMAIN}", "A"] = [address]
    return records


def _options(set_name: str) -> Mapping[str, tuple[str, ...]]:
    """The TXT records by host name; quotes are around the strings that one record consists of."""
    return {
        "test5": (f'"replicaSet={set_name}&authSource=thisDB"',),
        "test6": (f'"replicaSet={set_name}"', '"authSource=otherDB"'),
        "test7": ('"ssl=false"',),
        "test8": ('"authSource"',),
        "test10": ('"socketTimeoutMS=500"',),
        "test11": (f'"replicaS" "et={set_name[:-1]}" "{set_name[-1:]}"',),
        "test20": ('"loadBalanced=true"',),
        "test21": ('"loadBalanced=false"',),
        "test24": ('"loadBalanced=true"',),
    }


def _srv(seeds: Iterable[tuple[int, str]], ports: Mapping[int, int]) -> list[str]:
    return [
        f"0 0 {ports.get(port, port)} {host if host.endswith('.') else f'{host}.{DOMAIN}.'}"
        for port, host in seeds
    ]


def own(records: Json) -> Records:
    """The records of a file's own `records`: a list of name, type and data."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for record in records if isinstance(records, list) else ():
        if isinstance(record, dict):
            found[str(record["name"]), str(record["type"])].append(str(record["data"]))
    return found
