"""Encryption of sites' AI keys: each secret has one use, and what older versions encrypted stays readable."""

from __future__ import annotations

import pytest

from parley.chat.ai.site_keys import SiteKeyCipher, SiteKeyUnreadable
from parley.chat.settings import ChatSettings

IDENTITY, ENCRYPTION = "identity-5f0b7f0e9c1d4a7b8e2f6a3c", "encryption-9d0e1f2a5f0b7f0e9c1d4a7b"


def test_a_key_is_readable_after_the_identity_secret_changes() -> None:
    encrypted = SiteKeyCipher(IDENTITY, ENCRYPTION).encrypt(1, "sk-site")
    assert SiteKeyCipher("another identity secret", ENCRYPTION).decrypt(1, encrypted) == "sk-site"
    with pytest.raises(SiteKeyUnreadable):
        SiteKeyCipher(IDENTITY).decrypt(1, encrypted)
    with pytest.raises(SiteKeyUnreadable):
        SiteKeyCipher(IDENTITY, ENCRYPTION).decrypt(2, encrypted)


def test_a_key_of_an_installation_without_an_encryption_secret_stays_readable() -> None:
    encrypted = SiteKeyCipher(IDENTITY).encrypt(1, "sk-site")
    assert SiteKeyCipher(IDENTITY, ENCRYPTION).decrypt(1, encrypted) == "sk-site"


def test_an_empty_variable_is_none() -> None:
    settings = ChatSettings(
        identity_secret=IDENTITY, amqp_url="amqp://unused", mongodb_uri="mongodb://unused", encryption_secret=""
    )
    assert settings.encryption_secret is None
