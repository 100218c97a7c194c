"""The images of deployments: a base, a server image a version, and a load balancer's.

The Dockerfiles are in docker/. An image is tagged with its version and a hash of all that went into
it, so that it is built once and found again.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from docker import DockerClient
from docker.errors import ImageNotFound
from docker.models.images import Image

from runners.deployments import binaries, fetch
from runners.deployments.base import DeploymentError
from runners.deployments.docker.engine import asking
from runners.deployments.fetch import Say
from runners.deployments.releases import CATALOGUE, Release, is_version

PACKAGE = Path(__file__).parents[2]
BASE = "mongospec/base"
SERVER = "mongospec/server"
BALANCER = "mongospec/haproxy"
SERVER_LABEL = "mongospec.server"
"""The version of the servers in an image."""
MONGOS_LABEL = "mongospec.mongos"
"""`yes` where the image has a mongos."""
DOCKERFILE = "Dockerfile"
PROGRAMS = "bin"
"""The folder of a build's context that is copied; empty where the base has the programs."""
BALANCER_BASE = "haproxy:lts"

NO_BASE = (
    "the base image has to be made, which needs {lacking}; on Debian: apt-get install debootstrap "
    "docker.io. Where a registry can be reached, take MongoDB's own images instead: "
    "mongospec images --base mongo:8"
)


@dataclass(frozen=True, slots=True)
class ServerImage:
    """An image with a mongod of a version, and maybe a mongos."""

    name: str
    version: str
    mongos: bool


def folder() -> Path:
    """Our Dockerfiles: packed into the installed package, or in a checkout."""
    packed = PACKAGE / "data" / "docker"
    return packed if packed.is_dir() else PACKAGE.parent / "docker"


def servers(client: DockerClient) -> list[ServerImage]:
    """The server images there are, the newest version first, the latest of each version."""
    with asking("list its images"):
        found = client.images.list(filters={"label": SERVER_LABEL})
    found.sort(key=lambda image: str(image.attrs["Created"]))
    latest = {image.labels[SERVER_LABEL]: image for image in found if image.tags}
    images = [
        ServerImage(image.tags[0], version, image.labels.get(MONGOS_LABEL) == "yes")
        for version, image in latest.items()
    ]
    return sorted(images, key=lambda image: _numbers(image.version), reverse=True)


def wanted(client: DockerClient, versions: Sequence[str]) -> list[ServerImage]:
    """The server images of these versions, the newest of each; without a wish, all there are.

    Raises DeploymentError where one has not been made.
    """
    known = servers(client)
    if not known:
        raise DeploymentError("there are no server images yet; make them with: mongospec images")
    return [_called(version, known) for version in versions] or known


def balancer(client: DockerClient) -> str | None:
    """The load balancer's image, if there is one."""
    with asking("list its images"):
        found = client.images.list(name=BALANCER)
    return next((tag for image in found for tag in image.tags), None)


def releases(wanted: Sequence[str]) -> list[Release]:
    """The releases of the catalogue that run on the base: the newest of each version wanted.

    Without a wish, the newest of each series. Raises DeploymentError where one is unknown.
    """
    fit = [release for release in CATALOGUE if release.openssl_1_1]
    chosen: dict[str, Release] = {}
    for each in wanted or {_series(release.version): None for release in fit}:
        release = next((one for one in fit if is_version(one.version, each)), None)
        if release is None:
            known = ", ".join(one.version for one in fit)
            raise DeploymentError(f"--server {each}: the servers for images are {known}")
        chosen[release.version] = release
    return list(chosen.values())


def make(
    client: DockerClient, versions: Sequence[str], bases: Sequence[str], say: Say
) -> Iterator[str]:
    """Make the images that are absent, and give the names of all.

    Servers are taken from `bases`, images that have one; without any, `versions` of the catalogue
    are put on a base of our own (none named: one of each series).
    """
    if bases:
        for each in bases:
            yield build_on(client, each, say).name
        yield build_balancer(client, BALANCER_BASE, say)
        return
    chosen = releases(versions)
    base = make_base(client, say)
    for release in chosen:
        yield build_release(client, base, release, say).name
    yield build_balancer(client, base, say)


def make_base(client: DockerClient, say: Say) -> str:
    """The base image for the catalogue's servers, made with debootstrap where it is absent."""
    script = folder() / "base.sh"
    name = f"{BASE}:{_hash(script.read_bytes())}"
    if _image(client, name) is None:
        lacking = [each for each in ("debootstrap", "docker") if shutil.which(each) is None]
        if os.geteuid() != 0:
            lacking.append("root")
        if lacking:
            raise DeploymentError(NO_BASE.format(lacking=", ".join(lacking)))
        say(f"making {name} of Debian's packages, which takes a minute")
        fetch.run(["bash", str(script), name], Path.cwd(), f"cannot make {name}")
    return name


def build_release(client: DockerClient, base: str, release: Release, say: Say) -> ServerImage:
    """The server image of a release, fetched and built where it is absent."""
    binary = binaries.get(release, say)
    programs = {"mongod": binary.path} | ({"mongos": binary.mongos} if binary.mongos else {})
    hashes = [member.sha256 for member in release.members]
    image = _server(release.version, binary.mongos is not None, _of(client, base), hashes)
    if _image(client, image.name) is None:
        say(f"building {image.name}")
        _build_server(client, image, base, programs)
    return image


def build_on(client: DockerClient, base: str, say: Say) -> ServerImage:
    """The server image on a base that has mongod in it already, such as mongo:8."""
    if _image(client, base) is None:
        say(f"pulling {base}")
        with asking(f"pull {base}"):
            client.images.pull(base)
    with asking(f"run mongod in {base}"):
        said = client.containers.run(
            base, ["-c", "mongod --version; mongos --version; true"], entrypoint="sh", remove=True
        ).decode(errors="replace")
    found = re.search(r"^db version v([\d.]+)", said, re.MULTILINE)
    if found is None:
        raise DeploymentError(f"{base} has no mongod in it; such as mongo:8 have")
    image = _server(found[1], "mongos version v" in said, _of(client, base), [])
    if _image(client, image.name) is None:
        say(f"building {image.name}")
        _build_server(client, image, base, {})
    return image


def build_balancer(client: DockerClient, base: str, say: Say) -> str:
    """The load balancer's image on a base that has haproxy in it."""
    context = folder() / "haproxy"
    files = {path.name: path for path in sorted(context.iterdir())}
    name = f"{BALANCER}:{_hash(base, *(path.read_bytes() for path in files.values()))}"
    if _image(client, name) is None:
        say(f"building {name}")
        _build(client, name, base, files, {})
    return name


def _called(version: str, known: Sequence[ServerImage]) -> ServerImage:
    for image in known:
        if is_version(image.version, version):
            return image
    raise DeploymentError(
        f"--server {version}: there are images of {', '.join(each.version for each in known)}; "
        f"make another with: mongospec images --server {version}"
    )


def _server(version: str, mongos: bool, base: str, hashes: Sequence[str]) -> ServerImage:
    """The image's name says what it is made of."""
    recipe = (folder() / DOCKERFILE).read_bytes()
    return ServerImage(f"{SERVER}:{version}-{_hash(base, recipe, *hashes)}", version, mongos)


def _build_server(
    client: DockerClient, image: ServerImage, base: str, programs: Mapping[str, Path]
) -> None:
    files = {DOCKERFILE: folder() / DOCKERFILE}
    files |= {f"{PROGRAMS}/{name}": path for name, path in programs.items()}
    labels = {SERVER_LABEL: image.version, MONGOS_LABEL: "yes" if image.mongos else "no"}
    _build(client, image.name, base, files, labels)


def _build(
    client: DockerClient,
    name: str,
    base: str,
    files: Mapping[str, Path],
    labels: Mapping[str, str],
) -> None:
    """Build an image; `files` are its context, by their names there."""
    with tempfile.TemporaryFile() as context, asking(f"build {name}"):
        with tarfile.open(fileobj=context, mode="w") as archive:
            archive.addfile(_directory(PROGRAMS))
            for inside, path in files.items():
                archive.add(path, inside)
        context.seek(0)
        client.images.build(
            fileobj=context,
            custom_context=True,
            tag=name,
            buildargs={"BASE": base},
            labels=dict(labels),
            rm=True,
            forcerm=True,
        )


def _directory(name: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry


def _image(client: DockerClient, name: str) -> Image | None:
    with asking(f"look at {name}"):
        try:
            return client.images.get(name)
        except ImageNotFound:
            return None


def _of(client: DockerClient, base: str) -> str:
    """What a base is by content: the same name may be another image tomorrow."""
    image = _image(client, base)
    return str(image.id) if image else base


def _hash(*parts: str | bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:%b" % (len(content), content))
    return digest.hexdigest()[:12]


def _series(version: str) -> str:
    return version.rpartition(".")[0]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
