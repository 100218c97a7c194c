"""Client-side encryption under PyMongo's names."""

from driver.aio.encryption import Algorithm, AsyncClientEncryption, RewrapManyDataKeyResult
from driver.errors import EncryptionError
from driver.sync.encryption import ClientEncryption

__all__ = [
    "Algorithm",
    "AsyncClientEncryption",
    "ClientEncryption",
    "EncryptionError",
    "RewrapManyDataKeyResult",
]
