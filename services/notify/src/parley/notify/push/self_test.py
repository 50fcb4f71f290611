"""A test push to the caller's own devices, with the provider's answer for each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Conflict
from parley.notify.push.devices import OperatorDevices
from parley.notify.push.model import PushNotification, PushReceipt, PushToken
from parley.notify.push.notification_texts import get_texts
from parley.notify.push.ports import PushProvider, PushTokenRepository


class NoPushToken(Conflict):
    code = "no_push_token"
    default_message = "Register a push token first."


class PushSelfTest:
    """Sends a test push. `provider` is None if push is off."""

    def __init__(self, tokens: PushTokenRepository, devices: OperatorDevices, provider: PushProvider | None) -> None:
        self._tokens = tokens
        self._devices = devices
        self._provider = provider

    async def send(self, caller: OperatorCaller) -> Sequence[tuple[PushToken, PushReceipt]] | None:
        """Return each device with the provider's answer; None if push is off. Raises NoPushToken, Unavailable."""
        provider = self._provider
        if provider is None:
            return None
        tokens = await self._devices.get(caller.operator_id)
        if not tokens:
            raise NoPushToken
        texts = get_texts(caller.language)
        notification = PushNotification(texts.test_title, texts.test_body, "test", {"type": "test"})
        receipts = await asyncio.gather(*(provider.send(token, notification) for token in tokens))
        results = list(zip(tokens, receipts, strict=True))
        for token, receipt in results:
            if receipt.outcome == "unregistered":
                await self._tokens.delete(token.digest, token.operator_id)
        return results
