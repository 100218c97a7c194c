"""TLS with a scripted peer: who is let in, and what is said about who is not."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from driver.errors import ConfigurationError, ServerSelectionTimeoutError
from tests.engine.clients import both_shells, dialled, use
from tests.engine.scripted import ScriptedServer

Wait = Callable[[Any], Awaitable[Any]]

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NAMES = ("localhost", "127.0.0.1")
PASSWORD = "s3cret pass"


async def ping(client: Any, wait: Wait) -> Any:
    return await wait(client.admin.command("ping"))


@dataclass
class Files:
    """A certificate authority, and its files in a folder."""

    folder: Path
    authority: trustme.CA

    @property
    def ca(self) -> str:
        return self._write("ca.pem", self.authority.cert_pem.bytes())

    def client(self, password: str = "") -> str:
        """A client's key and certificate in one file; the key encrypted with a password."""
        leaf = self.authority.issue_cert("client@test")
        key = leaf.private_key_pem.bytes()
        if password:
            key = load_pem_private_key(key, None).private_bytes(
                Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode())
            )
        chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
        return self._write(f"client{bool(password)}.pem", key + chain)

    def revoking(self, leaf: trustme.LeafCert) -> str:
        """A list of revoked certificates: this one."""
        revoked = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
        now = datetime.now(UTC).replace(tzinfo=None)
        issuer = x509.load_pem_x509_certificate(self.authority.cert_pem.bytes())
        entry = x509.RevokedCertificateBuilder(revoked.serial_number, now - timedelta(days=1))
        built = (
            x509.CertificateRevocationListBuilder(issuer.subject, now - timedelta(days=1))
            .next_update(now + timedelta(days=1))
            .add_revoked_certificate(entry.build())
            .sign(
                load_pem_private_key(self.authority.private_key_pem.bytes(), None),  # type: ignore[arg-type]
                hashes.SHA256(),
            )
        )
        return self._write("crl.pem", built.public_bytes(Encoding.PEM))

    def _write(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.write_bytes(data)
        return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path, trustme.CA())


def serving(leaf: trustme.LeafCert, *, wants: Files | None = None) -> ScriptedServer:
    """A server with that certificate, which may want one of its clients too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    if wants is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        wants.authority.configure_trust(context)
    return ScriptedServer(tls=context)


def accepted(shell: str, server: ScriptedServer, **options: Any) -> None:
    assert use(shell, server.uri, ping, **options)["ok"] == 1


def refused(shell: str, server: ScriptedServer, **options: Any) -> str:
    """What is said of a connection that is refused."""
    said = str(dialled(shell, server.uri, **options))
    assert PASSWORD not in said
    return said


@both_shells
def test_a_server_that_proves_itself_is_accepted(shell: str, files: Files) -> None:
    with serving(files.authority.issue_cert(*NAMES)) as server:
        accepted(shell, server, tls=True, tlsCAFile=files.ca)


@both_shells
def test_another_authority_is_refused(shell: str, files: Files) -> None:
    with serving(trustme.CA().issue_cert(*NAMES)) as server:
        said = refused(shell, server, tls=True, tlsCAFile=files.ca)
        assert "certificate was refused" in said
        assert "issuer" in said or "self-signed" in said or "self signed" in said
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsAllowInvalidCertificates=True)
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsInsecure=True)
        refused(shell, server, tls=True, tlsCAFile=files.ca, tlsAllowInvalidHostnames=True)


@both_shells
def test_the_reason_reaches_who_waits_for_a_server(shell: str, files: Files) -> None:
    with (
        serving(trustme.CA().issue_cert(*NAMES)) as server,
        pytest.raises(ServerSelectionTimeoutError, match="certificate was refused"),
    ):
        use(shell, server.uri, ping, tls=True, tlsCAFile=files.ca, serverSelectionTimeoutMS=1500)


@both_shells
def test_another_host_name_is_refused(shell: str, files: Files) -> None:
    with serving(files.authority.issue_cert("elsewhere.test")) as server:
        said = refused(shell, server, tls=True, tlsCAFile=files.ca)
        assert "certificate is not valid for '127.0.0.1'" in said
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsAllowInvalidHostnames=True)
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsInsecure=True)


@both_shells
def test_an_expired_certificate_is_refused(shell: str, files: Files) -> None:
    with serving(files.authority.issue_cert(*NAMES, not_after=LONG_AGO)) as server:
        assert "certificate has expired" in refused(shell, server, tls=True, tlsCAFile=files.ca)
        refused(shell, server, tls=True, tlsCAFile=files.ca, tlsAllowInvalidHostnames=True)
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsAllowInvalidCertificates=True)


@both_shells
def test_a_revoked_certificate_is_refused(shell: str, files: Files) -> None:
    leaf = files.authority.issue_cert(*NAMES)
    crl = files.revoking(leaf)
    with serving(leaf) as server:
        said = refused(shell, server, tls=True, tlsCAFile=files.ca, tlsCRLFile=crl)
        assert "certificate revoked" in said
        unchecked = {"tlsCRLFile": crl, "tlsDisableCertificateRevocationCheck": True}
        accepted(shell, server, tls=True, tlsCAFile=files.ca, **unchecked)
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsDisableOCSPEndpointCheck=True)
    with serving(files.authority.issue_cert(*NAMES)) as server:
        accepted(shell, server, tls=True, tlsCAFile=files.ca, tlsCRLFile=crl)


@both_shells
def test_a_missing_client_certificate_is_told(shell: str, files: Files) -> None:
    with serving(files.authority.issue_cert(*NAMES), wants=files) as server:
        said = refused(shell, server, tls=True, tlsCAFile=files.ca)
        assert "tlsCertificateKeyFile" in said
        options = {"tls": True, "tlsCAFile": files.ca}
        accepted(shell, server, **options, tlsCertificateKeyFile=files.client())
        encrypted = files.client(PASSWORD)
        options["tlsCertificateKeyFile"] = encrypted
        accepted(shell, server, **options, tlsCertificateKeyFilePassword=PASSWORD)


@both_shells
@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_key_that_cannot_be_decrypted_is_told(
    shell: str, files: Files, password: str | None
) -> None:
    encrypted = files.client(PASSWORD)
    with (
        serving(files.authority.issue_cert(*NAMES)) as server,
        pytest.raises(ConfigurationError, match="cannot use the TLS files"),
    ):
        use(
            shell,
            server.uri,
            ping,
            tls=True,
            tlsCertificateKeyFile=encrypted,
            tlsCertificateKeyFilePassword=password,
        )


@both_shells
def test_a_server_without_tls_is_told(shell: str, files: Files) -> None:
    """As mongod does, the peer hangs up on what is no message."""
    with ScriptedServer(greeting=b"") as plain:
        said = refused(shell, plain, tls=True, tlsCAFile=files.ca)
        assert "may not speak TLS" in said


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@both_shells
def test_an_old_version_of_tls_is_refused(shell: str, files: Files) -> None:
    server = serving(files.authority.issue_cert(*NAMES))
    assert server.tls is not None
    server.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    server.tls.minimum_version = ssl.TLSVersion.TLSv1
    server.tls.set_ciphers("DEFAULT@SECLEVEL=0")
    with server:
        said = refused(shell, server, tls=True, tlsCAFile=files.ca)
        assert "may not speak TLS" in said
