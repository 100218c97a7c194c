"""Deployments of containers: images, networks of their own, faults by Docker's means.

Importing this package raises DeploymentError where the extra `docker` is not installed.
"""

from __future__ import annotations

from importlib.util import find_spec

from runners.deployments.base import DeploymentError

if find_spec("testcontainers") is None:
    raise DeploymentError("Docker needs the extra of that name: pip install 'mongospec[docker]'")
