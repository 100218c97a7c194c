"""mongodb+srv: seeds and options from DNS, and the seeds again from time to time.

Specs: initial-dns-seedlist-discovery; polling-srv-records-for-mongos-discovery.
"""

from __future__ import annotations

from driver.deadline import Deadline
from driver.engine.topology import Topology
from driver.errors import ConfigurationError
from driver.logs import TOPOLOGY
from driver.options import ClientOptions
from driver.runtime.base import Runtime, SRVRecords, Task
from driver.topology.transitions import follows_dns
from driver.uri.srv import belongs, choose, query_name, update

MIN_RESCAN_INTERVAL = 60.0
_LOOKUP_TIMEOUT = 20.0


async def discover(
    options: ClientOptions, runtime: Runtime, deadline: Deadline | None
) -> tuple[ClientOptions, float]:
    """The options as DNS completes them, and for how many seconds the hosts are good.

    Raises ConfigurationError: no hosts, hosts of another domain, or options that a TXT record must
    not set or that contradict the client's.
    """
    name = _name(options)
    until = runtime.now() + (options.connect_timeout or _LOOKUP_TIMEOUT)
    if deadline is not None:
        until = min(until, deadline.at)
    try:
        found = await _lookup(options, runtime, until)
        texts = await runtime.lookup_txt(name, until)
    except OSError as error:
        raise ConfigurationError(f"mongodb+srv://{name}: DNS lookup failed: {error}") from error
    for host in found.hosts:
        if not belongs(host, name):
            raise ConfigurationError(
                f"mongodb+srv://{name}: DNS names the host {host}, which is not in the same domain"
            )
    if len(texts) > 1:
        raise ConfigurationError(
            f"mongodb+srv://{name}: there are {len(texts)} TXT records; there may be one"
        )
    seeds = choose(found.hosts, options.srv_max_hosts, runtime.random)
    return options.with_srv(seeds, *texts), found.ttl


class SeedPoller:
    """Asks DNS again while the deployment may be sharded, and tells the topology."""

    def __init__(
        self, options: ClientOptions, runtime: Runtime, topology: Topology, ttl: float
    ) -> None:
        self._options = options
        self._runtime = runtime
        self._topology = topology
        self._ttl = ttl
        self._closed = runtime.waiter()
        self._task: Task | None = None

    def start(self) -> None:
        """Begin to poll, unless the deployment is known to be of another kind."""
        if follows_dns(self._topology.description):
            self._task = self._runtime.spawn(self._run(), "mongospec-srv")

    async def close(self) -> None:
        """Stop, and wait for it a moment."""
        self._closed.set()
        if self._task is not None:
            await self._task.join(1.0)

    async def _run(self) -> None:
        pause = max(self._ttl, MIN_RESCAN_INTERVAL)
        while not await self._closed.wait(pause):
            if self._topology.closed or not follows_dns(self._topology.description):
                return
            pause = await self._rescan()

    async def _rescan(self) -> float:
        """Look once; gives the seconds until the next time. Nothing that DNS says is an error."""
        name = _name(self._options)
        until = self._runtime.now() + _LOOKUP_TIMEOUT
        try:
            found = await _lookup(self._options, self._runtime, until)
        except OSError as error:
            TOPOLOGY.warning("%s: DNS lookup failed: %s", name, error)
            return self._options.heartbeat_frequency
        valid = [host for host in found.hosts if belongs(host, name)]
        for host in found.hosts:
            if host not in valid:
                TOPOLOGY.warning("%s: %s is ignored, as it is in another domain", name, host)
        if not valid:
            return self._options.heartbeat_frequency
        known = self._topology.description.servers
        limit = self._options.srv_max_hosts
        self._topology.on_hosts(update(known, valid, limit, self._runtime.random))
        return max(found.ttl, MIN_RESCAN_INTERVAL)


def _name(options: ClientOptions) -> str:
    """The connection string's host name."""
    assert options.srv_hostname is not None
    return options.srv_hostname


async def _lookup(options: ClientOptions, runtime: Runtime, until: float) -> SRVRecords:
    name = query_name(_name(options), options.srv_service_name)
    return await runtime.lookup_srv(name, until)
