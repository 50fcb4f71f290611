"""What the widget's button says before the chat is loaded, in the visitor's language: `button_texts.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from parley.common.languages import match_language


@dataclass(frozen=True, slots=True)
class ButtonTexts:
    """One language's texts."""

    language: str
    open_chat: str
    """The button's name."""
    load_failed: str


BUTTON_TEXTS = {
    language: ButtonTexts(language, **texts)
    for language, texts in json.loads(
        files("parley.presence.visitors").joinpath("button_texts.json").read_text("utf-8")
    ).items()
}


@lru_cache(maxsize=256)
def find_button_texts(tag: str | None) -> ButtonTexts:
    """The texts for a language tag (BCP 47); in English for a language without texts."""
    return BUTTON_TEXTS[match_language(tag, BUTTON_TEXTS) or "en"]
