"""Sends each push by the provider of its device's kind."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from parley.notify.push.model import DeviceKind, PushNotification, PushReceipt, PushToken
from parley.notify.push.ports import ClosingPushProvider, PushProvider


class PushProviders:
    """The providers that are configured. `closing` is the one that can close what it has shown."""

    def __init__(self, fcm: PushProvider | None, web_push: ClosingPushProvider | None) -> None:
        self._web_push = web_push
        self._providers: dict[DeviceKind, PushProvider] = {}
        if fcm is not None:
            self._providers["fcm"] = fcm
        if web_push is not None:
            self._providers["web_push"] = web_push

    @property
    def kinds(self) -> AbstractSet[DeviceKind]:
        """The kinds of devices that can be reached."""
        return self._providers.keys()

    async def send(self, token: PushToken, notification: PushNotification) -> PushReceipt:
        provider = self._providers.get(token.kind)
        if provider is None:
            return PushReceipt("refused", code="off", message="This kind of device is not configured on the server.")
        return await provider.send(token, notification)

    async def close(self, token: PushToken, tag: str) -> PushReceipt | None:
        """Close a notification; None where the provider cannot."""
        if self._web_push is None or token.kind != "web_push":
            return None
        return await self._web_push.close(token, tag)
