"""From a text to its translation: protected, looked up, translated where new, put together again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from parley.common.observability.logging import logger
from parley.common.runtime.tasks import TaskGroup
from parley.translate import metrics
from parley.translate.engines.chain import Engines, NoTranslation, SiteOptions
from parley.translate.languages.tags import same_language
from parley.translate.translations.cache import Cache, cache_key
from parley.translate.translations.placeholders import Line, is_mark, protect, speaks

log = logger(__name__)

Status = Literal["done", "failed", "unsupported"]


@dataclass(frozen=True, slots=True)
class Translation:
    """A text in a language, or why not."""

    lang: str
    status: Status
    content: str | None = None


class Sites(Protocol):
    """What sites have chosen."""

    async def options(self, site_id: int) -> SiteOptions:
        """The site's own where it has any, else the deployment's. Does not fail."""


@dataclass(frozen=True, slots=True)
class _Job:
    site_id: int
    text: str
    source: str | None
    target: str
    conversation_id: int | None = field(default=None, compare=False)
    """For which it is done; another that wants the same joins in."""


class Translator:
    """Translates texts; the same one asked for twice at a time is translated once."""

    name = "translator"

    def __init__(
        self, engines: Engines, cache: Cache, sites: Sites, *, seconds: float, longest: int, at_once: int = 64
    ) -> None:
        self._engines = engines
        self._cache = cache
        self._sites = sites
        self._seconds = seconds
        self._longest = longest
        self._at_once = at_once
        self._tasks = TaskGroup(self.name)
        self._under_way: dict[_Job, asyncio.Task[Translation]] = {}

    async def start(self) -> None:
        """Work comes as it is asked for."""

    async def stop(self) -> None:
        await self._tasks.stop()

    def fault(self) -> str | None:
        return None

    async def translate(
        self,
        site_id: int,
        text: str,
        source: str | None,
        target: str,
        patience: float | None = None,
        conversation_id: int | None = None,
    ) -> Translation:
        """The text in the target language. After `patience` seconds the answer is «failed», while the work goes on:
        whoever asks again finds it in the cache."""
        if source is not None and same_language(source, target):
            return Translation(target, "done", text)
        if len(text) > self._longest:
            return _counted(Translation(target, "failed"))
        job = _Job(site_id, text, source, target, conversation_id)
        task = self._under_way.get(job)
        if task is None:
            if len(self._under_way) >= self._at_once:
                return _counted(Translation(target, "failed"))
            task = self._under_way[job] = self._tasks.spawn(self._work(job), "translate")
            task.add_done_callback(lambda _: self._under_way.pop(job, None))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                return await asyncio.shield(task)
        return _counted(Translation(target, "failed"))

    async def _work(self, job: _Job) -> Translation:
        try:
            async with asyncio.timeout(self._seconds):
                content = await self._content(job)
        except NoTranslation as exc:
            return _counted(Translation(job.target, "unsupported" if exc.unsupported else "failed"))
        except TimeoutError:
            return _counted(Translation(job.target, "failed"))
        return _counted(Translation(job.target, "done", content))

    async def _content(self, job: _Job) -> str:
        options = await self._sites.options(job.site_id)
        lines = protect(job.text, options.glossary)
        spoken = {line.words: line for line in lines if line.speaks}
        made = await self._made(job, options, list(spoken.values())) if spoken else {}
        return "\n".join(line.restored(made.get(line.words, line.words)) for line in lines)

    async def _made(self, job: _Job, options: SiteOptions, lines: Sequence[Line]) -> Mapping[str, str]:
        """The words of each line, translated. Raises NoTranslation."""
        keys = {line.words: cache_key(line.words, job.source, job.target) for line in lines}
        known = await self._cache.find(list(keys.values()))
        # A mark may have meant something else when it was cached: never trust what does not fit this line.
        made = {
            line.words: known[keys[line.words]]
            for line in lines
            if keys[line.words] in known and line.holds(known[keys[line.words]])
        }
        new = [line for line in lines if line.words not in made]
        if new:
            fresh = await self._fresh(job, options, new)
            await self._cache.keep({keys[words]: text for words, text in fresh.items()}, job.conversation_id)
            made.update(fresh)
        return made

    async def _fresh(self, job: _Job, options: SiteOptions, lines: Sequence[Line]) -> dict[str, str]:
        whole = await self._call(job, options, [line.words for line in lines])
        made = {line.words: text for line, text in zip(lines, whole, strict=True) if line.holds(text)}
        for line in lines:
            if line.words not in made:
                made[line.words] = await self._by_pieces(job, options, line)
        return made

    async def _by_pieces(self, job: _Job, options: SiteOptions, line: Line) -> str:
        """The line between its marks. Pieces lose their context, never what must stay."""
        pieces = line.pieces()
        spoken = [piece for piece in pieces if speaks(piece)]
        texts = iter(await self._call(job, options, [piece.strip() for piece in spoken]) if spoken else ())
        made = "".join(_within(piece, next(texts)) if speaks(piece) else piece for piece in pieces)
        return made if line.holds(made) else "".join(pieces)

    async def _call(self, job: _Job, options: SiteOptions, texts: Sequence[str]) -> Sequence[str]:
        translated = await self._engines.translate(job.site_id, options, texts, job.source, job.target)
        return translated.texts


def _within(piece: str, made: str) -> str:
    """The translation with the piece's own spaces around it; a mark that an engine made up is none of ours."""
    start = piece[: len(piece) - len(piece.lstrip())]
    end = piece[len(piece.rstrip()) :]
    return piece if is_mark(made.strip()) else f"{start}{made.strip()}{end}"


def _counted(translation: Translation) -> Translation:
    metrics.TRANSLATIONS.labels(translation.status).inc()
    return translation
