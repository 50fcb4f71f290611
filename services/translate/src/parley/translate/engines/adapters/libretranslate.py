"""A server with the HTTP API of LibreTranslate."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Self

import aiohttp
import orjson

from parley.translate.engines.model import EngineError, FailureReason
from parley.translate.languages.tags import match_language_code
from parley.translate.settings import TranslateSettings
from parley.translate.timeouts import LIBRETRANSLATE_CONNECT_TIMEOUT_SECONDS

_MAX_RESPONSE_BYTES = 1_000_000
_MAX_CONNECTIONS = 16


class LibreTranslateEngine:
    """Engine `libretranslate`."""

    name = "libretranslate"
    paid = True

    def __init__(self, url: str, api_key: str | None, *, timeout_seconds: float) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds
        self._session: aiohttp.ClientSession | None = None
        self._targets_by_source: Mapping[str, frozenset[str]] | None = None

    @classmethod
    def from_settings(cls, settings: TranslateSettings) -> Self:
        assert settings.libretranslate_url is not None, "the settings are validated"
        return cls(
            settings.libretranslate_url,
            settings.libretranslate_api_key,
            timeout_seconds=settings.translate_call_seconds,
        )

    def supports(self, source: str | None, target: str) -> bool:
        if self._targets_by_source is None:
            return True
        if source is None:
            return any(match_language_code(target, targets) for targets in self._targets_by_source.values())
        code = match_language_code(source, self._targets_by_source)
        return code is not None and match_language_code(target, self._targets_by_source[code]) is not None

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        if self._targets_by_source is None:
            await self.refresh()
        body: dict[str, Any] = {"q": list(texts), "format": "text", **self._language_codes(source, target)}
        if self._api_key is not None:
            body["api_key"] = self._api_key
        response = await self._request("POST", "/translate", body)
        translations = response.get("translatedText") if isinstance(response, dict) else None
        if not isinstance(translations, list) or not all(isinstance(text, str) for text in translations):
            raise EngineError(FailureReason.OUTAGE, "the response contains no translations")
        return translations

    async def refresh(self) -> None:
        response = await self._request("GET", "/languages", None)
        try:
            codes = [row["code"] for row in response]
            self._targets_by_source = {row["code"]: frozenset(row.get("targets", codes)) for row in response}
        except (TypeError, KeyError) as exc:
            raise EngineError(FailureReason.OUTAGE, "the response is not a list of languages") from exc

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            # The connector closes its sockets in the next iteration of the event loop.
            await asyncio.sleep(0)

    def _language_codes(self, source: str | None, target: str) -> dict[str, str]:
        """Return the server's codes for a language pair. Raises EngineError if it does not support the pair."""
        assert self._targets_by_source is not None, "loaded by `translate`"
        source_code = match_language_code(source, self._targets_by_source) if source is not None else "auto"
        all_targets = frozenset().union(*self._targets_by_source.values())
        target_code = match_language_code(target, self._targets_by_source.get(source_code or "", all_targets))
        if source_code is None or target_code is None:
            raise EngineError(FailureReason.UNSUPPORTED)
        return {"source": source_code, "target": target_code}

    async def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        if self._session is None:
            connect_timeout_seconds = min(LIBRETRANSLATE_CONNECT_TIMEOUT_SECONDS, self._timeout_seconds)
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_seconds, connect=connect_timeout_seconds),
                connector=aiohttp.TCPConnector(limit=_MAX_CONNECTIONS),
            )
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=orjson.dumps(body) if body is not None else None,
                headers={"Content-Type": "application/json"} if body is not None else None,
                allow_redirects=False,
            ) as response:
                raw = await _read_bounded(response)
                if response.status != 200:
                    raise _to_engine_error(response.status, raw)
                return orjson.loads(raw)
        except TimeoutError as exc:
            raise EngineError(FailureReason.SLOW) from exc
        except (aiohttp.ClientError, OSError, orjson.JSONDecodeError) as exc:
            raise EngineError(FailureReason.OUTAGE, type(exc).__name__) from exc


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    """Read the body, up to `_MAX_RESPONSE_BYTES`. Raises EngineError if it is longer."""
    raw = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        raw += chunk
        if len(raw) > _MAX_RESPONSE_BYTES:
            raise EngineError(FailureReason.OUTAGE, "the response is too large")
    return bytes(raw)


def _to_engine_error(status: int, raw: bytes) -> EngineError:
    match status:
        case 400 if b"not supported" in raw or b"not available" in raw:
            return EngineError(FailureReason.UNSUPPORTED)
        case 400 | 413 | 422:
            return EngineError(FailureReason.REFUSED, f"HTTP {status}")
        case 401 | 403:
            return EngineError(FailureReason.AUTH, f"HTTP {status}")
        case 429:
            return EngineError(FailureReason.QUOTA, f"HTTP {status}")
        case _:
            return EngineError(FailureReason.OUTAGE, f"HTTP {status}")
