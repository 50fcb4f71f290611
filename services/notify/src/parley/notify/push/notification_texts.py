"""The texts of push notifications, in the operator's language: one file per language in `texts/`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files

from parley.common.languages import match_language
from parley.notify.push.screen_text import isolate
from parley.notify.push.triggers import PushKind


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language. `{name}` stands for the visitor's name; in `mention`, for the note's author."""

    visitor: str
    pending: str
    transferred: str
    mention: str
    image: str
    hidden_title: str
    hidden_body: str
    test_title: str
    test_body: str


def _load_languages() -> dict[str, Texts]:
    """Read `texts/`. A text that a language lacks is English."""
    catalogues = {
        path.name.removesuffix(".json"): json.loads(path.read_text("utf-8"))
        for path in files("parley.notify.push").joinpath("texts").iterdir()
    }
    return {language: Texts(**{**catalogues["en"], **texts}) for language, texts in catalogues.items()}


_LANGUAGES = _load_languages()


def get_texts(language: str) -> Texts:
    """Return the texts for a BCP 47 tag, `pt` for `pt-BR`; in English for a language without texts."""
    return _LANGUAGES[match_language(language.replace("_", "-"), _LANGUAGES) or "en"]


def render(language: str, kind: PushKind, visitor_name: str, text: str, *, preview: bool) -> tuple[str, str]:
    """Return title and body. Without `preview` they contain neither the visitor's name nor the text."""
    texts = get_texts(language)
    if not preview:
        return texts.hidden_title, texts.hidden_body
    name = visitor_name or texts.visitor
    if kind == "message":
        # An empty text means an image here; otherwise the visitor has not written yet.
        return name, text or texts.image
    title = {"pending": texts.pending, "transferred": texts.transferred, "mention": texts.mention}[kind]
    # Not str.format: a name chosen by a visitor must never be read as a pattern.
    return title.replace("{name}", isolate(name)), text or texts.hidden_body
