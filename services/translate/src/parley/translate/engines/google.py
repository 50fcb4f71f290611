"""Google Cloud Translation v3, by its official asynchronous client."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import google.auth
import grpc.aio  # type: ignore[import-untyped]
from google.api_core import exceptions
from google.api_core.retry_async import AsyncRetry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.cloud.translate_v3 import (
    GetSupportedLanguagesRequest,
    TranslateTextGlossaryConfig,
    TranslateTextRequest,
    TranslationServiceAsyncClient,
)
from google.cloud.translate_v3.services.translation_service.transports import TranslationServiceGrpcAsyncIOTransport

from parley.translate.engines.chain import EngineFault, Reason
from parley.translate.languages.tags import best_code

_RETRY_SECONDS = 1.0
_CHANNEL = (
    # gRPC by itself waits up to two minutes before it looks for a server again that was gone.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5000),
)
_SCOPES = ("https://www.googleapis.com/auth/cloud-translation",)


@dataclass(frozen=True, slots=True)
class GoogleOptions:
    """Where and as whom. `plaintext` speaks without TLS or credentials: for a stand-in on this machine only."""

    project: str
    location: str
    endpoint: str
    glossary: str | None
    model: str | None
    plaintext: bool
    seconds: float


class GoogleEngine:
    """Engine over gRPC. The library retries nothing by itself here: what is retried, and for how long, is said."""

    name = "google"
    paid = True

    def __init__(self, options: GoogleOptions) -> None:
        self._options = options
        self._parent = f"projects/{options.project}/locations/{options.location}"
        self._client: TranslationServiceAsyncClient | None = None
        self._starting = asyncio.Lock()
        self._sources: frozenset[str] | None = None
        self._targets: frozenset[str] = frozenset()
        # Unavailable means not taken, so asking again charges nothing twice. Quota and deadline are not retried:
        # the caller has another engine to try.
        self._retry = AsyncRetry(
            predicate=if_exception_type(exceptions.ServiceUnavailable, exceptions.Aborted),
            initial=0.1,
            maximum=0.5,
            multiplier=2.0,
            timeout=min(_RETRY_SECONDS, options.seconds / 2),
        )

    def supports(self, source: str | None, target: str) -> bool:
        if self._sources is None:
            return True
        return best_code(target, self._targets) is not None and (
            source is None or best_code(source, self._sources) is not None
        )

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        request = self._request(texts, source, target)
        client = await self._connected()
        try:
            answer = await client.translate_text(request=request, retry=self._retry, timeout=self._options.seconds)
        except (exceptions.GoogleAPIError, GoogleAuthError) as exc:
            raise _fault(exc) from exc
        made = answer.glossary_translations or answer.translations
        return [translation.translated_text for translation in made]

    def _request(self, texts: Sequence[str], source: str | None, target: str) -> TranslateTextRequest:
        wanted, spoken = target, source or ""
        if self._sources is not None:
            wanted = best_code(target, self._targets) or target
            spoken = (best_code(source, self._sources) or source) if source is not None else ""
        request = TranslateTextRequest(
            parent=self._parent,
            contents=list(texts),
            mime_type="text/plain",
            source_language_code=spoken,
            target_language_code=wanted,
        )
        if self._options.model is not None:
            request.model = f"{self._parent}/models/{self._options.model}"
        if self._options.glossary is not None and spoken:
            # Google uses a glossary only where the source is named.
            request.glossary_config = TranslateTextGlossaryConfig(
                glossary=f"{self._parent}/glossaries/{self._options.glossary}", ignore_case=True
            )
        return request

    async def refresh(self) -> None:
        client = await self._connected()
        try:
            answer = await client.get_supported_languages(
                request=GetSupportedLanguagesRequest(parent=self._parent),
                retry=self._retry,
                timeout=self._options.seconds,
            )
        except (exceptions.GoogleAPIError, GoogleAuthError) as exc:
            raise _fault(exc) from exc
        self._sources = frozenset(row.language_code for row in answer.languages if row.support_source)
        self._targets = frozenset(row.language_code for row in answer.languages if row.support_target)

    async def _connected(self) -> TranslationServiceAsyncClient:
        async with self._starting:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> TranslationServiceAsyncClient:
        if self._options.plaintext:
            return _client(grpc.aio.insecure_channel(self._options.endpoint, options=_CHANNEL))
        try:
            # Reads files and may ask a metadata server: not on the loop.
            credentials, _ = await asyncio.to_thread(google.auth.default, scopes=_SCOPES)
        except GoogleAuthError as exc:
            raise EngineFault(Reason.AUTH, type(exc).__name__) from exc
        endpoint = self._options.endpoint
        host = endpoint if ":" in endpoint else f"{endpoint}:443"
        return _client(
            TranslationServiceGrpcAsyncIOTransport.create_channel(host, credentials=credentials, options=_CHANNEL)
        )

    async def close(self) -> None:
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]


def _client(channel: grpc.aio.Channel) -> TranslationServiceAsyncClient:
    return TranslationServiceAsyncClient(transport=TranslationServiceGrpcAsyncIOTransport(channel=channel))


def _fault(problem: Exception) -> EngineFault:
    name = type(problem).__name__
    match problem:
        case exceptions.ResourceExhausted():
            return EngineFault(Reason.QUOTA, name)
        case exceptions.Unauthenticated() | exceptions.PermissionDenied() | GoogleAuthError():
            return EngineFault(Reason.AUTH, name)
        case exceptions.InvalidArgument():
            # Google says it in words only: «Bad language pair: …», «Target language is invalid.»
            unsupported = "language" in str(problem).lower()
            return EngineFault(Reason.UNSUPPORTED if unsupported else Reason.REFUSED, name)
        case exceptions.DeadlineExceeded():
            return EngineFault(Reason.SLOW, name)
        case _:
            return EngineFault(Reason.OUTAGE, name)
