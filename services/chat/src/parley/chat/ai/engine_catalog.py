"""The engines of this process: created from the registry, and looked up by the name that a site has chosen."""

from __future__ import annotations

from parley.chat.ai.engine import AiEngine, AiEngineError
from parley.chat.ai.engines.builtin import BuiltinEngine
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.engines.openai import OpenAiEngine
from parley.chat.ai.engines.registry import ENGINES
from parley.chat.sites.site_settings import SiteSettings


class AiEngineCatalog:
    """A component of the service, and an AiEngines."""

    name = "engines"

    def __init__(self, context: EngineContext) -> None:
        self._engines = {name: create(context) for name, create in ENGINES.items()}
        self.builtin: AiEngine = self._engines[BuiltinEngine.name]
        openai = self._engines[OpenAiEngine.name]
        assert isinstance(openai, OpenAiEngine)
        self.openai = openai

    def get_for_site(self, site: SiteSettings) -> AiEngine:
        """The engine that the site has chosen; the built-in one if that is not set up.

        Raises AiEngineError for a name without an engine: no other engine is used in its place.
        """
        engine = self._engines.get(site.engine)
        if engine is None:
            names = ", ".join(self._engines)
            raise AiEngineError(
                f"there is no engine {site.engine!r}; engines are: {names}",
                f"This installation does not have the AI engine of this site. It has: {names}.",
                "unknown_engine",
            )
        return engine if engine.is_available_for(site) else self.builtin

    def invalidate(self, site_id: int) -> None:
        for engine in self._engines.values():
            engine.invalidate(site_id)

    def clear(self) -> None:
        for engine in self._engines.values():
            engine.clear()

    async def start(self) -> None:
        """Engines connect when they are used."""

    async def stop(self) -> None:
        for engine in self._engines.values():
            await engine.stop()

    def unready_reason(self) -> str | None:
        """Never unready: without an engine the visitor gets an error message, and everything else works."""
        return None
