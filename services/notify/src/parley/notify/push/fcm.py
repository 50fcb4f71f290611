"""Firebase Cloud Messaging, HTTP v1, by pyfcm: its payloads and credentials, with our own deadlines and judgement.

pyfcm is synchronous, sleeps and recurses on Retry-After, and tells errors by status alone. So requests go out from a
few threads, once each, and the provider's answer is read here.
"""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials
from pyfcm import FCMNotification
from requests.adapters import HTTPAdapter

from parley.common.observability import tracing
from parley.common.observability.tracing import Kind
from parley.notify.push.model import Outcome, Push, Receipt
from parley.notify.push.tokens import PushToken

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
_THREADS = 16
_TIMEOUT = (3.05, 8.0)
"""Seconds to connect, and between bytes."""
_DEADLINE_SECONDS = 12.0
_TIME_TO_LIVE = "3600s"
_LONGEST_WAIT = timedelta(hours=1)
_WORDS = 300


class _Client(FCMNotification):  # type: ignore[misc]
    """pyfcm with one access token for all threads, and requests that go out once."""

    def __init__(self, key: dict[str, Any], base: str) -> None:
        credentials = Credentials.from_service_account_info(key, scopes=[_SCOPE])  # type: ignore[no-untyped-call]
        super().__init__(credentials=credentials, project_id=key["project_id"])
        self.FCM_END_POINT_BASE = base.rstrip("/")
        self._session = requests.Session()
        adapter = HTTPAdapter(max_retries=0, pool_maxsize=_THREADS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._renewing = threading.Lock()

    def send_request(self, payload: bytes | None = None, timeout: Any = None) -> requests.Response:
        """One request, and one more where the access token ran out. Raises requests' and google-auth's errors."""
        for fresh in (False, True):
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._access_token(fresh)}"}
            response = self._session.post(
                self.fcm_end_point, data=payload, headers=headers, timeout=timeout, allow_redirects=False
            )
            if response.status_code != 401:
                break
        return response

    def _access_token(self, fresh: bool) -> str:
        with self._renewing:
            if fresh or not self.credentials.valid:
                ask = Request(self._session)
                self.credentials.refresh(lambda *args, **named: ask(*args, **{**named, "timeout": _TIMEOUT}))
            return str(self.credentials.token)


class Fcm:
    """A Provider. `key` is a service account's. Raises ValueError for one that cannot be used."""

    def __init__(self, key: dict[str, Any], base: str) -> None:
        self._client = _Client(key, base)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="fcm")
        self.name = "fcm"

    async def send(self, token: PushToken, push: Push) -> Receipt:
        with tracing.span("fcm send", Kind.CLIENT, {"peer.service": "fcm"}) as span:
            receipt = await self._sent(token, push)
            span.note("parley.push.outcome", receipt.outcome)
            span.note("http.response.status_code", receipt.status)
            if receipt.outcome != "sent":
                span.fail(receipt.code or str(receipt.status))
            return receipt

    async def _sent(self, token: PushToken, push: Push) -> Receipt:
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._send, token.token, push)
        try:
            async with asyncio.timeout(_DEADLINE_SECONDS):
                return await work
        except TimeoutError:
            return Receipt("later", code="timeout", words="The provider did not answer in time.")

    def _send(self, token: str, push: Push) -> Receipt:
        payload = self._client.parse_payload(
            fcm_token=token,
            notification_title=push.title,
            notification_body=push.body,
            data_payload=push.data,
            android_config={
                "collapse_key": push.tag,
                "priority": "HIGH",
                "ttl": _TIME_TO_LIVE,
                "notification": {"tag": push.tag},
            },
            apns_config={
                "headers": {"apns-collapse-id": push.tag, "apns-priority": "10"},
                "payload": {"aps": {"thread-id": push.tag, "sound": "default"}},
            },
            webpush_config={
                "headers": {"TTL": "3600", "Urgency": "high", "Topic": _topic(push.tag)},
                "notification": {"tag": push.tag, "renotify": True},
            },
        )
        try:
            return receipt_of(self._client.send_request(payload, _TIMEOUT), token)
        except requests.Timeout:
            return Receipt("later", code="timeout", words="The provider did not answer in time.")
        except requests.RequestException as exc:
            return Receipt("later", code="unreachable", words=type(exc).__name__)
        except GoogleAuthError as exc:
            # The first argument is the token endpoint's words; they hold no secret of ours.
            return Receipt("later", code="credentials", words=_cut(str(exc.args[0] if exc.args else exc)))

    async def start(self) -> None:
        """Nothing: connections are made when there is something to send."""

    async def stop(self) -> None:
        """Let the threads go; their requests have deadlines."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def fault(self) -> str | None:
        return None


def receipt_of(response: requests.Response, token: str = "") -> Receipt:
    """What an answer of FCM means for the token it was about.

    A 404 alone says nothing of the token: a wrong project is answered so too. The error code in the body decides.
    """
    status = response.status_code
    code, words = _error_of(response)
    words = _cut(words.replace(token, "…") if token else words)
    outcome: Outcome
    if status == 200:
        return Receipt("sent", status)
    if code == "UNREGISTERED":
        outcome = "unregistered"
    elif code == "SENDER_ID_MISMATCH" or (status == 400 and code in ("INVALID_ARGUMENT", "")):
        outcome = "refused"
    else:
        outcome = "later"
    return Receipt(outcome, status, code, words, _wait_of(response.headers.get("Retry-After")))


def _error_of(response: requests.Response) -> tuple[str, str]:
    try:
        error = response.json()["error"]
        details = [row.get("errorCode") for row in error.get("details", []) if isinstance(row, dict)]
        code = next((str(found) for found in details if found), str(error.get("status", "")))
        return code, str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _wait_of(header: str | None) -> timedelta | None:
    """Retry-After, in seconds or as a date (RFC 9110, 10.2.3); never longer than an hour."""
    if header is None:
        return None
    text = header.strip()
    if re.fullmatch(r"\d{1,9}", text):
        return min(_LONGEST_WAIT, timedelta(seconds=int(text)))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return min(_LONGEST_WAIT, max(timedelta(0), moment - datetime.now(UTC)))


def _topic(tag: str) -> str:
    """A web push topic: at most 32 characters of base64url (RFC 8030, 5.4)."""
    return tag[-32:]


def _cut(words: str) -> str:
    return words if len(words) <= _WORDS else words[: _WORDS - 1] + "…"
