"""Checks what an engine says before anybody reads it, whatever a visitor, a page or a tool has made the engine say.

An address that nobody has named is removed: a link, an e-mail address, a telephone number. An image is never shown. A
reply that repeats its instructions ends there. The text comes in chunks, which may split an address anywhere, so what
could be the start of one is held back; each character is read a bounded number of times.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

MAX_HELD = 2100
"""Characters that are held back for an address at most."""
_COMPARED_PHONE_DIGITS = 7
"""Numbers are the same with and without the prefix of a country."""

_URL_CHARACTERS = "".join(chr(code) for code in range(33, 127) if chr(code) not in "\"'<>\\^`{|}")
_PHONE_CHARACTERS = "0123456789 ()./-+"
_MAX_PHONE = 80
_URL = r"(?:https?://|www\.)[!#-&(-;=?-\[\]_a-z~]{0,2048}"
_EMAIL = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{2,63}){1,4}"
_PHONE = (
    r"(?<![\w/.,+-])(?:(?:\+|00)\d(?:[ ()./-]{0,2}\d){6,17}"
    r"|\(0\d{1,5}\)(?:[ /.-]{0,2}\d){4,12}"
    r"|0\d{2,5}[ /-]{1,3}\d(?:[ -]?\d){4,10})(?![\w/-])"
)
"""As people write them; a date, a price or the number of an order is none."""
_ADDRESS = re.compile(rf"(?P<target>\]\()|(?P<url>{_URL})|(?P<email>{_EMAIL})|(?P<phone>{_PHONE})", re.ASCII | re.I)
_NAMED = re.compile(rf"(?P<url>{_URL})|(?P<email>{_EMAIL})", re.ASCII | re.I)
_TRAILING = ".,;:!?…'\"»”*_~。，、；：！？」』"
_DIGIT = re.compile(r"\d", re.ASCII)
_NUMBER = re.compile(r"\d[\d ()./-]{5,40}", re.ASCII)


class NamedAddresses:
    """The addresses that a reply may contain: those that its sources, the site or the visitor have named."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._urls: set[str] = set()
        self._hosts: set[str] = set()
        self._emails: set[str] = set()
        self._numbers: set[str] = set()
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        for found in _NAMED.finditer(text):
            if found["url"]:
                url = _normalize(_trim(found["url"]))
                self._urls.add(url)
                self._hosts.add(url.partition("/")[0])
            else:
                self._emails.add(found["email"].lower())
        self._numbers.update("".join(_DIGIT.findall(number)) for number in _NUMBER.findall(text))

    def has_url(self, url: str) -> bool:
        normalized = _normalize(_trim(url))
        return normalized in self._urls or normalized in self._hosts

    def has_email(self, email: str) -> bool:
        return email.lower().removeprefix("mailto:") in self._emails

    def has_phone(self, number: str) -> bool:
        digits = "".join(_DIGIT.findall(number))
        return len(digits) > 4 and any(digits[-_COMPARED_PHONE_DIGITS:] in known for known in self._numbers)


class AddressFilter:
    """Removes addresses that nobody has named, and the marks of images."""

    def __init__(self, named: NamedAddresses, replacement: str) -> None:
        self._named = named
        self._replacement = replacement
        self._held = ""
        self._skips = False
        """Whether the rest of a word is left out."""
        self.removed = 0

    def feed(self, chunk: str) -> str:
        """The text that can be shown now."""
        text = self._held + chunk
        if self._skips:
            text = text.lstrip(_URL_CHARACTERS)
            self._skips = not text
        end = _find_unfinished(text)
        self._held = text[end:]
        if len(self._held) > MAX_HELD:
            # No text has words that long.
            self._held, self._skips = "", True
            return self._clean(text[:end]) + self._remove()
        return self._clean(text[:end])

    def finish(self) -> str:
        """What was held back to the end."""
        held, self._held = self._held, ""
        return self._clean(held)

    def _clean(self, text: str) -> str:
        parts: list[str] = []
        position = 0
        text = text.replace("![", "[")
        while found := _ADDRESS.search(text, position):
            parts.append(text[position : found.start()])
            if found["target"]:
                kept, position = self._read_target(text, found.end())
                parts.append(kept)
                continue
            address = found[0] if found["phone"] else _trim(found[0])
            position = found.start() + len(address)
            parts.append(address if self._is_named(address) else self._remove())
        parts.append(text[position:])
        return "".join(parts)

    def _remove(self) -> str:
        self.removed += 1
        return self._replacement

    def _is_named(self, address: str) -> bool:
        if address.lower().startswith(("http://", "https://", "www.")):
            return self._named.has_url(address)
        return self._named.has_email(address) if "@" in address else self._named.has_phone(address)

    def _read_target(self, text: str, start: int) -> tuple[str, int]:
        """What remains of the target of a link in Markdown, from behind its "](", and where the text goes on."""
        first = start
        while first < len(text) and text[first] in " \t\n":
            first += 1
        end, depth = first, 0
        while end < len(text) and not text[end].isspace() and text[end] != "[":
            depth += (text[end] == "(") - (text[end] == ")")
            if depth < 0:
                break
            end += 1
        target = text[first:end].removeprefix("<").removesuffix(">")
        if self._is_named(target.removeprefix("tel:")):
            return f"]({text[start:end]}", end
        self.removed += 1
        return "]", end + 1 if text[end : end + 1] == ")" else end


def _find_unfinished(text: str) -> int:
    """Where the end of a text begins that may become an address."""
    start = len(text.rstrip(_URL_CHARACTERS))
    before = text[:start].rstrip(" \t\n<")
    if before.endswith("]("):
        start = len(before) - 2
    number = text[len(text.rstrip(_PHONE_CHARACTERS)) :].lstrip(" ")[-_MAX_PHONE:]
    return min(start, len(text[: len(text) - len(number)].rstrip(_URL_CHARACTERS)))


def _trim(url: str) -> str:
    """An address without the punctuation of its sentence, and without brackets that were opened before it."""
    end = len(url)
    surplus = {")": url.count(")") - url.count("("), "]": url.count("]") - url.count("[")}
    while end:
        last = url[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif last not in _TRAILING:
            break
        end -= 1
    return url[:end]


def _normalize(url: str) -> str:
    """An address without what makes no difference to where it leads."""
    try:
        parts = urlsplit(url if "://" in url else f"https://{url}")
        host = (parts.hostname or "").removeprefix("www.")
        port = f":{parts.port}" if parts.port else ""
        user = f"{parts.username}@" if parts.username is not None else ""
    except ValueError:
        return ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{user}{host}{port}{parts.path.rstrip('/')}{query}"


class SecretText:
    """Finds out how much of a secret text the end of another text repeats, letter by letter without spaces."""

    def __init__(self, text: str, limit: int) -> None:
        self._secret = "".join(letter for letter in text.casefold() if letter.isalnum())
        self._limit = min(limit, len(self._secret))
        self._run = ""

    @property
    def repeated(self) -> int:
        return len(self._run)

    @property
    def is_revealed(self) -> bool:
        return 0 < self._limit <= len(self._run)

    def read(self, letters: str) -> None:
        for letter in letters:
            run = self._run + letter
            while run and run not in self._secret:
                run = run[1:]
            self._run = run
            if self.is_revealed:
                return


class SecretFilter:
    """Ends a reply that repeats a secret text. What begins to repeat one is held back until it differs."""

    _HELD_FROM = 24
    """Letters that are repeated by chance."""

    def __init__(self, secrets: Iterable[SecretText]) -> None:
        self._secrets = list(secrets)
        self._held: list[str] = []
        self.revealed = False

    def feed(self, chunk: str) -> str:
        """The text that can be shown now."""
        shown: list[str] = []
        for character in chunk:
            if self.revealed:
                break
            self._held.append(character)
            for secret in self._secrets:
                secret.read("".join(letter for letter in character.casefold() if letter.isalnum()))
            if any(secret.is_revealed for secret in self._secrets):
                self.revealed = True
                self._held.clear()
            elif all(secret.repeated < self._HELD_FROM for secret in self._secrets):
                shown += self._held
                self._held.clear()
        return "".join(shown)

    def finish(self) -> str:
        """What was held back to the end."""
        held, self._held = "".join(self._held), []
        return held


class OutputGuard:
    """What may be shown of a reply."""

    def __init__(
        self, named: NamedAddresses, secrets: Iterable[SecretText], replacement: str, more: Callable[[], Iterable[str]]
    ) -> None:
        """`more` are texts that have named addresses since the reply began: results of tools."""
        self._named = named
        self._secrets = SecretFilter(secrets)
        self._addresses = AddressFilter(named, replacement)
        self._more = more
        self._read_more = 0

    @property
    def revealed(self) -> bool:
        """Whether the reply has begun to repeat its instructions: nothing more of it is shown."""
        return self._secrets.revealed

    @property
    def removed(self) -> int:
        """How many addresses were removed."""
        return self._addresses.removed

    def feed(self, chunk: str) -> str:
        """The text that can be shown now."""
        more = list(self._more())
        for text in more[self._read_more :]:
            self._named.add(text)
        self._read_more = len(more)
        return self._addresses.feed(self._secrets.feed(chunk))

    def finish(self) -> str:
        """What was held back to the end."""
        return self._addresses.feed(self._secrets.finish()) + self._addresses.finish()

    def admits(self, text: str) -> bool:
        """Whether a whole text may be shown as it is."""
        return self.feed(text) + self.finish() == text
