"""Google Cloud Translation v3, played: a gRPC server made from the client library's own types.

It translates «Hello» to German as «‹de› Hello», charges by the character, and fails on demand the way Google does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

import grpc  # type: ignore[import-untyped]
import grpc.aio  # type: ignore[import-untyped]
from google.cloud.translate_v3 import types

_SERVICE = "google.cloud.translation.v3.TranslationService"

Mood = Literal["well", "quota", "auth", "unsupported", "outage", "slow", "deadline", "refusing"]

_CODES = {
    "quota": (grpc.StatusCode.RESOURCE_EXHAUSTED, "Quota exceeded for quota metric 'v3 general characters'."),
    "auth": (grpc.StatusCode.PERMISSION_DENIED, "Cloud Translation API has not been used in project 1 before."),
    "unsupported": (grpc.StatusCode.INVALID_ARGUMENT, "Bad language pair: xx|yy."),
    "refusing": (grpc.StatusCode.INVALID_ARGUMENT, "Text is too long."),
    "outage": (grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable."),
    "deadline": (grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline expired before operation could complete."),
}


@dataclass
class GoogleTranslate:
    """The stand-in. `mood` says how it answers, `asked` what it was asked, `charged` what that would have cost."""

    languages: tuple[str, ...] = ("de", "en", "es", "fr", "ja", "pt", "zh-CN", "zh-TW")
    mood: Mood = "well"
    fail_first: int = 0
    """So many calls answer as the mood says; those after them go well."""
    breaks_marks: bool = False
    """Translates the marks of what is protected, as some engines do."""
    asked: list[types.TranslateTextRequest] = field(default_factory=list)
    charged: int = 0
    port: int = 0
    _server: Any = None

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def texts(self) -> list[str]:
        """Every text it was given, in order."""
        return [text for request in self.asked for text in request.contents]

    async def start(self) -> GoogleTranslate:
        self._server = grpc.aio.server()
        methods = {
            "TranslateText": grpc.unary_unary_rpc_method_handler(
                self._translate,
                request_deserializer=types.TranslateTextRequest.deserialize,
                response_serializer=types.TranslateTextResponse.serialize,
            ),
            "GetSupportedLanguages": grpc.unary_unary_rpc_method_handler(
                self._list,
                request_deserializer=types.GetSupportedLanguagesRequest.deserialize,
                response_serializer=types.SupportedLanguages.serialize,
            ),
        }
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, methods),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        return self

    async def stop(self) -> None:
        """Gone: nothing listens on its port any more."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def _translate(
        self, request: types.TranslateTextRequest, context: grpc.aio.ServicerContext
    ) -> types.TranslateTextResponse:
        self.asked.append(request)
        if self.mood != "well" and (self.fail_first == 0 or len(self.asked) <= self.fail_first):
            if self.mood == "slow":
                await asyncio.sleep(60)
            await context.abort(*_CODES[self.mood])
        self.charged += sum(map(len, request.contents))
        made = [types.Translation(translated_text=self._made(text, request)) for text in request.contents]
        if request.glossary_config.glossary:
            return types.TranslateTextResponse(translations=made, glossary_translations=made)
        return types.TranslateTextResponse(translations=made)

    def _made(self, text: str, request: types.TranslateTextRequest) -> str:
        if self.breaks_marks:
            text = text.replace("X", "Y")
        return f"‹{request.target_language_code}› {text}"

    async def _list(
        self, request: types.GetSupportedLanguagesRequest, context: grpc.aio.ServicerContext
    ) -> types.SupportedLanguages:
        if self.mood in ("outage", "auth"):
            await context.abort(*_CODES[self.mood])
        rows = [
            types.SupportedLanguage(language_code=code, support_source=True, support_target=True)
            for code in self.languages
        ]
        return types.SupportedLanguages(languages=rows)
