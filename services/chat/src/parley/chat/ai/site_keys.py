"""Encryption of sites' own AI keys, with a key derived from the installation's secret and the site's id."""

from __future__ import annotations

from cryptography.fernet import InvalidToken

from parley.common.auth.encryption import derive_fernet


class SiteKeyUnreadable(Exception):
    """The key was encrypted with another secret than the installation has now: it must be set again."""


class SiteKeyCipher:
    """A key that is encrypted for one site cannot be decrypted for another."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def encrypt(self, site_id: int, key: str) -> str:
        return derive_fernet(f"ai key of site {site_id}", self._secret).encrypt(key.encode()).decode()

    def decrypt(self, site_id: int, encrypted: str) -> str:
        """Raises SiteKeyUnreadable."""
        try:
            return derive_fernet(f"ai key of site {site_id}", self._secret).decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise SiteKeyUnreadable(f"the AI key of site {site_id} cannot be decrypted with this secret") from None
