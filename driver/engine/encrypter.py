"""Leads libmongocrypt, which does the cryptography, through what it asks of a driver.

Spec: client-side-encryption, "Integrating with libmongocrypt". The library is optional, and its
Python binding has no types; this module alone imports it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

from driver.bson import encode
from driver.deadline import block
from driver.errors import ConfigurationError, EncryptionError, NetworkTimeout
from driver.runtime.base import Runtime
from driver.tls import TLSOptions
from driver.topology.description import Address
from driver.uri.parse import parse_hosts

_KMS_PORT = 443
_KMS_TIMEOUT = 10.0

FindKeys = Callable[[bytes], Awaitable[Sequence[bytes]]]
"""The key vault's documents that a filter matches."""


class _Codec:
    """All that the binding itself asks of a driver, as long as it does not lead the library."""

    @staticmethod
    def bson_encode(document: Mapping[str, Any]) -> bytes:
        """A document's BSON."""
        return encode(document)


class Encrypter:
    """One handle of the library; safe for threads and tasks, each of which has its own context."""

    def __init__(
        self,
        kms_providers: Mapping[str, Mapping[str, Any]],
        key_expiration_ms: int | None,
        tls: Mapping[str, SSLContext],
        runtime: Runtime,
        find_keys: FindKeys,
    ) -> None:
        """`tls` is how to reach a provider's KMS, where that differs from the usual.

        Raises ConfigurationError for providers that the library refuses, or without the library.
        """
        try:
            from pymongocrypt import binding, errors, mongocrypt, options  # noqa: PLC0415 - optional
            from pymongocrypt.state_machine import MongoCryptCallback  # noqa: PLC0415 - as above
        except ImportError:
            raise ConfigurationError(
                "client-side encryption needs the package pymongocrypt:"
                " pip install mongospec[encryption]"
            ) from None
        MongoCryptCallback.register(_Codec)
        self._states = binding.lib
        self._problem = errors.MongoCryptError
        self._options = options
        self._tls = tls
        self._runtime = runtime
        self._find_keys = find_keys
        providers = {name: _plain(provider) for name, provider in kms_providers.items()}
        try:
            given = options.MongoCryptOptions(
                providers, bypass_encryption=True, key_expiration_ms=key_expiration_ms
            )
            self._library = mongocrypt.MongoCrypt(given, _Codec())
        except (ValueError, TypeError, self._problem) as error:
            raise ConfigurationError(f"client-side encryption: {error}") from None

    def close(self) -> None:
        """Free the keys that the library keeps."""
        self._library.close()

    async def data_key(
        self,
        provider: str,
        master_key: Mapping[str, Any] | None,
        names: Sequence[str],
        material: bytes | None,
    ) -> bytes:
        """A new key's document; `material` instead of random bytes."""
        options = self._options.DataKeyOpts(
            _plain(master_key),
            [encode({"keyAltName": name}) for name in names],
            None if material is None else encode({"keyMaterial": material}),
        )
        return await self._run(lambda: self._library.data_key_context(provider, options)) or b""

    async def encrypt(self, value: bytes, algorithm: str, **options: Any) -> bytes:
        """The document `{v: <value>}` with its value encrypted."""
        name = options.get("key_alt_name")
        if name is not None:
            options["key_alt_name"] = encode({"keyAltName": name})
        given = self._options.ExplicitEncryptOpts(algorithm, **options)
        return (
            await self._run(lambda: self._library.explicit_encryption_context(value, given)) or b""
        )

    async def decrypt(self, value: bytes) -> bytes:
        """The document `{v: <encrypted>}` with its value decrypted."""
        return await self._run(lambda: self._library.explicit_decryption_context(value)) or b""

    async def rewrap(
        self,
        which: Mapping[str, Any],
        provider: str | None,
        master_key: Mapping[str, Any] | None,
    ) -> bytes | None:
        """The document `{v: [<key>, ...]}` of the keys, encrypted anew; None where none match."""
        return await self._run(
            lambda: self._library.rewrap_many_data_key_context(which, provider, _plain(master_key))
        )

    async def _run(self, begin: Callable[[], Any]) -> bytes | None:
        """What the library makes of a context, once it has all that it asked for."""
        with self._reported(), begin() as context:
            while context.state != self._states.MONGOCRYPT_CTX_READY:
                if context.state == self._states.MONGOCRYPT_CTX_DONE:
                    return None
                await self._step(context)
            result: bytes = context.finish()
            return result

    async def _step(self, context: Any) -> None:
        states = self._states
        if context.state == states.MONGOCRYPT_CTX_NEED_MONGO_KEYS:
            for key in await self._find_keys(context.mongo_operation()):
                context.add_mongo_operation_result(key)
            context.complete_mongo_operation()
        elif context.state == states.MONGOCRYPT_CTX_NEED_KMS:
            for request in context.kms_contexts():
                with request:
                    await self._ask(request)
            context.complete_kms()
        elif context.state == states.MONGOCRYPT_CTX_NEED_KMS_CREDENTIALS:
            empty = [name for name, provider in context.kms_providers.items() if not provider]
            raise EncryptionError(
                f"kms_providers: {', '.join(empty)} has no credentials, and none are looked up"
            )
        else:
            context._raise_from_status()
            raise EncryptionError(f"libmongocrypt is in state {context.state}, unknown here")

    async def _ask(self, request: Any) -> None:
        """Put one request to a key management service; the library says whether it is put again."""
        deadline = block.get()
        (address,) = parse_hosts(request.endpoint, _KMS_PORT)
        if request.usleep:
            pause = request.usleep / 1e6
            left = pause if deadline is None else deadline.left(self._runtime.now())
            await self._runtime.waiter().wait(min(pause, max(left, 0.0)))
        until = self._runtime.now() + _KMS_TIMEOUT
        if deadline is not None:
            until = min(until, deadline.at)
        try:
            await self._runtime.exchange(
                address,
                self._tls.get(request.kms_provider) or TLSOptions().context(),
                request.message,
                lambda: int(request.bytes_needed),
                request.feed,
                until,
            )
        except OSError as error:
            if deadline is not None and deadline.passed(self._runtime.now()):
                raise _late(address) from error
            with self._reported(f"the key management service {address}: {error}"):
                request.fail()

    @contextmanager
    def _reported(self, what: str = "") -> Iterator[None]:
        """The library's errors are the driver's."""
        try:
            yield
        except (self._problem, ValueError) as error:
            raise EncryptionError(what or str(error)) from error


def _plain(document: Any) -> Any:
    """A document as the binding wants it."""
    return dict(document) if isinstance(document, Mapping) else document


def _late(address: Address) -> NetworkTimeout:
    late = NetworkTimeout("a key management service did not answer in time")
    late.host = str(address)
    return late
