"""An operator's devices: registered, removed, and rung for a test."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from parley.common.auth.identity import OperatorCaller
from parley.common.http import Answer, Call, Query, RequestBody
from parley.notify.push.model import Outcome
from parley.notify.push.self_test import Trial
from parley.notify.push.tokens import Platform, Tokens

_CHARACTERS = r"^[A-Za-z0-9_:.\-]+$"


class RegisterToken(RequestBody):
    token: str = Field(min_length=8, max_length=4096, pattern=_CHARACTERS)
    platform: Platform = "unknown"


class RemoveToken(RequestBody):
    """Without a token, here or in the query, all of the caller's go."""

    token: str | None = Field(None, min_length=1, max_length=4096)


class RemoveTokenQuery(Query):
    token: str | None = Field(None, min_length=1, max_length=4096)


class DeviceReceipt(BaseModel):
    """One device and what the provider said about it."""

    platform: Platform
    outcome: Outcome
    status: int = Field(description="The provider's HTTP status; 0 where it did not answer.")
    code: str
    message: str


class PushTried(Answer):
    push: Literal["sent", "failed", "off"] = Field(description="`sent` when the provider took at least one.")
    devices: tuple[DeviceReceipt, ...] = ()


class TokenHandlers:
    """Registers, removes, tries."""

    def __init__(self, tokens: Tokens, trial: Trial) -> None:
        self._tokens = tokens
        self._trial = trial

    async def register(self, call: Call[OperatorCaller, RegisterToken, None]) -> BaseModel:
        await self._tokens.register(call.caller, call.body.token, call.body.platform)
        return Answer()

    async def remove(self, call: Call[OperatorCaller, RemoveToken, RemoveTokenQuery]) -> BaseModel:
        await self._tokens.remove(call.caller, call.body.token or call.query.token)
        return Answer()

    async def test(self, call: Call[OperatorCaller, None, None]) -> BaseModel:
        found = await self._trial.ring(call.caller)
        if found is None:
            return PushTried(push="off")
        devices = tuple(
            DeviceReceipt(
                platform=token.platform,
                outcome=receipt.outcome,
                status=receipt.status,
                code=receipt.code,
                message=receipt.words,
            )
            for token, receipt in found
        )
        return PushTried(
            push="sent" if any(device.outcome == "sent" for device in devices) else "failed", devices=devices
        )
