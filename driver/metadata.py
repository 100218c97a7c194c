"""What the driver tells the server about itself (mongodb-handshake, "Client Metadata")."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from driver.bson import encode
from driver.driver_info import DriverInfo
from driver.errors import ConfigurationError
from driver.options import ClientOptions
from driver.version import __version__

_LIMIT = 512


class ClientMetadata:
    """What one client tells every server; libraries that wrap the driver may add to it.

    `document` is the `client` document of a first hello. It is replaced as a whole, so that
    connections being made meanwhile send either the old one or the new.
    """

    def __init__(self, options: ClientOptions) -> None:
        self._app_name = options.app_name
        self._wrappers: tuple[DriverInfo, ...] = ()
        self.document = client_metadata(self._app_name)
        if options.driver_info is not None:
            self.append(options.driver_info)

    def append(self, wrapper: DriverInfo) -> None:
        """Tell new connections' servers of a wrapping library too; the same again is nothing.

        Raises ConfigurationError where there is no room for it.
        """
        if wrapper not in self._wrappers:
            wrappers = (*self._wrappers, wrapper)
            self.document = client_metadata(self._app_name, wrappers)
            self._wrappers = wrappers


def client_metadata(
    app_name: str | None = None, wrappers: Sequence[DriverInfo] = ()
) -> dict[str, Any]:
    """The `client` document, at most 512 bytes.

    When it is too long, parts are left out in the specified order: fields of `env` but its name,
    fields of `os` but its type, all of `env`, then the platform is cut.
    """
    document: dict[str, Any] = {}
    if app_name:
        document["application"] = {"name": app_name}
    document["driver"] = {
        "name": _joined("mongospec", (wrapper.name for wrapper in wrappers)),
        "version": _joined(__version__, (wrapper.version for wrapper in wrappers)),
    }
    document["os"] = {
        "type": platform.system() or sys.platform,
        "name": platform.system() or sys.platform,
        "architecture": platform.machine(),
        "version": platform.release(),
    }
    document["platform"] = _joined(
        f"{platform.python_implementation()} {platform.python_version()}",
        (wrapper.platform for wrapper in wrappers),
    )
    env = _environment(os.environ)
    if env:
        document["env"] = env
    return _shortened(document)


def _joined(own: str, others: Iterable[str | None]) -> str:
    return "|".join([own, *filter(None, others)])


def faas_name(environ: Any = os.environ) -> str | None:
    """The function-as-a-service platform this process runs on, if exactly one shows itself."""
    names = []
    if environ.get("AWS_EXECUTION_ENV", "").startswith("AWS_Lambda_") or environ.get(
        "AWS_LAMBDA_RUNTIME_API"
    ):
        names.append("aws.lambda")
    if environ.get("FUNCTIONS_WORKER_RUNTIME"):
        names.append("azure.func")
    if environ.get("K_SERVICE") or environ.get("FUNCTION_NAME"):
        names.append("gcp.func")
    if environ.get("VERCEL"):
        names = [name for name in names if name != "aws.lambda"] + ["vercel"]
    return names[0] if len(names) == 1 else None


def _environment(environ: Any) -> dict[str, Any]:
    env: dict[str, Any] = {}
    name = faas_name(environ)
    if name is not None:
        env["name"] = name
    fields = {
        "aws.lambda": (("memory_mb", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), ("region", "AWS_REGION")),
        "gcp.func": (
            ("memory_mb", "FUNCTION_MEMORY_MB"),
            ("timeout_sec", "FUNCTION_TIMEOUT_SEC"),
            ("region", "FUNCTION_REGION"),
        ),
        "vercel": (("region", "VERCEL_REGION"),),
    }.get(name or "", ())
    for field, variable in fields:
        value = environ.get(variable, "")
        if field == "region" and value:
            env[field] = value
        elif value.isdecimal() and int(value) < 2**31:
            env[field] = int(value)
    container: dict[str, str] = {}
    if os.path.exists("/.dockerenv"):
        container["runtime"] = "docker"
    if environ.get("KUBERNETES_SERVICE_HOST"):
        container["orchestrator"] = "kubernetes"
    if container:
        env["container"] = container
    return env


def _shortened(document: dict[str, Any]) -> dict[str, Any]:
    if len(encode(document)) <= _LIMIT:
        return document
    if "env" in document:
        document["env"] = {k: v for k, v in document["env"].items() if k == "name"}
        if not document["env"]:
            del document["env"]
    if len(encode(document)) > _LIMIT:
        document["os"] = {"type": document["os"]["type"]}
    if len(encode(document)) > _LIMIT:
        document.pop("env", None)
    over = len(encode(document)) - _LIMIT
    if over > len(document["platform"]):
        raise ConfigurationError(
            f"the client metadata cannot be shortened to {_LIMIT} bytes: use shorter names"
            " for appName and in DriverInfo"
        )
    if over > 0:
        document["platform"] = document["platform"][:-over]
    return document
