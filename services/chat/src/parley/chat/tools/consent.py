"""Whether a visitor's message is a plain yes. Anything else is none: a call that was asked about is not carried out."""

from __future__ import annotations

import re
import unicodedata

_MAX_CHARACTERS = 40
_WORD = re.compile(r"\w+")

_YES = frozenset(
    (
        *("yes", "yep", "yeah", "confirm", "confirmed", "ja", "jawohl", "jo", "bestatigen", "oui", "confirmer"),
        *("si", "confirmo", "confirmar", "sim", "confermo", "confirme", "да", "так", "ano"),
        *("evet", "ναι", "كن", "نعم", "כן", "はい", "是", "是的", "好的", "네", "예", "हाँ", "हां", "có", "kylla"),
        *("jah", "taip", "بله", "آره", "ใช่"),
    )
)
_POLITE = frozenset(
    (
        *("please", "do", "it", "go", "ahead", "thanks", "bitte", "gerne", "danke", "machen", "sie", "das"),
        *("sil", "vous", "te", "plait", "s", "il", "merci", "por", "favor", "per", "favore", "grazie", "gracias"),
        *("obrigado", "obrigada", "graag", "alstublieft", "prosze", "お願いします"),
    )
)


def _fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.category(letter).startswith("M"))


_PLAIN_YES = frozenset(map(_fold, _YES))
_PLAIN_POLITE = frozenset(map(_fold, _POLITE))


def means_yes(text: str) -> bool:
    """Whether a text is a word of consent, with nothing but polite words added, in any language that is known."""
    if len(text) > _MAX_CHARACTERS or "?" in text or "؟" in text:
        return False
    words = _WORD.findall(_fold(text))
    return bool(words) and words[0] in _PLAIN_YES and all(word in _PLAIN_YES | _PLAIN_POLITE for word in words)
