"""Firebase Cloud Messaging, HTTP v1, through pyfcm: its payloads and credentials, with our own deadlines and retries.

pyfcm is synchronous, sleeps and recurses on Retry-After, and distinguishes errors by status alone. So each request is
sent once, from a thread pool, and the response is interpreted here.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from pyfcm import FCMNotification
from requests.adapters import HTTPAdapter

from parley.common.http.retry_after import parse_retry_after
from parley.common.observability import tracing
from parley.common.observability.tracing import SpanKind
from parley.notify.clients.provider_responses import timeout_receipt, truncate
from parley.notify.push.model import PushNotification, PushOutcome, PushReceipt, PushToken
from parley.notify.timeouts import (
    FCM_CONNECT_TIMEOUT_SECONDS,
    FCM_READ_TIMEOUT_SECONDS,
    FCM_REQUEST_TIMEOUT_SECONDS,
    PUSH_TIME_TO_LIVE_SECONDS,
)

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_MAX_CONCURRENCY = 16
_TIMEOUT = (FCM_CONNECT_TIMEOUT_SECONDS, FCM_READ_TIMEOUT_SECONDS)


class FcmClient:
    """The `PushProvider` for FCM. `service_account` is a key file's content. Raises ValueError for an unusable key."""

    name = "fcm"

    def __init__(self, service_account: dict[str, Any], base_url: str) -> None:
        self._api = _FcmApi(service_account, base_url)
        self._executor = ThreadPoolExecutor(_MAX_CONCURRENCY, thread_name_prefix="fcm")

    async def start(self) -> None:
        """Do nothing: connections are opened when there is something to send."""

    async def stop(self) -> None:
        """Abandon the threads; their requests have deadlines."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def unready_reason(self) -> str | None:
        return None

    async def send(self, token: PushToken, notification: PushNotification) -> PushReceipt:
        with tracing.span("fcm send", SpanKind.CLIENT, {"peer.service": "fcm"}) as span:
            receipt = await self._send_within_timeout(token, notification)
            span.set_attribute("parley.push.outcome", receipt.outcome)
            span.set_attribute("http.response.status_code", receipt.status)
            if receipt.outcome != "sent":
                span.set_error(receipt.code or str(receipt.status))
            return receipt

    async def _send_within_timeout(self, token: PushToken, notification: PushNotification) -> PushReceipt:
        request = asyncio.get_running_loop().run_in_executor(self._executor, self._api.send, token.token, notification)
        try:
            async with asyncio.timeout(FCM_REQUEST_TIMEOUT_SECONDS):
                return await request
        except TimeoutError:
            return timeout_receipt()


class _FcmApi(FCMNotification):  # type: ignore[misc]
    """pyfcm with one access token for all threads, and requests that are sent once. Blocking."""

    def __init__(self, service_account: dict[str, Any], base_url: str) -> None:
        credentials = Credentials.from_service_account_info(service_account, scopes=[_SCOPE])  # type: ignore[no-untyped-call]
        super().__init__(credentials=credentials, project_id=service_account["project_id"])
        self.FCM_END_POINT_BASE = base_url.rstrip("/")
        self._session = requests.Session()
        adapter = HTTPAdapter(max_retries=0, pool_maxsize=_MAX_CONCURRENCY)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._refresh_lock = threading.Lock()

    def send(self, token: str, notification: PushNotification) -> PushReceipt:
        payload = self.parse_payload(
            fcm_token=token,
            notification_title=notification.title,
            notification_body=notification.body,
            data_payload=notification.data,
            android_config={
                "collapse_key": notification.tag,
                "priority": "HIGH",
                "ttl": f"{PUSH_TIME_TO_LIVE_SECONDS}s",
                "notification": {"tag": notification.tag},
            },
            apns_config={
                "headers": {"apns-collapse-id": notification.tag, "apns-priority": "10"},
                "payload": {"aps": {"thread-id": notification.tag, "sound": "default"}},
            },
            webpush_config={
                "headers": {
                    "TTL": str(PUSH_TIME_TO_LIVE_SECONDS),
                    "Urgency": "high",
                    "Topic": notification.topic,
                },
                "notification": {"tag": notification.tag, "renotify": True},
            },
        )
        try:
            return to_receipt(self.send_request(payload, _TIMEOUT), token)
        except requests.Timeout:
            return timeout_receipt()
        except requests.RequestException as exc:
            return PushReceipt("later", code="unreachable", message=type(exc).__name__)
        except GoogleAuthError as exc:
            # The first argument is the token endpoint's message, which contains no secret of this installation.
            return PushReceipt("later", code="credentials", message=truncate(str(exc.args[0] if exc.args else exc)))

    def send_request(self, payload: bytes | None = None, timeout: Any = None) -> requests.Response:
        """Send one request, and a second one if the access token was refused.

        Raises requests.RequestException, GoogleAuthError.
        """
        for refresh in (False, True):
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._get_access_token(refresh)}"}
            response = self._session.post(
                self.fcm_end_point, data=payload, headers=headers, timeout=timeout, allow_redirects=False
            )
            if response.status_code != 401:
                break
        return response

    def _get_access_token(self, refresh: bool) -> str:
        with self._refresh_lock:
            if refresh or not self.credentials.valid:
                request = Request(self._session)
                self.credentials.refresh(lambda *args, **kwargs: request(*args, **{**kwargs, "timeout": _TIMEOUT}))
            return str(self.credentials.token)


def to_receipt(response: requests.Response, token: str = "") -> PushReceipt:
    """Interpret a response of FCM about a token.

    The error code in the body decides: a 404 alone is no proof about the token, since a wrong project gets one too.
    """
    status = response.status_code
    code, message = _read_error(response)
    message = truncate(message.replace(token, "…") if token else message)
    outcome: PushOutcome
    if status == 200:
        return PushReceipt("sent", status)
    if code == "UNREGISTERED":
        outcome = "unregistered"
    elif code == "SENDER_ID_MISMATCH" or (status == 400 and code in ("INVALID_ARGUMENT", "")):
        outcome = "refused"
    else:
        outcome = "later"
    return PushReceipt(outcome, status, code, message, parse_retry_after(response.headers.get("Retry-After")))


def _read_error(response: requests.Response) -> tuple[str, str]:
    """Return code and message of an error response; empty strings if it has none."""
    try:
        error = response.json()["error"]
        codes = [detail.get("errorCode") for detail in error.get("details", []) if isinstance(detail, dict)]
        code = next((str(code) for code in codes if code), str(error.get("status", "")))
        return code, str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""
