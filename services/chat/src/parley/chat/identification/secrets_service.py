"""A site's identity secrets: listed without their text, created, and revoked."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from parley.chat.accounts.access import require_login
from parley.chat.identification.errors import IdentitySecretNotFound, TooManyIdentitySecrets
from parley.chat.identification.model import MAX_SECRETS_PER_SITE, IdentitySecret
from parley.chat.identification.ports import EncryptSecret
from parley.chat.ids import NextId
from parley.chat.sites.service import SiteService
from parley.common.auth.identity import OperatorCaller
from parley.common.runtime.clock import Clock

_PREFIX = "parley_identity_"
"""By which scanners for leaked secrets recognize one."""

Secrets = tuple[IdentitySecret, ...]


@dataclass(frozen=True, slots=True)
class IdentitySecretService:
    """Each method raises SiteNotFound, and Forbidden without the permission that the route requires."""

    sites: SiteService
    encrypt: EncryptSecret
    next_id: NextId
    clock: Clock

    async def list_secrets(self, caller: OperatorCaller, site_id: int) -> Sequence[IdentitySecret]:
        """Return the secrets of a site, oldest first."""
        return (await self.sites.get(caller, site_id)).identity_secrets

    async def create(self, caller: OperatorCaller, site_id: int, name: str) -> tuple[IdentitySecret, str]:
        """Create a secret. Returns it with its text, which cannot be read again.

        Raises NotWithApiKey, TooManyIdentitySecrets.
        """
        require_login(caller)
        await self.sites.get(caller, site_id)
        text = _PREFIX + secrets.token_urlsafe(32)
        secret = IdentitySecret(await self.next_id(), name, self.encrypt(site_id, text), self.clock())

        def add(before: Secrets) -> Secrets:
            if len(before) >= MAX_SECRETS_PER_SITE:
                raise TooManyIdentitySecrets
            return (*before, secret)

        details = {"name": name, "secret": secret.id}
        await self.sites.update_identity_secrets(caller, site_id, add, "identity_secret.created", details)
        return secret, text

    async def revoke(self, caller: OperatorCaller, site_id: int, secret_id: int) -> None:
        """Revoke a secret, which ends the sessions of people who were identified by it.

        Raises IdentitySecretNotFound.
        """
        revoked = _find((await self.sites.get(caller, site_id)).identity_secrets, secret_id)

        def remove(before: Secrets) -> Secrets:
            _find(before, secret_id)
            return tuple(secret for secret in before if secret.id != secret_id)

        details = {"name": revoked.name, "secret": secret_id}
        await self.sites.update_identity_secrets(caller, site_id, remove, "identity_secret.revoked", details)


def _find(existing: Secrets, secret_id: int) -> IdentitySecret:
    """Raises IdentitySecretNotFound, also if the secret was revoked since it was read."""
    for secret in existing:
        if secret.id == secret_id:
            return secret
    raise IdentitySecretNotFound
