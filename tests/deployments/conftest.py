"""What live tests need: a mongod, and a way to send it commands."""

from __future__ import annotations

import json
from typing import Any, TypeAlias, cast

import pytest
from bson import json_util
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from runners.deployments.assembled import AssembledDeployment
from runners.deployments.base import CommandError
from runners.deployments.offer import DOCKER, LOCAL
from runners.model import JsonObject

Assembled: TypeAlias = AssembledDeployment[Any, Any]
PLACES = [LOCAL, pytest.param(DOCKER, marks=pytest.mark.docker)]
"""Where a fixture's deployments are."""


class PyMongoCommands:
    """Commands through PyMongo, so that deployments are tested without the driver."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._clients: dict[str | None, MongoClient[dict[str, Any]]] = {}

    def command(self, db: str, command: JsonObject, *, host: str | None = None) -> JsonObject:
        if host not in self._clients:
            self._clients[host] = (
                MongoClient(host, directConnection=True) if host else MongoClient(self._uri)
            )
        try:
            reply = self._clients[host][db].command(command)
        except PyMongoError as error:
            raise CommandError(str(error)) from None
        return cast(JsonObject, json.loads(json_util.dumps(reply)))

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
