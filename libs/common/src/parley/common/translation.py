"""The translation engines by name: what a site may choose in chat is what translate knows how to run."""

from __future__ import annotations

from typing import Literal, get_args

TranslationEngine = Literal["google", "libretranslate", "local"]
ENGINES: tuple[TranslationEngine, ...] = get_args(TranslationEngine)
