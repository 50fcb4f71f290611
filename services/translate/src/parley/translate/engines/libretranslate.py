"""Any server that speaks LibreTranslate's HTTP interface."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import orjson

from parley.translate.engines.chain import EngineFault, Reason
from parley.translate.languages.tags import best_code

_LARGEST_ANSWER = 1_000_000


class LibreTranslateEngine:
    """Engine over HTTP: `/languages` says what it can do, `/translate` takes a list of texts."""

    name = "libretranslate"
    paid = True

    def __init__(self, url: str, api_key: str | None, *, seconds: float) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None
        self._pairs: Mapping[str, frozenset[str]] | None = None

    def supports(self, source: str | None, target: str) -> bool:
        if self._pairs is None:
            return True
        if source is None:
            return any(best_code(target, targets) for targets in self._pairs.values())
        code = best_code(source, self._pairs)
        return code is not None and best_code(target, self._pairs[code]) is not None

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        if self._pairs is None:
            await self.refresh()
        body: dict[str, Any] = {"q": list(texts), "format": "text", **self._codes(source, target)}
        if self._api_key is not None:
            body["api_key"] = self._api_key
        answer = await self._ask("POST", "/translate", body)
        made = answer.get("translatedText") if isinstance(answer, dict) else None
        if not isinstance(made, list) or not all(isinstance(text, str) for text in made):
            raise EngineFault(Reason.OUTAGE, "an answer that is none")
        return made

    def _codes(self, source: str | None, target: str) -> dict[str, str]:
        assert self._pairs is not None, "asked for before"
        spoken = best_code(source, self._pairs) if source is not None else "auto"
        every = frozenset().union(*self._pairs.values())
        wanted = best_code(target, self._pairs.get(spoken or "", every))
        if spoken is None or wanted is None:
            raise EngineFault(Reason.UNSUPPORTED)
        return {"source": spoken, "target": wanted}

    async def refresh(self) -> None:
        answer = await self._ask("GET", "/languages", None)
        try:
            every = [row["code"] for row in answer]
            self._pairs = {row["code"]: frozenset(row.get("targets", every)) for row in answer}
        except (TypeError, KeyError) as exc:
            raise EngineFault(Reason.OUTAGE, "a list of languages that is none") from exc

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._seconds, connect=min(2.0, self._seconds)),
                connector=aiohttp.TCPConnector(limit=16),
            )
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=orjson.dumps(body) if body is not None else None,
                headers={"Content-Type": "application/json"} if body is not None else None,
                allow_redirects=False,
            ) as response:
                raw = await _bounded(response)
                if response.status != 200:
                    raise _fault(response.status, raw)
                return orjson.loads(raw)
        except TimeoutError as exc:
            raise EngineFault(Reason.SLOW) from exc
        except (aiohttp.ClientError, OSError, orjson.JSONDecodeError) as exc:
            raise EngineFault(Reason.OUTAGE, type(exc).__name__) from exc

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            # The connector closes its sockets in the loop's next round.
            await asyncio.sleep(0)


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        raw += chunk
        if len(raw) > _LARGEST_ANSWER:
            raise EngineFault(Reason.OUTAGE, "an answer beyond all bounds")
    return bytes(raw)


def _fault(status: int, raw: bytes) -> EngineFault:
    match status:
        case 400 if b"not supported" in raw or b"not available" in raw:
            return EngineFault(Reason.UNSUPPORTED)
        case 400 | 413 | 422:
            return EngineFault(Reason.REFUSED, f"HTTP {status}")
        case 401 | 403:
            return EngineFault(Reason.AUTH, f"HTTP {status}")
        case 429:
            return EngineFault(Reason.QUOTA, f"HTTP {status}")
        case _:
            return EngineFault(Reason.OUTAGE, f"HTTP {status}")
