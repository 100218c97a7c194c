"""Master keys of a remote service: its requests over TLS, its failures, its time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from driver.encryption import Algorithm, ClientEncryption, EncryptionError
from driver.errors import ConfigurationError, NetworkTimeout
from driver.sync.client import MongoClient
from runners.deployments.local import LocalDeployment
from tests.encryption.service import VAULT, Service, Wait, encryption
from tests.engine.clients import both_shells, use

RANDOM = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
AWS = {"aws": {"accessKeyId": "me", "secretAccessKey": "hush"}}


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA, tmp_path: Path) -> dict[str, Any]:
    """Options of those who trust the service."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(file)
    return {"kms_tls_options": {"aws": {"tlsCAFile": str(file)}}}


@pytest.mark.live
@both_shells
def test_a_service_encrypts_data_keys(
    standalone: LocalDeployment, authority: trustme.CA, trusting: dict[str, Any], shell: str
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client, AWS, **trusting)
        key = await wait(mine.create_data_key("aws", service.master_key))
        encrypted = await wait(mine.encrypt(7, RANDOM, key_id=key))
        assert await wait(encryption(client, AWS, **trusting).decrypt(encrypted)) == 7
        await wait(mine.delete_key(key))

    with Service(authority) as service:
        use(shell, standalone.info.uri, act)
    assert service.asked == [f"TrentService.{name}" for name in ("Encrypt", "Decrypt", "Decrypt")]


def fails(
    shell: str,
    service: Service,
    expected: type[Exception],
    providers: Any = AWS,
    trusting: Any = None,
    **options: Any,
) -> Any:
    """The error of a data key that is never made, so that no server is needed."""

    async def act(client: Any, wait: Wait) -> Any:
        mine = encryption(client, providers, **(trusting or {}))
        with pytest.raises(expected) as caught:
            await wait(mine.create_data_key("aws", service.master_key))
        return caught.value

    with service:
        return use(shell, "mongodb://127.0.0.1:1", act, **options)


@both_shells
def test_who_does_not_trust_a_service_says_nothing(authority: trustme.CA, shell: str) -> None:
    service = Service(authority)
    error = fails(shell, service, EncryptionError)
    assert "CERTIFICATE_VERIFY_FAILED" in str(error)
    assert service.asked == []


@both_shells
def test_a_service_that_hangs_up_is_asked_again_and_then_named(
    authority: trustme.CA, trusting: dict[str, Any], shell: str
) -> None:
    service = Service(authority, lambda _: "hang up")
    error = fails(shell, service, EncryptionError, trusting=trusting)
    assert f"the key management service {service.master_key['endpoint']}: " in str(error)
    assert "closed in the middle" in str(error)
    assert len(service.asked) > 1
    assert "hush" not in str(error)


@both_shells
def test_a_silent_service_is_waited_for_as_long_as_the_timeout_says(
    authority: trustme.CA, trusting: dict[str, Any], shell: str
) -> None:
    service = Service(authority, lambda _: "be silent")
    began = time.monotonic()
    error = fails(shell, service, NetworkTimeout, trusting=trusting, timeoutMS=2_000)
    assert time.monotonic() - began < 9  # without one, a service has 10 seconds
    assert error.timeout
    assert len(service.asked) <= 1


@both_shells
def test_credentials_are_not_looked_up(authority: trustme.CA, shell: str) -> None:
    error = fails(shell, Service(authority), EncryptionError, {"aws": {}})
    assert "aws has no credentials" in str(error)


@pytest.mark.parametrize("absent", ["pymongocrypt", "pymongocrypt.state_machine"])
def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    monkeypatch.setitem(sys.modules, absent, None)
    make: Callable[..., Any] = ClientEncryption
    with (
        MongoClient("mongodb://127.0.0.1:1", connect=False) as client,
        pytest.raises(ConfigurationError, match=r"pip install mongospec\[encryption\]"),
    ):
        make({"local": {"key": bytes(96)}}, VAULT, client)
