"""Telephone numbers as people write them: checked, kept as they were written, and reduced to digits for searches.

The country of a number without a prefix is not known, so only what is a number nowhere is refused.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

_MIN_DIGITS, _MAX_DIGITS = 3, 15
_MAX_EXTENSION_DIGITS = 8
# Words for an extension are few and short; a longer word is no part of a number.
_WORD = re.compile(r"[^\W\d_]+")
_EXTENSION_WORDS = frozenset(
    ("x", "ext", "extn", "extension", "int", "anexo", "доб", "durchwahl", "dw", "poste", "ramal")
)
_SEPARATORS = frozenset(" ()[]./-+#,;:*~")


def normalize_phone(text: str) -> str:
    """A number with plain digits and separators, empty for blank text. Raises ValueError for what cannot be one."""
    number = _plain(text)
    if not number:
        return ""
    if not _is_possible(number):
        raise ValueError("is not a telephone number")
    return number


def phone_digits(text: str) -> list[str]:
    """The digits that a number is found by: as it was written, and without its country's prefix; [] for other text."""
    number = _plain(text)
    digits = _main_digits(number)
    if len(digits) < _MIN_DIGITS:
        return []
    found = [digits]
    if number.startswith(("+", "00")):
        # In "+49 (0)170" the 0 is dialled only without the prefix.
        with_prefix = "+" + _main_digits(number.replace("(0)", "")).removeprefix("00")
        try:
            parsed = phonenumbers.parse(with_prefix, None)
        except phonenumbers.NumberParseException:
            return found
        national = str(parsed.national_number)
        found += [f"{parsed.country_code}{national}", "0" + national]
    return list(dict.fromkeys(found))


def _plain(text: str) -> str:
    """ASCII digits, plain spaces and hyphens; without `tel:`."""
    letters = []
    for letter in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(letter)
        if category == "Nd":
            letters.append(str(unicodedata.digit(letter)))
        elif category == "Pd" or letter == "\u2212":
            letters.append("-")
        elif category == "Zs":
            letters.append(" ")
        elif category != "Cf":  # What shows nothing, for example marks of direction from an address book.
            letters.append(letter)
    number = " ".join("".join(letters).split())
    return number[4:].strip() if number[:4].lower() == "tel:" else number


def _split_extension(number: str) -> tuple[str, str]:
    match = _WORD.search(number)
    if match is None:
        main, _, extension = number.partition("#")
        return main, extension
    return number[: match.start()], number[match.end() :]


def _main_digits(number: str) -> str:
    return "".join(filter(str.isdecimal, _split_extension(number)[0]))


def _is_possible(number: str) -> bool:
    words = _WORD.findall(number)
    if len(words) > 1 or any(word.casefold() not in _EXTENSION_WORDS for word in words):
        return False
    main, extension = _split_extension(number)
    if any(not letter.isdecimal() and letter not in _SEPARATORS for letter in main + extension):
        return False
    extension_digits = sum(map(str.isdecimal, extension))
    if (words and not extension_digits) or extension_digits > _MAX_EXTENSION_DIGITS:
        return False
    if "+" in main.lstrip("( ")[1:] or main.count("+") > 1:
        return False
    return _MIN_DIGITS <= len(_main_digits(number)) <= _MAX_DIGITS
