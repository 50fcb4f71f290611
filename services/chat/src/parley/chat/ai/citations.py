"""Citations in a model's reply: numbers of passages in brackets, which are collected and taken out of the text."""

from __future__ import annotations

import re

_CITATION = re.compile(r"[ \t]{0,2}[\[【]\d{1,2}(?:[,;] ?\d{1,2}){0,5}[\]】]")
_UNFINISHED = re.compile(r"[ \t]{0,2}(?:[\[【][\d,; ]{0,24})?$")
_NUMBER = re.compile(r"\d{1,2}")


class CitationFilter:
    """Takes a reply in chunks. Holds back what may become a citation."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        """The cited passages, in the order of their first citation."""
        self._held = ""

    def feed(self, chunk: str) -> str:
        """The text that can be shown."""
        text = _CITATION.sub(self._collect, self._held + chunk)
        unfinished = _UNFINISHED.search(text)
        shown = text if unfinished is None else text[: unfinished.start()]
        self._held = text[len(shown) :]
        return shown

    def finish(self) -> str:
        """What was held back at the end of the reply."""
        held, self._held = self._held, ""
        return held

    def _collect(self, match: re.Match[str]) -> str:
        for number in map(int, _NUMBER.findall(match[0])):
            if number not in self.numbers:
                self.numbers.append(number)
        return ""
