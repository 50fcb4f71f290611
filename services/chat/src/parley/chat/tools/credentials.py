"""What a site's own server knows Parley by: a secret that signs requests, and a header for servers that need one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

_PREFIX = "parley_tool_"
"""By which scanners for leaked secrets recognize one."""


class Cipher(Protocol):
    """Encrypts what a site keeps secret."""

    def encrypt(self, site_id: int, key: str) -> str: ...

    def decrypt(self, site_id: int, encrypted: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    encrypted_secret: str = field(repr=False)
    """Signs the requests."""
    encrypted_authorization: str | None = field(repr=False)
    """The header `Authorization`."""

    @classmethod
    def create(cls, cipher: Cipher, site_id: int, authorization: str | None) -> tuple[Self, str]:
        """New credentials, and the text of their secret, which cannot be read again."""
        secret = _PREFIX + secrets.token_urlsafe(32)
        encrypted = cipher.encrypt(site_id, authorization) if authorization else None
        return cls(cipher.encrypt(site_id, secret), encrypted), secret

    def replace_secret(self, cipher: Cipher, site_id: int) -> tuple[Self, str]:
        """The same with another secret, and its text."""
        created, secret = self.create(cipher, site_id, None)
        return replace(self, encrypted_secret=created.encrypted_secret), secret

    def update(
        self, cipher: Cipher, site_id: int, fields: Mapping[str, Any], *, is_moved: bool
    ) -> tuple[Self, str | None]:
        """The same with the `authorization` of `fields`, if it is there, and the text of the secret if it is new.

        Credentials belong to the server that they were set for: with the address of another one, both end. Otherwise a
        manager who does not know them could have what they prove sent to a server of their own.
        """
        after, secret = self.create(cipher, site_id, None) if is_moved else (self, None)
        if "authorization" in fields:
            text = fields["authorization"]
            after = replace(after, encrypted_authorization=cipher.encrypt(site_id, text) if text else None)
        return after, secret

    def decrypt(self, cipher: Cipher, site_id: int) -> tuple[str, str | None]:
        """The secret and the header. Raises what the cipher does."""
        encrypted = self.encrypted_authorization
        authorization = None if encrypted is None else cipher.decrypt(site_id, encrypted)
        return cipher.decrypt(site_id, self.encrypted_secret), authorization
