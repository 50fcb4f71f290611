"""Encryption of what sites keep secret, with a key derived from the installation's secret and the site's id."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from parley.common.auth.encryption import derive_fernet, derive_fernet_hkdf


class SiteKeyUnreadable(Exception):
    """It was encrypted with another secret than the installation has now: it must be set again."""


class SiteKeyCipher:
    """A key that is encrypted for one site, or for one purpose, cannot be decrypted for another.

    Without an encryption secret the identity secret does both jobs, as in older versions. With one, it encrypts, and
    what was encrypted before stays readable as long as the identity secret is the same.
    """

    def __init__(self, identity_secret: str, encryption_secret: str | None = None, purpose: str = "ai key") -> None:
        self._identity_secret = identity_secret
        self._purpose = purpose
        self._encryption_secret = encryption_secret

    def encrypt(self, site_id: int, key: str) -> str:
        return self._get_cipher(site_id).encrypt(key.encode()).decode()

    def decrypt(self, site_id: int, encrypted: str) -> str:
        """Raises SiteKeyUnreadable."""
        try:
            return self._get_cipher(site_id).decrypt(encrypted.encode()).decode()
        except InvalidToken:
            raise SiteKeyUnreadable(
                f"the {self._purpose} of site {site_id} cannot be decrypted with this secret"
            ) from None

    def _get_cipher(self, site_id: int) -> Fernet | MultiFernet:
        """Return what encrypts with the first of its keys and decrypts with any."""
        purpose = f"{self._purpose} of site {site_id}"
        old = derive_fernet(purpose, self._identity_secret)
        if self._encryption_secret is None:
            return old
        return MultiFernet([derive_fernet_hkdf(purpose, self._encryption_secret), old])
