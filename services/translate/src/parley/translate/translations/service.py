"""Translations with a time limit, at most one at a time for the same text."""

from __future__ import annotations

import asyncio
import contextlib

from parley.common.runtime.tasks import BackgroundTasks
from parley.translate import metrics
from parley.translate.engines.model import NoTranslation
from parley.translate.languages.tags import is_same_language
from parley.translate.translations.model import Translation, TranslationRequest, TranslationStatus
from parley.translate.translations.translator import Translator


class TranslationService:
    """Runs translations in background tasks, which outlive a caller that stops waiting."""

    def __init__(
        self,
        translator: Translator,
        tasks: BackgroundTasks,
        *,
        timeout_seconds: float,
        max_text_length: int,
        max_concurrency: int,
    ) -> None:
        self._translator = translator
        self._tasks = tasks
        self._timeout_seconds = timeout_seconds
        self._max_text_length = max_text_length
        self._max_concurrency = max_concurrency
        self._in_flight: dict[TranslationRequest, asyncio.Task[Translation]] = {}

    async def translate(self, request: TranslationRequest, *, wait_seconds: float | None = None) -> Translation:
        """Return the translation, or the reason why there is none. Never fails.

        After `wait_seconds` the result is `failed`, but the work continues: the same request finds it in the cache
        later. Requests beyond `max_concurrency` fail immediately.
        """
        if request.source is not None and is_same_language(request.source, request.target):
            return Translation(request.target, "done", request.text)
        if len(request.text) > self._max_text_length:
            return _result(request, "failed")
        task = self._in_flight.get(request)
        if task is None:
            if len(self._in_flight) >= self._max_concurrency:
                return _result(request, "failed")
            task = self._in_flight[request] = self._tasks.spawn(self._run(request), "translate")
            task.add_done_callback(lambda _: self._in_flight.pop(request, None))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_seconds):
                return await asyncio.shield(task)
        return _result(request, "failed")

    async def _run(self, request: TranslationRequest) -> Translation:
        try:
            async with asyncio.timeout(self._timeout_seconds):
                content = await self._translator.translate(request)
        except NoTranslation as exc:
            return _result(request, "unsupported" if exc.unsupported else "failed")
        except TimeoutError:
            return _result(request, "failed")
        return _result(request, "done", content)


def _result(request: TranslationRequest, status: TranslationStatus, content: str | None = None) -> Translation:
    metrics.TRANSLATIONS.labels(status).inc()
    return Translation(request.target, status, content)
