from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from driver.errors import ConfigurationError
from driver.options import ClientOptions
from driver.tls import TLSOptions


def tls_of(**keywords: Any) -> TLSOptions | None:
    return ClientOptions.resolve(**keywords).tls


def test_tls_is_off_unless_asked_for() -> None:
    assert tls_of() is None
    assert tls_of(tls=False, tlsInsecure=False) is None
    assert tls_of(tlsAllowInvalidCertificates=False) is None
    assert tls_of(tls=True) == TLSOptions()
    assert tls_of(ssl=True) == TLSOptions()


def test_other_tls_options_turn_it_on() -> None:
    assert tls_of(tlsCAFile="ca.pem") == TLSOptions(ca_file="ca.pem")
    with pytest.raises(ConfigurationError, match="tlsCAFile would have no effect"):
        tls_of(tls=False, tlsCAFile="ca.pem")


def test_insecure_relaxes_both_checks() -> None:
    assert tls_of(tlsInsecure=True) == TLSOptions(
        allow_invalid_certificates=True, allow_invalid_hostnames=True
    )


@pytest.mark.parametrize(
    ("options", "mode", "checks_hostname"),
    [
        (TLSOptions(), ssl.CERT_REQUIRED, True),
        (TLSOptions(allow_invalid_hostnames=True), ssl.CERT_REQUIRED, False),
        (TLSOptions(allow_invalid_certificates=True), ssl.CERT_NONE, False),
    ],
)
def test_contexts(options: TLSOptions, mode: ssl.VerifyMode, checks_hostname: bool) -> None:
    context = options.context()
    assert context.verify_mode is mode
    assert context.check_hostname is checks_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_unusable_files_are_configuration_errors(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a certificate")
    for path in (garbage, tmp_path / "missing.pem", tmp_path):
        for name in ("ca_file", "crl_file", "certificate_key_file"):
            fields: dict[str, Any] = {name: str(path), "certificate_key_file_password": "s3cret"}
            options = TLSOptions(**fields)
            with pytest.raises(ConfigurationError, match=str(path)) as caught:
                options.context()
            assert "s3cret" not in str(caught.value)


def test_an_encrypted_key_never_asks_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = []

    def load(self: ssl.SSLContext, file: str, *, password: str | None) -> None:
        passwords.append(password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    TLSOptions(certificate_key_file="key.pem").context()
    TLSOptions(certificate_key_file="key.pem", certificate_key_file_password="x").context()
    assert passwords == ["", "x"]
