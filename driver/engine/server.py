"""One server of the deployment: its pool, its monitor, and how busy it is."""

from __future__ import annotations

from driver.engine.monitor import Monitor
from driver.engine.pool import Pool
from driver.topology.description import Address


class Server:
    """What the engine holds of a server; `operations` counts those that run on it now."""

    __slots__ = ("address", "monitor", "operations", "pool")

    def __init__(self, address: Address, pool: Pool, monitor: Monitor | None) -> None:
        self.address = address
        self.pool = pool
        self.monitor = monitor
        self.operations = 0

    async def close(self) -> None:
        """Stop watching, close connections."""
        if self.monitor is not None:
            await self.monitor.close()
        await self.pool.close()
