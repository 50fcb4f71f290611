"""Web Push (RFC 8030): sends encrypted messages to the push services of browsers, which need no account there.

`pywebpush` does the same with a thread for each request and without deadlines of its own; what it adds to
`cryptography` and aiohttp is a page of code.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import orjson

from parley.common.http.guarded_resolver import GuardedResolver
from parley.common.http.retry_after import parse_retry_after
from parley.common.http.ssrf_guard import EndpointRejected, SsrfGuard, is_ip_address, is_public
from parley.common.observability import tracing
from parley.common.observability.tracing import SpanKind
from parley.notify.clients.provider_responses import timeout_receipt, truncate
from parley.notify.clients.vapid import VapidKey
from parley.notify.push.model import PushNotification, PushOutcome, PushReceipt, PushToken
from parley.notify.push.web_push_encryption import encrypt
from parley.notify.timeouts import (
    PUSH_TIME_TO_LIVE_SECONDS,
    WEB_PUSH_CONNECT_TIMEOUT_SECONDS,
    WEB_PUSH_REQUEST_TIMEOUT_SECONDS,
)

_MAX_CONNECTIONS = 32
_MAX_RESPONSE_BYTES = 4096
_SHOWS_EVERY_PUSH: Final = ".push.apple.com"
_CODES: Final = {
    401: "vapid_refused",
    403: "vapid_refused",
    404: "subscription_expired",
    410: "subscription_expired",
    413: "too_large",
    429: "too_many_requests",
}


class WebPushClient:
    """The `PushProvider` for subscriptions of browsers."""

    name = "web-push"

    def __init__(self, vapid: VapidKey, guard: SsrfGuard) -> None:
        self._vapid = vapid
        self._guard = guard
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Do nothing: connections are opened when there is something to send."""

    async def stop(self) -> None:
        if self._session is not None:
            await self._session.close()

    def unready_reason(self) -> str | None:
        return None

    async def send(self, token: PushToken, notification: PushNotification) -> PushReceipt:
        content = {
            "title": notification.title,
            "body": notification.body,
            "tag": notification.tag,
            "data": notification.data,
        }
        return await self._send(token, content, notification.topic, "high")

    async def close(self, token: PushToken, tag: str) -> PushReceipt | None:
        """Close a notification on the device, or replace it at the push service if the device did not get it yet.

        None for Apple's push service: Safari ends a subscription after pushes that show nothing.
        """
        if (urlsplit(token.token).hostname or "").endswith(_SHOWS_EVERY_PUSH):
            return None
        content = {"tag": tag, "data": {"type": "close"}}
        return await self._send(token, content, PushNotification("", "", tag).topic, "normal")

    async def _send(self, token: PushToken, content: Mapping[str, object], topic: str, urgency: str) -> PushReceipt:
        with tracing.span("web push send", SpanKind.CLIENT, {"peer.service": "web-push"}) as span:
            receipt = await self._send_within_timeout(token, orjson.dumps(content), topic, urgency)
            span.set_attribute("parley.push.outcome", receipt.outcome)
            span.set_attribute("http.response.status_code", receipt.status)
            if receipt.outcome != "sent":
                span.set_error(receipt.code or str(receipt.status))
            return receipt

    async def _send_within_timeout(self, token: PushToken, content: bytes, topic: str, urgency: str) -> PushReceipt:
        assert token.keys is not None
        if not self._may_connect(token.token):
            return _rejected_receipt()
        headers = {
            "TTL": str(PUSH_TIME_TO_LIVE_SECONDS),
            "Urgency": urgency,
            "Topic": topic,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "Authorization": self._vapid.authorize(token.token),
        }
        body = encrypt(content, token.keys.p256dh, token.keys.auth)
        try:
            async with (
                asyncio.timeout(WEB_PUSH_REQUEST_TIMEOUT_SECONDS),
                self._open_session().post(token.token, data=body, headers=headers, allow_redirects=False) as response,
            ):
                return await to_receipt(response, token.token)
        except TimeoutError:
            return timeout_receipt()
        except EndpointRejected:
            return _rejected_receipt()
        except aiohttp.ClientError as exc:
            return PushReceipt("later", code="unreachable", message=type(exc).__name__)

    def _may_connect(self, endpoint: str) -> bool:
        """Check what the resolver does not see: the scheme, and an address in place of a host name."""
        parts = urlsplit(endpoint)
        host = parts.hostname or ""
        if self._guard.is_exempt(host, parts.port or (443 if parts.scheme == "https" else 80)):
            return True
        return parts.scheme == "https" and (not is_ip_address(host) or is_public(host))

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(resolver=GuardedResolver(self._guard), limit=_MAX_CONNECTIONS)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=WEB_PUSH_CONNECT_TIMEOUT_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": "Parley", "Accept-Encoding": "identity"},
                auto_decompress=False,
            )
        return self._session


async def to_receipt(response: aiohttp.ClientResponse, endpoint: str = "") -> PushReceipt:
    """Interpret a push service's response (RFC 8030, 5 and 7.3). Its text may not contain the endpoint's secret."""
    status = response.status
    if status in (200, 201, 202):
        return PushReceipt("sent", status)
    text = (await response.content.read(_MAX_RESPONSE_BYTES)).decode("utf-8", "replace")
    message = truncate(text.replace(endpoint, "…").replace(endpoint.rpartition("/")[2] or endpoint, "…").strip())
    outcome: PushOutcome = "refused"
    if status in (404, 410):
        outcome = "unregistered"
    elif status in (408, 425, 429) or status >= 500:
        outcome = "later"
    code = _CODES.get(status, "")
    return PushReceipt(outcome, status, code, message, parse_retry_after(response.headers.get("Retry-After")))


def _rejected_receipt() -> PushReceipt:
    return PushReceipt("refused", code="endpoint_rejected", message="The endpoint is not on the public internet.")
