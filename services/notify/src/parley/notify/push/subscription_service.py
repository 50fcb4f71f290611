"""Register and remove browsers' push subscriptions (Web Push)."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.auth.token_hashing import hash_token
from parley.common.errors import Conflict, ValidationFailed
from parley.common.runtime.clock import Clock
from parley.notify.push.model import PushToken, SubscriptionKeys
from parley.notify.push.ports import EndpointCheck, PushTokenRepository
from parley.notify.push.token_service import MAX_TOKENS_PER_OPERATOR


class WebPushOff(Conflict):
    code = "web_push_off"
    default_message = "Web Push is not configured on this server."


class PushSubscriptionService:
    """A subscription belongs to one login: the one that registered it last, like a token.

    `public_key` is the installation's, None if Web Push is off.
    """

    def __init__(
        self, tokens: PushTokenRepository, find_rejection: EndpointCheck, clock: Clock, *, public_key: str | None
    ) -> None:
        self._tokens = tokens
        self._find_rejection = find_rejection
        self._clock = clock
        self.public_key = public_key

    async def register(self, caller: OperatorCaller, endpoint: str, keys: SubscriptionKeys, name: str) -> str:
        """Make the subscription the caller's, and return the device's id. Raises WebPushOff, ValidationFailed."""
        if self.public_key is None:
            raise WebPushOff
        rejection = await self._find_rejection(endpoint)
        if rejection is not None:
            raise ValidationFailed({"endpoint": rejection})
        digest = hash_token(endpoint)
        await self._tokens.upsert(
            PushToken(
                digest=digest,
                token=endpoint,
                operator_id=caller.operator_id,
                tenant_id=caller.tenant_id,
                platform="web",
                language=caller.language,
                registered_at=self._clock(),
                login=caller.login,
                keys=keys,
                name=name,
            )
        )
        await self._tokens.delete_oldest(caller.operator_id, MAX_TOKENS_PER_OPERATOR)
        return digest

    async def remove(self, caller: OperatorCaller, endpoint: str) -> None:
        """Remove one of the caller's subscriptions. Another operator's stays."""
        await self._tokens.delete(hash_token(endpoint), caller.operator_id)
