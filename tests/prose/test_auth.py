"""Authentication: the auth spec's test plan on a live server that uses TLS, and X.509 there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from cryptography import x509

from driver import MongoClient
from driver.errors import MongoError, OperationFailure
from runners.deployments.binaries import Binary
from runners.deployments.local import LocalDeployment
from runners.deployments.offer import connect
from runners.deployments.security import Security
from runners.model import Topology
from tests.engine.clients import both_shells, use
from tests.prose.faults import Wait

pytestmark = pytest.mark.live

MECHANISMS = {
    "sha1": ["SCRAM-SHA-1"],
    "sha256": ["SCRAM-SHA-256"],
    "both": ["SCRAM-SHA-1", "SCRAM-SHA-256"],
}
ROMAN_NINE, ROMAN_FOUR, SOFT_HYPHEN = "\u2168", "\u2163", "\u00ad"
PREPARED = {"IX": "IX", ROMAN_NINE: ROMAN_FOUR}


@pytest.fixture(scope="module")
def guarded(mongod: Binary) -> Iterator[LocalDeployment]:
    """A server with the spec's users and one with a certificate; it asks for TLS and a password."""
    security = Security(auth=True, tls=True)
    with LocalDeployment(Topology.STANDALONE, mongod, connect, security=security) as deployment:
        with MongoClient(deployment.info.uri) as root:
            for name, mechanisms in MECHANISMS.items():
                add_user(root, name, name, mechanisms)
            for name, password in PREPARED.items():
                add_user(root, name, password, ["SCRAM-SHA-256"])
            roles = [{"role": "root", "db": "admin"}]
            root["$external"].command("createUser", subject(deployment), roles=roles)
        yield deployment


def add_user(root: MongoClient, name: str, password: str, mechanisms: list[str]) -> None:
    root.admin.command("createUser", name, pwd=password, roles=["root"], mechanisms=mechanisms)


def subject(deployment: LocalDeployment) -> str:
    """Whom the client's certificate is for."""
    (file,) = parse_qs(urlsplit(deployment.info.uri).query)["tlsCertificateKeyFile"]
    return x509.load_pem_x509_certificate(Path(file).read_bytes()).subject.rfc4514_string()


def uri_of(deployment: LocalDeployment, credentials: str = "", options: str = "") -> str:
    """The deployment's URI with other credentials, or none."""
    uri = re.sub("//[^@]*@", f"//{credentials}", deployment.info.uri)
    return f"{uri}{options}"


async def needs_authentication(client: Any, wait: Wait) -> None:
    assert (await wait(client.admin.command("dbstats")))["ok"] == 1


def given(name: str, password: str, mechanism: str | None, *, in_uri: bool) -> Any:
    """Credentials as a URI's beginning and end, and as options."""
    if in_uri:
        credentials = f"{quote(name)}:{quote(password)}@"
        return credentials, f"&authMechanism={mechanism}" if mechanism else "", {}
    return "", "", {"username": name, "password": password, "authMechanism": mechanism}


STEP_2 = [(name, each) for name, all_ in MECHANISMS.items() for each in (*all_, None)]


@both_shells
@pytest.mark.parametrize("in_uri", [True, False], ids=["uri", "options"])
@pytest.mark.parametrize(("name", "mechanism"), STEP_2)
def test_step_2_mechanisms_named_and_negotiated(
    guarded: LocalDeployment, shell: str, name: str, mechanism: str | None, in_uri: bool
) -> None:
    credentials, end, options = given(name, name, mechanism, in_uri=in_uri)
    use(shell, uri_of(guarded, credentials, end), needs_authentication, **options)


@both_shells
def test_step_2_the_stronger_mechanism_is_negotiated(
    guarded: LocalDeployment, shell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server tells which one it was in the conversation's log; here the keys tell."""
    from driver.auth import scram

    derived: list[str] = []
    derive = scram.derive_keys

    def recorded(algorithm: str, *rest: Any) -> Any:
        derived.append(algorithm)
        return derive(algorithm, *rest)

    monkeypatch.setattr(scram, "derive_keys", recorded)
    use(shell, uri_of(guarded, "both:both@"), needs_authentication)
    assert set(derived) == {"sha256"}


@both_shells
@pytest.mark.parametrize(
    ("name", "mechanism"), [("sha1", "SCRAM-SHA-256"), ("sha256", "SCRAM-SHA-1")]
)
def test_step_3_the_other_mechanism_fails(
    guarded: LocalDeployment, shell: str, name: str, mechanism: str
) -> None:
    credentials, end, _ = given(name, name, mechanism, in_uri=True)
    with pytest.raises(OperationFailure) as caught:
        use(shell, uri_of(guarded, credentials, end), needs_authentication)
    assert caught.value.code == 18


@both_shells
def test_step_3_nobody_is_like_somebody_with_a_wrong_password(
    guarded: LocalDeployment, shell: str
) -> None:
    errors: list[MongoError] = []
    for credentials in ("nobody:nobody@", "both:wrong@"):
        with pytest.raises(OperationFailure) as caught:
            use(shell, uri_of(guarded, credentials), needs_authentication)
        errors.append(caught.value)
    nobody, wrong = errors
    assert type(nobody) is type(wrong)
    assert nobody.operation == wrong.operation


@both_shells
@pytest.mark.parametrize("in_uri", [True, False], ids=["uri", "options"])
@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("IX", "IX"),
        ("IX", f"I{SOFT_HYPHEN}X"),
        (ROMAN_NINE, "IV"),
        (ROMAN_NINE, f"I{SOFT_HYPHEN}V"),
    ],
)
def test_step_4_passwords_are_prepared_and_names_are_not(
    guarded: LocalDeployment, shell: str, name: str, password: str, in_uri: bool
) -> None:
    credentials, end, options = given(name, password, None, in_uri=in_uri)
    use(shell, uri_of(guarded, credentials, end), needs_authentication, **options)


@both_shells
@pytest.mark.parametrize("named", [True, False])
def test_the_certificate_says_who_the_client_is(
    guarded: LocalDeployment, shell: str, named: bool
) -> None:
    async def act(client: Any, wait: Wait) -> Any:
        status = await wait(client.admin.command("connectionStatus"))
        return status["authInfo"]["authenticatedUsers"]

    options = {"username": subject(guarded)} if named else {}
    users = use(shell, uri_of(guarded), act, authMechanism="MONGODB-X509", **options)
    assert users == [{"user": subject(guarded), "db": "$external"}]


@both_shells
def test_the_certificate_is_for_nobody_else(guarded: LocalDeployment, shell: str) -> None:
    with pytest.raises(OperationFailure):
        use(
            shell,
            uri_of(guarded),
            needs_authentication,
            authMechanism="MONGODB-X509",
            username="CN=somebody",
        )


@both_shells
def test_without_credentials_a_client_is_nobody(guarded: LocalDeployment, shell: str) -> None:
    with pytest.raises(OperationFailure) as caught:
        use(shell, uri_of(guarded), needs_authentication)
    assert caught.value.code == 13
