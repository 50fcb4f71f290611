"""A test push: what the provider says to each of an operator's devices, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Conflict
from parley.notify.push.model import Provider, Push, Receipt
from parley.notify.push.notification_texts import texts_in
from parley.notify.push.tokens import PushToken, TokenStore


class NoDevice(Conflict):
    code = "no_push_token"
    sentence = "Register a push token first."


class Trial:
    """Rings the caller's own devices. `provider` is None where push is off."""

    def __init__(self, tokens: TokenStore, provider: Provider | None) -> None:
        self._tokens = tokens
        self._provider = provider

    async def ring(self, caller: OperatorCaller) -> Sequence[tuple[PushToken, Receipt]] | None:
        """Each device with the provider's answer; None where push is off. Raises NoDevice."""
        provider = self._provider
        if provider is None:
            return None
        tokens = await self._tokens.of(caller.operator_id)
        if not tokens:
            raise NoDevice
        texts = texts_in(caller.language)
        push = Push(texts.test_title, texts.test_body, "test", {"type": "test"})
        receipts = await asyncio.gather(*(provider.send(token, push) for token in tokens))
        for token, receipt in zip(tokens, receipts, strict=True):
            if receipt.outcome == "unregistered":
                await self._tokens.remove(token.digest, token.operator_id)
        return list(zip(tokens, receipts, strict=True))
