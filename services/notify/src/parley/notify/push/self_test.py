"""The caller's own devices, and a test push to them with the provider's answer for each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Conflict, NotFound
from parley.common.runtime.clock import Clock
from parley.notify.push.devices import OperatorDevices
from parley.notify.push.model import PushNotification, PushReceipt, PushToken
from parley.notify.push.notification_texts import get_texts
from parley.notify.push.ports import PushTokenRepository
from parley.notify.push.provider_selection import PushProviders


class NoPushToken(Conflict):
    code = "no_push_token"
    default_message = "Register a push token first."


class PushSelfTest:
    """Sends test pushes. Without any provider, push is off."""

    def __init__(
        self, tokens: PushTokenRepository, devices: OperatorDevices, providers: PushProviders, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._devices = devices
        self._providers = providers
        self._clock = clock

    async def list_devices(self, caller: OperatorCaller) -> Sequence[PushToken]:
        """Return the caller's devices, newest first. Raises Unavailable."""
        return await self._devices.get(caller.operator_id)

    async def remove_device(self, caller: OperatorCaller, device_id: str) -> None:
        """Remove one of the caller's devices. Another operator's stays."""
        await self._tokens.delete(device_id, caller.operator_id)

    async def send(self, caller: OperatorCaller) -> Sequence[tuple[PushToken, PushReceipt]] | None:
        """Return each device with the provider's answer; None if push is off. Raises NoPushToken, Unavailable."""
        if not self._providers.kinds:
            return None
        tokens = await self._devices.get(caller.operator_id)
        if not tokens:
            raise NoPushToken
        return await self._send(caller, tokens)

    async def send_to(self, caller: OperatorCaller, device_id: str) -> tuple[PushToken, PushReceipt]:
        """Send to one of the caller's devices. Raises NotFound, Unavailable."""
        tokens = [token for token in await self._devices.get(caller.operator_id) if token.digest == device_id]
        if not tokens:
            raise NotFound
        return (await self._send(caller, tokens))[0]

    async def _send(self, caller: OperatorCaller, tokens: Sequence[PushToken]) -> list[tuple[PushToken, PushReceipt]]:
        texts = get_texts(caller.language)
        notification = PushNotification(texts.test_title, texts.test_body, "test", {"type": "test"})
        receipts = await asyncio.gather(*(self._providers.send(token, notification) for token in tokens))
        results = list(zip(tokens, receipts, strict=True))
        by_device = {token.digest: receipt for token, receipt in results}
        await self._tokens.record_results(caller.operator_id, by_device, self._clock())
        for token, receipt in results:
            if receipt.outcome == "unregistered":
                await self._tokens.delete(token.digest, token.operator_id)
        return results
