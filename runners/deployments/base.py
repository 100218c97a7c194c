"""What every deployment offers: start, stop, its description, and faults by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import ClassVar, Protocol, Self, TypeAlias

from runners.model import DeploymentInfo, JsonObject


class DeploymentError(Exception):
    """A deployment cannot be started, reached or changed; the message says what to do."""


class CommandError(Exception):
    """A command failed, or nobody could be asked."""


class Commands(Protocol):
    """Sends commands to a deployment, past the driver under test (see runners.control)."""

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        """Run a command on the deployment, or on just one `host` of it, and return its reply."""

    def close(self) -> None:
        """Let go of all connections."""


Connect: TypeAlias = Callable[[str], Commands]
"""Makes Commands for the deployment at a URI."""


class Deployment(ABC):
    """A deployment that can be entered: `with deployment: ... deployment.info.uri`.

    Before `start`, `info` already says what the planner asks (topology, version, parameters);
    `uri` and `hosts` are filled in by `start`. Faults are named as the host they hit (`host:port`,
    as in `info.hosts`) and raise DeploymentError where this kind of deployment has no means.
    """

    info: DeploymentInfo
    copies: ClassVar[bool] = True
    """Whether one that is not started can be copied, and the copies be started side by side."""

    @abstractmethod
    def start(self) -> None:
        """Make it usable; raise DeploymentError, leaving nothing behind, if that fails."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it and remove all it left; does nothing where there is nothing to stop."""

    def kill(self, host: str) -> None:
        """End the server at once, as a crash would."""
        raise self._no_means("kill", host)

    def restart(self, host: str) -> None:
        """Start a killed server again on its old data and wait until it is usable."""
        raise self._no_means("restart", host)

    def pause(self, host: str) -> None:
        """Freeze the server: its connections stay open but nothing answers."""
        raise self._no_means("pause", host)

    def resume(self, host: str) -> None:
        """Let a paused server go on."""
        raise self._no_means("resume", host)

    def step_down(self) -> None:
        """Make the primary step down, and wait until there is a primary again."""
        raise self._no_means("step down", "its primary")

    def partition(self, host: str) -> None:
        """Cut the server off from all others, and from clients; its process goes on."""
        raise self._no_means("partition", host, "--on docker")

    def heal(self, host: str) -> None:
        """Let a server that was cut off be reached again."""
        raise self._no_means("heal", host, "--on docker")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _no_means(
        self, fault: str, target: str, use: str = "a local deployment"
    ) -> DeploymentError:
        return DeploymentError(f"deployment {self.info.id} cannot {fault} {target}; use {use}")
