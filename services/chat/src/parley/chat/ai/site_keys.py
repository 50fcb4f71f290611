"""The keys that sites have for their own AI: encrypted with the installation's secret, opened only to be used."""

from __future__ import annotations

from cryptography.fernet import InvalidToken

from parley.common.auth.encryption import cipher


class KeyUnreadable(Exception):
    """A key was sealed with another secret than the installation has now: it must be set again."""


class SiteKeys:
    """Seals and opens. A sealed key opens for its own site alone."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def seal(self, site_id: int, key: str) -> str:
        """The key as it is kept."""
        return cipher(f"ai key of site {site_id}", self._secret).encrypt(key.encode()).decode()

    def open(self, site_id: int, sealed: str) -> str:
        """The key again. Raises KeyUnreadable."""
        try:
            return cipher(f"ai key of site {site_id}", self._secret).decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise KeyUnreadable(f"the AI key of site {site_id} cannot be opened with this secret") from None
