"""`driver.timeout`: one deadline for all that happens in a block."""

from __future__ import annotations

import math
import time
from contextvars import Token
from types import TracebackType

from driver.deadline import Deadline, block, earlier


class timeout:  # noqa: N801 - PyMongo's name
    """Limit all operations in a `with` block to so many seconds, counted from its beginning.

    It stands in place of the `timeoutMS` of clients, databases and collections; None and 0 mean no
    limit. A block within a block can only shorten the time. Cursors and streams that are opened in
    a block keep its timeout afterwards. Raises TypeError or ValueError for what is no time.
    """

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None and not isinstance(seconds, (int, float)):
            raise TypeError(f"a timeout is a number of seconds or None, not {seconds!r}")
        if seconds is not None and not seconds >= 0:
            raise ValueError(f"a timeout cannot be {seconds} seconds")
        self._seconds = float(seconds or math.inf)
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> None:
        mine = Deadline.after(self._seconds, time.monotonic())
        self._token = block.set(earlier(mine, block.get()))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            block.reset(self._token)
