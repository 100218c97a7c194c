"""What a timeout means for a cursor (client-side-operations-timeout, "Cursors")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from driver.deadline import Deadline
from driver.errors import ConfigurationError
from driver.operations.base import ServerTime


class TimeoutMode(StrEnum):
    """What a cursor's timeout is for.

    All of its life, or its first command and then every call that asks for documents.
    """

    CURSOR_LIFETIME = "cursorLifetime"
    ITERATION = "iteration"


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorKind:
    """What decides how a cursor may use its time; `writes` is for $out and $merge."""

    tailable: bool = False
    awaits: bool = False
    writes: bool = False
    max_await_time_ms: int | None = None
    mode: str | None = None

    @property
    def refreshes(self) -> bool:
        """Whether the timeout begins anew with every call."""
        return self.tailable or self.mode == TimeoutMode.ITERATION

    def server_time(self, deadline: Deadline | None) -> ServerTime:
        """What the first command tells the server; raises ConfigurationError for contradictions.

        The server would apply the time to the getMores too, which a refreshed timeout must not.
        """
        self._check_mode(deadline)
        patience = self.max_await_time_ms
        if deadline is not None and patience is not None and patience >= deadline.timeout * 1000:
            raise ConfigurationError(
                f"max_await_time_ms ({patience}) must be less than the timeout of"
                f" {deadline.timeout:g} s: waiting for news would always end in a timeout"
            )
        return ServerTime.NOTHING if self.refreshes and not self.awaits else ServerTime.LEFT

    def _check_mode(self, deadline: Deadline | None) -> None:
        if self.mode is None:
            return
        if self.mode not in tuple(TimeoutMode):
            known = " or ".join(repr(str(mode)) for mode in TimeoutMode)
            raise ConfigurationError(f"timeout_mode must be {known}, not {self.mode!r}")
        if deadline is None:
            raise ConfigurationError("timeout_mode needs a timeout: there is no timeoutMS")
        if self.tailable and self.mode == TimeoutMode.CURSOR_LIFETIME:
            raise ConfigurationError(
                "a tailable cursor has no end: its timeout_mode is 'iteration'"
            )
        if self.writes and self.mode == TimeoutMode.ITERATION:
            raise ConfigurationError("$out and $merge leave no documents to iterate over")
