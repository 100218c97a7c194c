"""A driver's log records as the unified format's log messages.

Spec: logging, "Log Severity Levels" and "Components". Records are told apart by the client that
they name, since Python's loggers are global.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from runners.adapters.base import EventSink
from runners.adapters.pymongo_api.binding import Binding
from runners.model import JsonObject

COMPONENTS = frozenset({"command", "connection", "serverSelection", "topology"})

_SEVERITIES = {
    "emergency": logging.CRITICAL,
    "alert": logging.CRITICAL,
    "critical": logging.CRITICAL,
    "error": logging.ERROR,
    "warning": logging.WARNING,
    "notice": logging.INFO,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": logging.DEBUG,
}
LEVELS = frozenset(_SEVERITIES)
_NAMES = {
    logging.CRITICAL: "critical",
    logging.ERROR: "error",
    logging.WARNING: "warning",
    logging.INFO: "info",
    logging.DEBUG: "debug",
}


@dataclass(frozen=True, slots=True)
class _Message:
    severity: int
    component: str
    data: JsonObject

    def document(self) -> JsonObject:
        return {"level": _NAMES[self.severity], "component": self.component, "data": self.data}


class LogCollector(logging.Handler):
    """Sends the messages of observing clients to the sink.

    A client may log before it can be asked for what identifies it, so messages of unknown
    clients are kept until one claims them. Failed conversions are kept in `faults`.
    """

    def __init__(self, binding: Binding, sink: EventSink, faults: list[Exception]) -> None:
        super().__init__(logging.DEBUG)
        self._binding = binding
        self._sink = sink
        self._faults = faults
        self._logger = logging.getLogger(binding.logger)
        self._level = self._logger.level
        self._guard = threading.RLock()
        self._observers: dict[str, tuple[str, Mapping[str, str]]] = {}
        self._unclaimed: dict[str, list[_Message]] = {}

    def start(self) -> None:
        """Listen; call it before the observing client is made."""
        if self not in self._logger.handlers:
            self._level = self._logger.level
            self._logger.setLevel(logging.DEBUG)
            self._logger.addHandler(self)

    def claim(self, owner: str, client: str, levels: Mapping[str, str]) -> None:
        """Observe a client: `levels` has the least severe level wanted by component."""
        with self._guard:
            self._observers[owner] = (client, levels)
            for message in self._unclaimed.pop(owner, []):
                self._send(owner, message)

    def stop(self) -> None:
        """Listen no more and forget all clients."""
        if self in self._logger.handlers:
            self._logger.removeHandler(self)
            self._logger.setLevel(self._level)
        with self._guard:
            self._observers.clear()
            self._unclaimed.clear()

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record."""
        component = record.name.removeprefix(f"{self._binding.logger}.")
        if record.levelno not in _NAMES:
            return
        try:
            entry = self._binding.log_entry(record)
            if entry is None:
                return
            data = self._binding.to_json(dict(entry.data))
        except Exception as error:
            self._faults.append(error)
            raise
        message = _Message(record.levelno, component, data if isinstance(data, dict) else {})
        with self._guard:
            if entry.owner in self._observers:
                self._send(entry.owner, message)
            else:
                self._unclaimed.setdefault(entry.owner, []).append(message)

    def _send(self, owner: str, message: _Message) -> None:
        client, levels = self._observers[owner]
        threshold = levels.get(message.component)
        if threshold is not None and message.severity >= _SEVERITIES[threshold]:
            self._sink(client, "log", message.document())
