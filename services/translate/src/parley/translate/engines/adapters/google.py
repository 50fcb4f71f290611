"""Google Cloud Translation v3, with Google's asynchronous gRPC client."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

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

from parley.translate.engines.model import EngineError, FailureReason
from parley.translate.languages.tags import match_language_code
from parley.translate.settings import TranslateSettings
from parley.translate.timeouts import (
    GOOGLE_INITIAL_RETRY_DELAY_SECONDS,
    GOOGLE_MAX_RETRY_DELAY_SECONDS,
    GOOGLE_RETRY_TIMEOUT_SECONDS,
)

_CHANNEL_OPTIONS = (
    # The default of gRPC waits up to two minutes before it reconnects to a server that was down.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5000),
)
_SCOPES = ("https://www.googleapis.com/auth/cloud-translation",)


@dataclass(frozen=True, slots=True)
class GoogleOptions:
    """Project, location and endpoint. `plaintext` means no TLS and no credentials: for a local test server only."""

    project: str
    location: str
    endpoint: str
    glossary: str | None
    model: str | None
    plaintext: bool
    timeout_seconds: float


class GoogleEngine:
    """Engine `google`. The client's default retries are replaced by explicit ones."""

    name = "google"
    paid = True

    def __init__(self, options: GoogleOptions) -> None:
        self._options = options
        self._parent = f"projects/{options.project}/locations/{options.location}"
        self._client: TranslationServiceAsyncClient | None = None
        self._connect_lock = asyncio.Lock()
        self._sources: frozenset[str] | None = None
        self._targets: frozenset[str] = frozenset()
        # Unavailable and Aborted mean that the call was not accepted, so a retry is not charged twice. Quota and
        # deadline errors are not retried: the caller has another engine to try.
        self._retry = AsyncRetry(
            predicate=if_exception_type(exceptions.ServiceUnavailable, exceptions.Aborted),
            initial=GOOGLE_INITIAL_RETRY_DELAY_SECONDS,
            maximum=GOOGLE_MAX_RETRY_DELAY_SECONDS,
            multiplier=2.0,
            timeout=min(GOOGLE_RETRY_TIMEOUT_SECONDS, options.timeout_seconds / 2),
        )

    @classmethod
    def from_settings(cls, settings: TranslateSettings) -> Self:
        assert settings.google_project is not None, "the settings are validated"
        return cls(
            GoogleOptions(
                project=settings.google_project,
                location=settings.google_location,
                endpoint=settings.google_endpoint,
                glossary=settings.google_glossary,
                model=settings.google_model,
                plaintext=settings.google_plaintext,
                timeout_seconds=settings.translate_call_seconds,
            )
        )

    def supports(self, source: str | None, target: str) -> bool:
        if self._sources is None:
            return True
        return match_language_code(target, self._targets) is not None and (
            source is None or match_language_code(source, self._sources) is not None
        )

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        request = self._build_request(texts, source, target)
        client = await self._get_client()
        try:
            response = await client.translate_text(
                request=request, retry=self._retry, timeout=self._options.timeout_seconds
            )
        except (exceptions.GoogleAPIError, GoogleAuthError) as exc:
            raise _to_engine_error(exc) from exc
        translations = response.glossary_translations or response.translations
        return [translation.translated_text for translation in translations]

    async def refresh(self) -> None:
        client = await self._get_client()
        try:
            response = await client.get_supported_languages(
                request=GetSupportedLanguagesRequest(parent=self._parent),
                retry=self._retry,
                timeout=self._options.timeout_seconds,
            )
        except (exceptions.GoogleAPIError, GoogleAuthError) as exc:
            raise _to_engine_error(exc) from exc
        self._sources = frozenset(row.language_code for row in response.languages if row.support_source)
        self._targets = frozenset(row.language_code for row in response.languages if row.support_target)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]

    def _build_request(self, texts: Sequence[str], source: str | None, target: str) -> TranslateTextRequest:
        target_code, source_code = target, source or ""
        if self._sources is not None:
            target_code = match_language_code(target, self._targets) or target
            source_code = (match_language_code(source, self._sources) or source) if source is not None else ""
        request = TranslateTextRequest(
            parent=self._parent,
            contents=list(texts),
            mime_type="text/plain",
            source_language_code=source_code,
            target_language_code=target_code,
        )
        if self._options.model is not None:
            request.model = f"{self._parent}/models/{self._options.model}"
        if self._options.glossary is not None and source_code:
            # Google applies a glossary only if the source language is given.
            request.glossary_config = TranslateTextGlossaryConfig(
                glossary=f"{self._parent}/glossaries/{self._options.glossary}", ignore_case=True
            )
        return request

    async def _get_client(self) -> TranslationServiceAsyncClient:
        async with self._connect_lock:
            if self._client is None:
                self._client = await self._connect()
            return self._client

    async def _connect(self) -> TranslationServiceAsyncClient:
        if self._options.plaintext:
            return _create_client(grpc.aio.insecure_channel(self._options.endpoint, options=_CHANNEL_OPTIONS))
        try:
            # Reads files and may call a metadata server, so it must not run on the event loop.
            credentials, _ = await asyncio.to_thread(google.auth.default, scopes=_SCOPES)
        except GoogleAuthError as exc:
            raise EngineError(FailureReason.AUTH, type(exc).__name__) from exc
        endpoint = self._options.endpoint
        host = endpoint if ":" in endpoint else f"{endpoint}:443"
        return _create_client(
            TranslationServiceGrpcAsyncIOTransport.create_channel(
                host, credentials=credentials, options=_CHANNEL_OPTIONS
            )
        )


def _create_client(channel: grpc.aio.Channel) -> TranslationServiceAsyncClient:
    return TranslationServiceAsyncClient(transport=TranslationServiceGrpcAsyncIOTransport(channel=channel))


def _to_engine_error(error: Exception) -> EngineError:
    name = type(error).__name__
    match error:
        case exceptions.ResourceExhausted():
            return EngineError(FailureReason.QUOTA, name)
        case exceptions.Unauthenticated() | exceptions.PermissionDenied() | GoogleAuthError():
            return EngineError(FailureReason.AUTH, name)
        case exceptions.InvalidArgument():
            # Google reports it in the message only: "Bad language pair: …", "Target language is invalid."
            unsupported = "language" in str(error).lower()
            return EngineError(FailureReason.UNSUPPORTED if unsupported else FailureReason.REFUSED, name)
        case exceptions.DeadlineExceeded():
            return EngineError(FailureReason.SLOW, name)
        case _:
            return EngineError(FailureReason.OUTAGE, name)
