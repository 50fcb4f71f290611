"""The names of the translation engines: those that a site may choose in chat, and that translate has to provide."""

from __future__ import annotations

from typing import Literal, get_args

TranslationEngine = Literal["google", "libretranslate", "local"]
ENGINES: tuple[TranslationEngine, ...] = get_args(TranslationEngine)
