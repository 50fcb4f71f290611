"""HTTP handlers of an operator's devices: register, list, remove, send a test push."""

from __future__ import annotations

from pydantic import BaseModel

from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext, SuccessResponse
from parley.common.runtime.clock import to_rfc3339, utc_now
from parley.notify.push.model import PushReceipt, PushToken
from parley.notify.push.schemas import (
    DeviceBody,
    DeviceQuery,
    DeviceReceipt,
    DeviceResultSchema,
    DeviceSchema,
    DevicesResponse,
    DeviceTestResponse,
    RegisterSubscriptionBody,
    RegisterSubscriptionResponse,
    RegisterTokenBody,
    RemoveSubscriptionBody,
    RemoveTokenBody,
    RemoveTokenQuery,
    SelfTestResponse,
    SubscriptionKeyResponse,
)
from parley.notify.push.self_test import PushSelfTest
from parley.notify.push.subscription_service import PushSubscriptionService
from parley.notify.push.token_service import PushTokenService


class PushTokenHandlers:
    def __init__(self, tokens: PushTokenService) -> None:
        self._tokens = tokens

    async def register(self, call: RequestContext[OperatorCaller, RegisterTokenBody, None]) -> BaseModel:
        await self._tokens.register(call.caller, call.body.token, call.body.platform)
        return SuccessResponse()

    async def remove(self, call: RequestContext[OperatorCaller, RemoveTokenBody, RemoveTokenQuery]) -> BaseModel:
        await self._tokens.remove(call.caller, call.body.token or call.query.token)
        return SuccessResponse()


class PushSubscriptionHandlers:
    def __init__(self, subscriptions: PushSubscriptionService) -> None:
        self._subscriptions = subscriptions

    async def register(self, call: RequestContext[OperatorCaller, RegisterSubscriptionBody, None]) -> BaseModel:
        body = call.body
        device_id = await self._subscriptions.register(call.caller, body.endpoint, body.keys.to_keys(), body.name)
        return RegisterSubscriptionResponse(device_id=device_id)

    async def remove(self, call: RequestContext[OperatorCaller, RemoveSubscriptionBody, None]) -> BaseModel:
        await self._subscriptions.remove(call.caller, call.body.endpoint)
        return SuccessResponse()

    async def get_key(self, _: RequestContext[OperatorCaller, None, None]) -> BaseModel:
        return SubscriptionKeyResponse(public_key=self._subscriptions.public_key)


class PushDeviceHandlers:
    def __init__(self, self_test: PushSelfTest) -> None:
        self._self_test = self_test

    async def list_devices(self, call: RequestContext[OperatorCaller, None, None]) -> BaseModel:
        devices = await self._self_test.list_devices(call.caller)
        return DevicesResponse(devices=tuple(map(_to_device, devices)))

    async def remove(self, call: RequestContext[OperatorCaller, None, DeviceQuery]) -> BaseModel:
        await self._self_test.remove_device(call.caller, call.query.device_id)
        return SuccessResponse()

    async def send_test(self, call: RequestContext[OperatorCaller, DeviceBody, None]) -> BaseModel:
        _, receipt = await self._self_test.send_to(call.caller, call.body.device_id)
        return DeviceTestResponse(
            result=DeviceResultSchema(
                at=to_rfc3339(utc_now()),
                outcome=receipt.outcome,
                status=receipt.status,
                code=receipt.code,
                message=receipt.message,
            )
        )

    async def send_test_to_all(self, call: RequestContext[OperatorCaller, None, None]) -> BaseModel:
        results = await self._self_test.send(call.caller)
        if results is None:
            return SelfTestResponse(push="off")
        devices = tuple(_to_device_receipt(token, receipt) for token, receipt in results)
        is_sent = any(device.outcome == "sent" for device in devices)
        return SelfTestResponse(push="sent" if is_sent else "failed", devices=devices)


def _to_device(token: PushToken) -> DeviceSchema:
    last = token.last_result
    return DeviceSchema(
        id=token.digest,
        kind=token.kind,
        platform=token.platform,
        name=token.name,
        registered_at=to_rfc3339(token.registered_at),
        last_result=DeviceResultSchema(
            at=to_rfc3339(last.at), outcome=last.outcome, status=last.status, code=last.code, message=last.message
        )
        if last is not None
        else None,
    )


def _to_device_receipt(token: PushToken, receipt: PushReceipt) -> DeviceReceipt:
    return DeviceReceipt(
        platform=token.platform,
        outcome=receipt.outcome,
        status=receipt.status,
        code=receipt.code,
        message=receipt.message,
    )
