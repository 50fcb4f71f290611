"""HTTP handlers of an operator's devices: register, remove, send a test push."""

from __future__ import annotations

from pydantic import BaseModel

from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext, SuccessResponse
from parley.notify.push.model import PushReceipt, PushToken
from parley.notify.push.schemas import (
    DeviceReceipt,
    RegisterTokenBody,
    RemoveTokenBody,
    RemoveTokenQuery,
    SelfTestResponse,
)
from parley.notify.push.self_test import PushSelfTest
from parley.notify.push.token_service import PushTokenService


class PushTokenHandlers:
    def __init__(self, tokens: PushTokenService, self_test: PushSelfTest) -> None:
        self._tokens = tokens
        self._self_test = self_test

    async def register(self, call: RequestContext[OperatorCaller, RegisterTokenBody, None]) -> BaseModel:
        await self._tokens.register(call.caller, call.body.token, call.body.platform)
        return SuccessResponse()

    async def remove(self, call: RequestContext[OperatorCaller, RemoveTokenBody, RemoveTokenQuery]) -> BaseModel:
        await self._tokens.remove(call.caller, call.body.token or call.query.token)
        return SuccessResponse()

    async def send_test(self, call: RequestContext[OperatorCaller, None, None]) -> BaseModel:
        results = await self._self_test.send(call.caller)
        if results is None:
            return SelfTestResponse(push="off")
        devices = tuple(_to_device_receipt(token, receipt) for token, receipt in results)
        is_sent = any(device.outcome == "sent" for device in devices)
        return SelfTestResponse(push="sent" if is_sent else "failed", devices=devices)


def _to_device_receipt(token: PushToken, receipt: PushReceipt) -> DeviceReceipt:
    return DeviceReceipt(
        platform=token.platform,
        outcome=receipt.outcome,
        status=receipt.status,
        code=receipt.code,
        message=receipt.message,
    )
