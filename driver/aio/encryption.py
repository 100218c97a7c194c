"""Explicit client-side encryption (client-side-encryption spec, "ClientEncryption")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from driver.aio.client import AsyncMongoClient
from driver.aio.cursor import AsyncCursor
from driver.aio.timed import timed
from driver.bson import Binary, CodecOptions, RawBSONDocument, decode, encode
from driver.concerns import ReadConcern, WriteConcern
from driver.deadline import Deadline
from driver.engine.encrypter import Encrypter
from driver.engine.session import AsyncClientSession
from driver.errors import ConfigurationError, InvalidOperation
from driver.models import UpdateOne
from driver.results import BulkWriteResult, DeleteResult
from driver.tls import TLSOptions
from driver.uri.table import read_options

_ENCRYPTED = 6
_UUID = 4


class Algorithm:
    """How a value is encrypted: deterministic ciphertexts can be compared, random ones cannot."""

    AEAD_AES_256_CBC_HMAC_SHA_512_Deterministic = "AEAD_AES_256_CBC_HMAC_SHA_512-Deterministic"
    AEAD_AES_256_CBC_HMAC_SHA_512_Random = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"
    INDEXED = "Indexed"
    UNINDEXED = "Unindexed"


@dataclass(frozen=True, slots=True)
class RewrapManyDataKeyResult:
    """What became of the keys; `bulk_write_result` is None where none matched."""

    bulk_write_result: BulkWriteResult | None = None


class AsyncClientEncryption:
    """Encrypts and decrypts values with data keys, which a key vault keeps, themselves encrypted.

    Needs the package pymongocrypt. Keys and credentials are in no repr, log message or error. The
    key vault client's timeout is for every method as a whole. Close it, or use `async with`.
    """

    def __init__(
        self,
        kms_providers: Mapping[str, Mapping[str, Any]],
        key_vault_namespace: str,
        key_vault_client: AsyncMongoClient,
        codec_options: CodecOptions | None = None,
        kms_tls_options: Mapping[str, Mapping[str, Any]] | None = None,
        key_expiration_ms: int | None = None,
    ) -> None:
        """`kms_providers`: credentials by provider (`local`, `aws`, `kmip:name` ...).

        `codec_options` are for values, by default the client's; `kms_tls_options` has the options
        of a connection string that begin with `tls`, by provider. Raises ConfigurationError.
        """
        if not isinstance(kms_providers, Mapping):
            raise TypeError("kms_providers must be a mapping of providers to their credentials")
        database, _, collection = key_vault_namespace.partition(".")
        self._vault = key_vault_client.get_database(database).get_collection(
            collection,
            codec_options=CodecOptions(),
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority"),
        )
        self._values = codec_options or key_vault_client.codec_options
        self._providers = tuple(kms_providers)
        self._closed = False
        tls = {
            name: (TLSOptions.of(read_options(options.items(), strict=True)) or TLSOptions())
            for name, options in (kms_tls_options or {}).items()
        }
        self._encrypter = Encrypter(
            kms_providers,
            key_expiration_ms,
            {name: options.context() for name, options in tls.items()},
            key_vault_client._core.runtime,
            self._find_keys,
        )

    def _by(self, session: AsyncClientSession | None) -> Deadline | None:
        self._check_open()
        return self._vault._core.deadline(self._vault._scope.timeout, session)

    async def _find_keys(self, which: bytes) -> list[bytes]:
        raw = self._vault.with_options(codec_options=CodecOptions(document_class=RawBSONDocument))
        return [key.raw async for key in raw.find(RawBSONDocument(which))]

    # Values.

    @timed
    async def encrypt(
        self,
        value: Any,
        algorithm: str,
        key_id: Binary | UUID | None = None,
        key_alt_name: str | None = None,
        query_type: str | None = None,
        contention_factor: int | None = None,
    ) -> Binary:
        """A value, encrypted with the key of that `_id` or name: a Binary of subtype 6.

        Raises EncryptionError; ConfigurationError unless the key is named in one of the two ways.
        """
        if (key_id is None) == (key_alt_name is None):
            raise ConfigurationError("encrypt needs one of key_id and key_alt_name")
        result = await self._encrypter.encrypt(
            encode({"v": value}, self._values),
            algorithm,
            key_id=None if key_id is None else bytes(_key_id(key_id)),
            key_alt_name=key_alt_name,
            query_type=query_type,
            contention_factor=contention_factor,
        )
        encrypted: Binary = decode(result)["v"]
        return encrypted

    @timed
    async def decrypt(self, value: Binary) -> Any:
        """What `encrypt` was given; raises EncryptionError where its key does not decrypt it."""
        if getattr(value, "subtype", None) != _ENCRYPTED:
            raise TypeError("only a Binary of subtype 6 can be decrypted")
        result = await self._encrypter.decrypt(encode({"v": value}))
        return decode(result, self._values)["v"]

    # Keys.

    @timed
    async def create_data_key(
        self,
        kms_provider: str,
        master_key: Mapping[str, Any] | None = None,
        key_alt_names: Sequence[str] | None = None,
        key_material: bytes | None = None,
    ) -> Binary:
        """A new key in the key vault; gives its `_id`.

        `master_key` names the provider's key that encrypts it, `key_material` is 96 bytes to use
        instead of random ones.
        """
        if isinstance(key_alt_names, str):
            raise TypeError("key_alt_names must be a list of strings")
        key = await self._encrypter.data_key(
            kms_provider, master_key, key_alt_names or (), key_material
        )
        id_: Binary = (await self._vault.insert_one(decode(key))).inserted_id
        return id_

    @timed
    async def rewrap_many_data_key(
        self,
        filter: Mapping[str, Any],  # noqa: A002 - PyMongo's name
        provider: str | None = None,
        master_key: Mapping[str, Any] | None = None,
    ) -> RewrapManyDataKeyResult:
        """Encrypt the matching keys anew, with the provider's master key or each with its own."""
        if master_key is not None and provider is None:
            raise ConfigurationError("master_key needs the provider that it belongs to")
        result = await self._encrypter.rewrap(filter, provider, master_key)
        if result is None:
            return RewrapManyDataKeyResult()
        updates = [
            UpdateOne(
                {"_id": key["_id"]},
                {
                    "$set": {name: key[name] for name in ("keyMaterial", "masterKey")},
                    "$currentDate": {"updateDate": True},
                },
            )
            for key in decode(result)["v"]
        ]
        return RewrapManyDataKeyResult(await self._vault.bulk_write(updates))

    async def delete_key(self, id: Binary | UUID) -> DeleteResult:  # noqa: A002 - PyMongo's name
        """Remove a key: what it encrypted is lost."""
        self._check_open()
        return await self._vault.delete_one({"_id": _key_id(id)})

    async def get_key(self, id: Binary | UUID) -> dict[str, Any] | None:  # noqa: A002 - as above
        """A key's document; None if there is none."""
        self._check_open()
        key: dict[str, Any] | None = await self._vault.find_one({"_id": _key_id(id)})
        return key

    def get_keys(self) -> AsyncCursor:
        """All keys' documents."""
        self._check_open()
        return self._vault.find({})

    async def get_key_by_alt_name(self, key_alt_name: str) -> dict[str, Any] | None:
        """The document of the key that has this name; None if there is none."""
        self._check_open()
        key: dict[str, Any] | None = await self._vault.find_one({"keyAltNames": key_alt_name})
        return key

    async def add_key_alt_name(
        self,
        id: Binary | UUID,  # noqa: A002 - PyMongo's name
        key_alt_name: str,
    ) -> Any:
        """Give a key a further name; gives its document as it was, or None."""
        self._check_open()
        update = {"$addToSet": {"keyAltNames": key_alt_name}}
        return await self._vault.find_one_and_update({"_id": _key_id(id)}, update)

    async def remove_key_alt_name(
        self,
        id: Binary | UUID,  # noqa: A002 - PyMongo's name
        key_alt_name: str,
    ) -> Any:
        """Take a name from a key, and with the last one the list; gives its document as it was."""
        self._check_open()
        others = {"input": "$keyAltNames", "cond": {"$ne": ["$$this", key_alt_name]}}
        is_last = {"$eq": ["$keyAltNames", [key_alt_name]]}
        names = {"$cond": [is_last, "$$REMOVE", {"$filter": others}]}
        update = [{"$set": {"keyAltNames": names}}]
        return await self._vault.find_one_and_update({"_id": _key_id(id)}, update)

    # The end.

    def _check_open(self) -> None:
        if self._closed:
            raise InvalidOperation("this ClientEncryption is closed")

    async def close(self) -> None:
        """Free what the library keeps; the key vault client stays open."""
        if not self._closed:
            self._closed = True
            self._encrypter.close()

    async def __aenter__(self) -> AsyncClientEncryption:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClientEncryption({self._vault.full_name!r}, {', '.join(self._providers)})"


def _key_id(id_: Any) -> Binary:
    """A key's `_id` as it is stored."""
    if isinstance(id_, UUID):
        return Binary.from_uuid(id_)
    if not isinstance(id_, Binary) or id_.subtype != _UUID:
        raise TypeError(f"a key's id must be a UUID or a Binary of subtype 4, not {id_!r}")
    return id_
