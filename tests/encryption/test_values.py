"""Values and data keys on a live server, in both shells, with a local master key."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from driver.bson import Binary, CodecOptions, Int64, ObjectId, UuidRepresentation
from driver.encryption import Algorithm, EncryptionError
from driver.errors import ConfigurationError, InvalidName, InvalidOperation
from runners.deployments.local import LocalDeployment
from tests.encryption.service import KEY, VAULT, Wait, encryption
from tests.engine.clients import Act, both_shells, use

pytestmark = pytest.mark.live

Run = Callable[..., Any]
RANDOM = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
DETERMINISTIC = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Deterministic
SECRET = "the value that nobody may see"


@pytest.fixture
def on_vault(standalone: LocalDeployment) -> Iterator[Run]:
    """Runs `act(client, wait)` with an empty key vault."""
    uri = standalone.info.uri

    def forget() -> None:
        use("sync", uri, lambda client, wait: wait(client.drop_database("encryption")))

    def run(shell: str, act: Act, **options: Any) -> Any:
        return use(shell, uri, act, **options)

    forget()
    yield run
    forget()


@both_shells
@pytest.mark.parametrize("algorithm", [RANDOM, DETERMINISTIC])
@pytest.mark.parametrize("value", [SECRET, Int64(7), ObjectId(), Binary(b"\0\1", 5)])
def test_what_is_encrypted_is_decrypted(
    on_vault: Run, shell: str, algorithm: str, value: Any
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        key = await wait(mine.create_data_key("local"))
        one, other = [await wait(mine.encrypt(value, algorithm, key_id=key)) for _ in range(2)]
        assert (one.subtype, other.subtype, key.subtype) == (6, 6, 4)
        assert (one == other) is (algorithm == DETERMINISTIC)
        assert SECRET.encode() not in one
        theirs = encryption(client)  # with a cache of its own, so that it asks the vault
        for each in (one, other):
            assert await wait(theirs.decrypt(each)) == value

    on_vault(shell, act)


@both_shells
def test_documents_are_encrypted_whole_and_read_as_the_codec_options_say(
    on_vault: Run, shell: str
) -> None:
    number = uuid.uuid4()
    value = {"list": [1, {"deep": SECRET}], "uuid": number}

    async def act(client: Any, wait: Wait) -> None:
        options = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
        mine = encryption(client, codec_options=options)
        key = await wait(mine.create_data_key("local"))
        encrypted = await wait(mine.encrypt(value, RANDOM, key_id=key))
        assert await wait(mine.decrypt(encrypted)) == value
        raw = await wait(encryption(client).decrypt(encrypted))
        assert raw["uuid"] == Binary(number.bytes, 4)

    on_vault(shell, act)


@both_shells
def test_indexed_values_say_what_they_are_for(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        key = await wait(mine.create_data_key("local"))
        options = {"key_id": key, "contention_factor": 0}
        stored = await wait(mine.encrypt(SECRET, Algorithm.INDEXED, **options))
        sought = await wait(
            mine.encrypt(SECRET, Algorithm.INDEXED, query_type="equality", **options)
        )
        plain = await wait(mine.encrypt(SECRET, Algorithm.UNINDEXED, key_id=key))
        assert len({stored[0], sought[0], plain[0]}) == 3  # the kinds of payload
        assert await wait(mine.decrypt(plain)) == SECRET
        with pytest.raises(EncryptionError, match="contention factor"):
            await wait(mine.encrypt(SECRET, Algorithm.INDEXED, key_id=key))

    on_vault(shell, act)


@both_shells
def test_another_master_key_decrypts_nothing(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        key = await wait(mine.create_data_key("local"))
        encrypted = await wait(mine.encrypt(SECRET, RANDOM, key_id=key))
        wrong = encryption(client, {"local": {"key": os.urandom(96)}})
        with pytest.raises(EncryptionError, match="HMAC validation failure"):
            await wait(wrong.decrypt(encrypted))
        tampered = Binary(encrypted[:-1] + bytes([encrypted[-1] ^ 1]), 6)
        with pytest.raises(EncryptionError, match="HMAC validation failure"):
            await wait(mine.decrypt(tampered))
        await wait(mine.delete_key(key))
        with pytest.raises(EncryptionError, match="not all keys requested were satisfied"):
            await wait(encryption(client).decrypt(encrypted))

    on_vault(shell, act)


@both_shells
def test_a_key_has_names(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        key = await wait(mine.create_data_key("local", key_alt_names=["one", "two"]))
        encrypted = await wait(mine.encrypt(SECRET, DETERMINISTIC, key_alt_name="two"))
        assert encrypted == await wait(mine.encrypt(SECRET, DETERMINISTIC, key_id=key))
        assert (await wait(mine.get_key_by_alt_name("one")))["_id"] == key
        before = await wait(mine.add_key_alt_name(key, "three"))
        assert sorted(before["keyAltNames"]) == ["one", "two"]
        for name in ("one", "two", "three"):
            before = await wait(mine.remove_key_alt_name(key, name))
            assert name in before["keyAltNames"]
        assert "keyAltNames" not in await wait(mine.get_key(key))
        assert await wait(mine.get_key_by_alt_name("one")) is None
        assert await wait(mine.add_key_alt_name(uuid.uuid4(), "x")) is None

    on_vault(shell, act)


@both_shells
def test_keys_are_found_and_deleted(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        keys = [await wait(mine.create_data_key("local")) for _ in range(2)]
        found = await wait(mine.get_keys().to_list())
        assert {key["_id"] for key in found} == set(keys)
        assert (await wait(mine.get_key(uuid.UUID(bytes=bytes(keys[0])))))["_id"] == keys[0]
        assert (await wait(mine.delete_key(keys[0]))).deleted_count == 1
        assert await wait(mine.get_key(keys[0])) is None

    on_vault(shell, act)


@both_shells
def test_keys_are_encrypted_anew_and_still_decrypt(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client, {"local": {"key": KEY}, "local:new": {"key": os.urandom(96)}})
        key = await wait(mine.create_data_key("local", key_material=b"m" * 96))
        encrypted = await wait(mine.encrypt(SECRET, RANDOM, key_id=key))
        before = await wait(mine.get_key(key))
        result = await wait(mine.rewrap_many_data_key({"_id": key}, "local:new"))
        assert result.bulk_write_result.modified_count == 1
        after = await wait(mine.get_key(key))
        assert after["keyMaterial"] != before["keyMaterial"]
        assert after["masterKey"] == {"provider": "local:new"}
        assert after["updateDate"] > before["updateDate"]
        assert await wait(mine.decrypt(encrypted)) == SECRET
        none = await wait(mine.rewrap_many_data_key({"_id": 1}))
        assert none.bulk_write_result is None

    on_vault(shell, act)


@both_shells
def test_wrong_arguments_are_refused(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        key = Binary(bytes(16), 4)
        calls: list[tuple[type[Exception], str, Callable[[], Any]]] = [
            (ConfigurationError, "one of key_id", lambda: mine.encrypt(1, RANDOM)),
            (ConfigurationError, "one of key_id", lambda: mine.encrypt(1, RANDOM, key, "a")),
            (TypeError, "subtype 4", lambda: mine.encrypt(1, RANDOM, key_id="a")),
            (TypeError, "subtype 4", lambda: mine.get_key(b"a")),
            (TypeError, "subtype 6", lambda: mine.decrypt(b"a")),
            (TypeError, "subtype 6", lambda: mine.decrypt(key)),
            (EncryptionError, "subtype: 120", lambda: mine.decrypt(Binary(b"x", 6))),
            (EncryptionError, "nonsense", lambda: mine.encrypt(1, "nonsense", key)),
            (EncryptionError, "not all keys", lambda: mine.encrypt(1, RANDOM, key)),
            (EncryptionError, "aws", lambda: mine.create_data_key("aws")),
            (TypeError, "a list of", lambda: mine.create_data_key("local", key_alt_names="a")),
            (EncryptionError, "length 96", lambda: mine.create_data_key("local", None, None, b"a")),
            (ConfigurationError, "needs the", lambda: mine.rewrap_many_data_key({}, None, {})),
        ]
        for kind, text, call in calls:
            with pytest.raises(kind, match=text):
                await wait(call())

    on_vault(shell, act)


@both_shells
@pytest.mark.parametrize(
    ("providers", "kind", "text"),
    [
        ({}, ConfigurationError, "at least one"),
        ({"local": {}}, ConfigurationError, "'key'"),
        ({"local": {"key": b"k3y"}}, ConfigurationError, "96 bytes"),
        ({"local": "k3y"}, ConfigurationError, "must be a dict"),
        ({"moon": {"key": b"k3y"}}, ConfigurationError, "moon"),
        ({"aws": {"accessKeyId": "k3y"}}, ConfigurationError, "secretAccessKey"),
        ("k3y", TypeError, "mapping"),
    ],
)
def test_wrong_providers_are_refused_without_showing_them(
    on_vault: Run, shell: str, providers: Any, kind: type[Exception], text: str
) -> None:
    async def act(client: Any, wait: Wait) -> None:
        with pytest.raises(kind, match=text) as caught:
            encryption(client, providers)
        assert "k3y" not in str(caught.value)

    on_vault(shell, act)


@both_shells
def test_it_ends(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        for _ in range(2):
            await wait(mine.close())
        for call in (
            lambda: mine.create_data_key("local"),
            lambda: mine.get_key(Binary(bytes(16), 4)),
            mine.get_keys,
        ):
            with pytest.raises(InvalidOperation, match="closed"):
                await wait(call())
        assert (await wait(client.admin.command("ping")))["ok"] == 1

    on_vault(shell, act)


@both_shells
def test_no_key_is_in_a_log_a_repr_or_an_error(
    on_vault: Run, shell: str, caplog: pytest.LogCaptureFixture
) -> None:
    shown: list[str] = []

    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        shown.append(repr(mine))
        material = b"material" * 12
        key = await wait(mine.create_data_key("local", key_material=material))
        encrypted = await wait(mine.encrypt(SECRET, RANDOM, key_id=key))
        await wait(mine.decrypt(encrypted))
        await wait(mine.rewrap_many_data_key({}))
        with pytest.raises(EncryptionError) as caught:
            await wait(mine.encrypt(SECRET, "nonsense", key_id=key))
        shown.append(repr(caught.value))

    with caplog.at_level(logging.DEBUG, "mongospec"):
        on_vault(shell, act)
    shown += [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert shown[0].endswith(f"ClientEncryption('{VAULT}', local)")
    everything = "\n".join(shown)
    assert "insert" in everything, "the logs are on"
    for secret in (SECRET, "materialmaterial", KEY.hex(), repr(KEY)[2:40]):
        assert secret not in everything


@both_shells
def test_a_vault_needs_a_collection(on_vault: Run, shell: str) -> None:
    async def act(client: Any, wait: Wait) -> None:
        mine = encryption(client)
        with pytest.raises(InvalidName):
            type(mine)({"local": {"key": KEY}}, "vault", client)

    on_vault(shell, act)
