"""Choices in an engine's reply: a part such as `[[choices: Small | Large]]`, which becomes quick replies.

They are labels only, never addresses: what a model writes may come from what a visitor or a page has said.
"""

from __future__ import annotations

import re

from parley.chat.messages.model import MAX_LABEL_CHARACTERS
from parley.common.events.schemas import QuickReply
from parley.common.texts import without_directions

_OPENING = "[[choices:"
_CLOSING = "]]"
_MAX_CHOICES = 5
_MAX_CHARACTERS = 400
_STARTS = frozenset(_OPENING[:length] for length in range(1, len(_OPENING)))
_BLANKS = re.compile(r"\s+")


class ChoicesFilter:
    """Takes a reply in chunks, and collects the choices in it. Holds back what may become one, and blanks before it."""

    def __init__(self) -> None:
        self._held = ""
        self._labels: list[str] = []

    @property
    def quick_replies(self) -> tuple[QuickReply, ...]:
        return tuple(QuickReply(label=label) for label in dict.fromkeys(self._labels))[:_MAX_CHOICES]

    def feed(self, chunk: str) -> str:
        """The text that can be shown."""
        text, shown = self._held + chunk, ""
        while (start := text.find(_OPENING)) >= 0:
            end = text.find(_CLOSING, start)
            if end < 0 and len(text) - start < _MAX_CHARACTERS:
                break
            if end < 0:
                # Too long for choices.
                shown, text = shown + text[: start + len(_OPENING)], text[start + len(_OPENING) :]
                continue
            self._collect(text[start + len(_OPENING) : end])
            shown, text = shown + text[:start].rstrip(), text[end + len(_CLOSING) :]
        end = start if start >= 0 else len(text) - _unfinished_length(text)
        end = len(text[:end].rstrip())
        self._held = text[end:]
        return shown + text[:end]

    def finish(self) -> str:
        """What was held back at the end of the reply and is no choice."""
        held, self._held = self._held, ""
        return held.rstrip()

    def _collect(self, choices: str) -> None:
        labels = (_BLANKS.sub(" ", without_directions(label)).strip() for label in choices.split("|"))
        self._labels += [label for label in labels if 0 < len(label) <= MAX_LABEL_CHARACTERS]


def _unfinished_length(text: str) -> int:
    """How many characters at the end may be the beginning of choices."""
    lengths = range(min(len(_OPENING) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text[-length:] in _STARTS), 0)
