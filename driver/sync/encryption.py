"""Sync explicit encryption: a table over `driver.aio.encryption`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driver.aio.encryption import AsyncClientEncryption
from driver.sync.client import MongoClient
from driver.sync.cursor import Cursor
from driver.sync.facade import ClosingFacade, blocking, wrapping


class ClientEncryption(ClosingFacade[AsyncClientEncryption]):
    """Encrypts and decrypts values with data keys, which a key vault keeps, themselves encrypted.

    See `AsyncClientEncryption`. Close it, or use `with`.
    """

    __slots__ = ()

    def __init__(
        self,
        kms_providers: Mapping[str, Mapping[str, Any]],
        key_vault_namespace: str,
        key_vault_client: MongoClient,
        codec_options: Any = None,
        kms_tls_options: Mapping[str, Mapping[str, Any]] | None = None,
        key_expiration_ms: int | None = None,
    ) -> None:
        super().__init__(
            AsyncClientEncryption(
                kms_providers,
                key_vault_namespace,
                key_vault_client._core_object,
                codec_options,
                kms_tls_options,
                key_expiration_ms,
            )
        )

    encrypt = blocking(AsyncClientEncryption.encrypt)
    decrypt = blocking(AsyncClientEncryption.decrypt)
    create_data_key = blocking(AsyncClientEncryption.create_data_key)
    rewrap_many_data_key = blocking(AsyncClientEncryption.rewrap_many_data_key)
    delete_key = blocking(AsyncClientEncryption.delete_key)
    get_key = blocking(AsyncClientEncryption.get_key)
    get_keys = wrapping(Cursor)(AsyncClientEncryption.get_keys)
    get_key_by_alt_name = blocking(AsyncClientEncryption.get_key_by_alt_name)
    add_key_alt_name = blocking(AsyncClientEncryption.add_key_alt_name)
    remove_key_alt_name = blocking(AsyncClientEncryption.remove_key_alt_name)
    close = blocking(AsyncClientEncryption.close)
