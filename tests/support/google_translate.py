"""A fake of Google Cloud Translation v3: a gRPC server built from the types of the client library.

It translates "Hello" to German as "‹de› Hello", counts charged characters, and fails on demand like Google.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]
from google.cloud.translate_v3 import types

_SERVICE = "google.cloud.translation.v3.TranslationService"

Behavior = Literal["ok", "quota", "auth", "unsupported", "outage", "slow", "deadline", "refusing"]

_ERRORS = {
    "quota": (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric 'v3 general characters'."),
    "auth": (grpc.StatusCode.PERMISSION_DENIED, "Cloud Translation API has not been used in project 1 before."),
    "unsupported": (grpc.StatusCode.INVALID_ARGUMENT, "Bad language pair: xx|yy."),
    "refusing": (grpc.StatusCode.INVALID_ARGUMENT, "Text is too long."),
    "outage": (grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable."),
    "deadline": (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline expired before operation could complete."),
}


@dataclass
class FakeGoogleTranslate:
    """The server. `requests` are the calls it got, `charged_characters` what they would have cost."""

    languages: tuple[str, ...] = ("de", "en", "es", "fr", "ja", "pt", "zh-CN", "zh-TW")
    behavior: Behavior = "ok"
    failing_calls: int = 0
    """Only the first calls follow `behavior`, and later ones succeed; 0: all calls follow it."""
    corrupts_placeholders: bool = False
    """Translates placeholders, as some engines do."""
    requests: list[types.TranslateTextRequest] = field(default_factory=list)
    charged_characters: int = 0
    port: int = 0
    _server: Any = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        """Every text it was asked to translate, in order."""
        return [text for request in self.requests for text in request.contents]

    async def start(self) -> FakeGoogleTranslate:
        self._server = grpc.aio.server()
        methods = {
            "TranslateText": grpc.unary_unary_rpc_method_handler(
                self._translate,
                request_deserializer=types.TranslateTextRequest.deserialize,
                response_serializer=types.TranslateTextResponse.serialize,
            ),
            "GetSupportedLanguages": grpc.unary_unary_rpc_method_handler(
                self._list_languages,
                request_deserializer=types.GetSupportedLanguagesRequest.deserialize,
                response_serializer=types.SupportedLanguages.serialize,
            ),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        return self

    async def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _translate(
        self, request: types.TranslateTextRequest, context: grpc.aio.ServicerContext
    ) -> types.TranslateTextResponse:
        self.requests.append(request)
        if self.behavior != "ok" and (self.failing_calls == 0 or len(self.requests) <= self.failing_calls):
            if self.behavior == "slow":
                await asyncio.sleep(60)
            await context.abort(*_ERRORS[self.behavior])
        self.charged_characters += sum(map(len, request.contents))
        translations = [
            types.Translation(translated_text=self._translate_text(text, request)) for text in request.contents
        ]
        if request.glossary_config.glossary:
            return types.TranslateTextResponse(translations=translations, glossary_translations=translations)
        return types.TranslateTextResponse(translations=translations)

    def _translate_text(self, text: str, request: types.TranslateTextRequest) -> str:
        if self.corrupts_placeholders:
            text = text.replace("X", "Y")
        return f"‹{request.target_language_code}› {text}"

    async def _list_languages(
        self, request: types.GetSupportedLanguagesRequest, context: grpc.aio.ServicerContext
    ) -> types.SupportedLanguages:
        if self.behavior in ("outage", "auth"):
            await context.abort(*_ERRORS[self.behavior])
        rows = [
            types.SupportedLanguage(language_code=code, support_source=True, support_target=True)
            for code in self.languages
        ]
        return types.SupportedLanguages(languages=rows)
