"""Errors about site texts. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, Unavailable


class TooManyTranslations(Conflict):
    code = "too_many_translations"
    default_message = "The site has as many translated texts as possible."


class TranslationUnavailable(Unavailable):
    code = "translation_unavailable"
    default_message = "No translation engine can translate into this language at present."
