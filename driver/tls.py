"""How connections are encrypted (uri-options spec, the `tls` options)."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from driver.errors import ConfigurationError

_FIELDS = {
    "tlsCAFile": "ca_file",
    "tlsCRLFile": "crl_file",
    "tlsCertificateKeyFile": "certificate_key_file",
    "tlsCertificateKeyFilePassword": "certificate_key_file_password",
    "tlsAllowInvalidCertificates": "allow_invalid_certificates",
    "tlsAllowInvalidHostnames": "allow_invalid_hostnames",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSOptions:
    """Whom to trust and how to identify oneself; files are PEM.

    The ssl module cannot ask OCSP endpoints: revocation is checked only against `crl_file`.
    """

    ca_file: str | None = None
    crl_file: str | None = None
    certificate_key_file: str | None = None
    certificate_key_file_password: str | None = field(default=None, repr=False)
    allow_invalid_certificates: bool = False
    allow_invalid_hostnames: bool = False

    @classmethod
    def of(cls, options: Mapping[str, Any], *, default: bool = False) -> TLSOptions | None:
        """The settings that parsed options make; None when TLS is off.

        TLS is on with `tls=true`. Without `tls` it is on by `default` (SRV), and as soon as any
        other TLS option has a value other than false. `tlsInsecure` relaxes both checks: of
        certificates and of host names. Raises ConfigurationError if `tls=false` meets such an
        option.
        """
        names = [name for name, value in options.items() if name.startswith("tls") and value]
        relevant = [name for name in names if name != "tls"]
        enabled = options.get("tls", default or bool(relevant))
        if not enabled:
            if relevant:
                raise ConfigurationError(
                    f"{', '.join(relevant)} would have no effect with tls=false; drop one of them"
                )
            return None
        fields = {field: options[name] for name, field in _FIELDS.items() if name in options}
        if options.get("tlsDisableCertificateRevocationCheck"):
            fields.pop("crl_file", None)
        if options.get("tlsInsecure"):
            fields.update(allow_invalid_certificates=True, allow_invalid_hostnames=True)
        return cls(**fields)

    def context(self) -> ssl.SSLContext:
        """A new client context, at least TLS 1.2. Raises ConfigurationError for unusable files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.allow_invalid_certificates or self.allow_invalid_hostnames:
            context.check_hostname = False
        if self.allow_invalid_certificates:
            context.verify_mode = ssl.CERT_NONE
        try:
            self._load(context)
        except (OSError, ValueError) as error:
            files = (self.ca_file, self.crl_file, self.certificate_key_file)
            named = ", ".join(name for name in files if name)
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise ConfigurationError(f"cannot use the TLS files {named}: {reason}") from None
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        if self.ca_file:
            context.load_verify_locations(self.ca_file)
        elif not self.allow_invalid_certificates:
            context.load_default_certs()
        if self.crl_file:
            context.load_verify_locations(self.crl_file)
            context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        if self.certificate_key_file:
            # Never None: OpenSSL would ask for it on the terminal.
            password = self.certificate_key_file_password or ""
            context.load_cert_chain(self.certificate_key_file, password=password)
