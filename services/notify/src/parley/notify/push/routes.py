"""The route table of an operator's devices."""

from __future__ import annotations

from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route, SuccessResponse
from parley.notify.push.handlers import PushDeviceHandlers, PushSubscriptionHandlers, PushTokenHandlers
from parley.notify.push.schemas import (
    DeviceBody,
    DeviceQuery,
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

_PATH = "/api/v1/operator/fcm-token"
_KEY_SCOPES = frozenset({Permission.CHAT})
"""A push shows what a visitor wrote, and rings for chats that the operator may answer."""
_EXAMPLE_TOKEN = "fR3kx0:APA91bE"  # noqa: S105 - an example


_SUBSCRIPTION_PATH = "/api/v1/operator/push-subscription"
_DEVICE_PATH = "/api/v1/operator/push-device"
_EXAMPLE_ENDPOINT = "https://fcm.googleapis.com/fcm/send/cV1Zx0"
_EXAMPLE_KEYS = {
    # Those of RFC 8291, appendix A.
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}
_EXAMPLE_DEVICE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def push_routes(
    tokens: PushTokenHandlers, subscriptions: PushSubscriptionHandlers, devices: PushDeviceHandlers
) -> list[Route]:
    return [
        Route(
            "POST",
            _PATH,
            tokens.register,
            CallerType.OPERATOR,
            SuccessResponse,
            "Register a device for push notifications; it belongs to the caller from then on",
            body=RegisterTokenBody,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"token": _EXAMPLE_TOKEN, "platform": "android"},
        ),
        Route(
            "DELETE",
            _PATH,
            tokens.remove,
            CallerType.OPERATOR,
            SuccessResponse,
            "Remove one of the caller's devices, or all of them",
            body=RemoveTokenBody,
            query=RemoveTokenQuery,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"token": _EXAMPLE_TOKEN},
        ),
        Route(
            "POST",
            f"{_PATH}/test",
            devices.send_test_to_all,
            CallerType.OPERATOR,
            SelfTestResponse,
            "Send a test push to the caller's devices and return the provider's answer for each",
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
        ),
        Route(
            "POST",
            _SUBSCRIPTION_PATH,
            subscriptions.register,
            CallerType.OPERATOR,
            RegisterSubscriptionResponse,
            "Register a browser's push subscription; it belongs to the caller from then on",
            body=RegisterSubscriptionBody,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"endpoint": _EXAMPLE_ENDPOINT, "keys": _EXAMPLE_KEYS, "name": "Chrome, Android"},
        ),
        Route(
            "DELETE",
            _SUBSCRIPTION_PATH,
            subscriptions.remove,
            CallerType.OPERATOR,
            SuccessResponse,
            "Remove one of the caller's push subscriptions",
            body=RemoveSubscriptionBody,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"endpoint": _EXAMPLE_ENDPOINT},
        ),
        Route(
            "GET",
            f"{_SUBSCRIPTION_PATH}/key",
            subscriptions.get_key,
            CallerType.OPERATOR,
            SubscriptionKeyResponse,
            "The public key that browsers subscribe to push with",
        ),
        Route(
            "GET",
            _DEVICE_PATH,
            devices.list_devices,
            CallerType.OPERATOR,
            DevicesResponse,
            "The caller's devices, each with what became of the last push to it",
        ),
        Route(
            "DELETE",
            _DEVICE_PATH,
            devices.remove,
            CallerType.OPERATOR,
            SuccessResponse,
            "Remove one of the caller's devices",
            query=DeviceQuery,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"device_id": _EXAMPLE_DEVICE},
        ),
        Route(
            "POST",
            f"{_DEVICE_PATH}/test",
            devices.send_test,
            CallerType.OPERATOR,
            DeviceTestResponse,
            "Send a test push to one of the caller's devices and return the provider's answer",
            body=DeviceBody,
            rate_limit=RateLimitClass.WRITE,
            key_scopes=_KEY_SCOPES,
            example={"device_id": _EXAMPLE_DEVICE},
        ),
    ]
