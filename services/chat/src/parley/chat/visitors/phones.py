"""Telephone numbers as people write them: checked, kept as they were written, and reduced to digits for searches.

The country of a number without a prefix is not known, so only what is a number nowhere is refused.
"""

from __future__ import annotations

import re
import unicodedata

_MIN_DIGITS, _MAX_DIGITS = 3, 15
_MAX_EXTENSION_DIGITS = 8
# Words for an extension are few and short; a longer word is no part of a number.
_WORD = re.compile(r"[^\W\d_]+")
_EXTENSION_WORDS = frozenset(
    # The last two are the pause and the wait of telephones that dial by themselves.
    ("x", "ext", "extn", "extension", "int", "anexo", "доб", "durchwahl", "dw", "app", "poste", "ramal", "p", "w")
)
_SEPARATORS = frozenset(" ()[]./-+#,;*~")
_DOTS = frozenset("·•‧∙・")
_HYPHENS = frozenset("\u2212\u30fc\uff70")
"""In addition to those of the category: the minus, and the Japanese mark that looks like one."""
# What a number is introduced by, on business cards and in links.
_LABEL = re.compile(
    r"(?:tel|telefon|telephone|téléphone|teléfono|phone|mobile|mobil|móvil|mob|handy|cell|fon|callto|sms|whatsapp|"
    r"[tmтм]|тел|моб)(?:[ -]?(?:no|nr|number|nummer))?(?:[.:]|\.:)? ?(?://)?(?=[+(\d])",
    re.IGNORECASE,
)
# What it is followed by.
_REMARK = re.compile(
    r" \(?(?:private?|home|work|office|business|mobile?|cell|handy|zuhause|dienstlich|geschäftlich)\)?$", re.IGNORECASE
)
_CONTEXT = re.compile(r";phone-context=[^;]{0,64}")
_WRAPPERS = " '\"<>=“”„‚‘’"
"""Around a number in spreadsheets, mails and quotations."""


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
    forms = [digits]
    if number.startswith(("+", "00")):
        import phonenumbers  # noqa: PLC0415 - slow to import, and needed for few visitors

        # In "+49 (0)170" the 0 is dialled only without the prefix.
        with_prefix = "+" + _main_digits(number.replace("(0)", "")).removeprefix("00")
        try:
            parsed = phonenumbers.parse(with_prefix, None)
        except phonenumbers.NumberParseException:
            return forms
        national = str(parsed.national_number)
        # What is dialled before it within its country: 0 in most, 8 in Russia, nothing in America.
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        trunk_prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
        forms += [f"{parsed.country_code}{national}", "0" + national, trunk_prefix + national, national]
    return list(dict.fromkeys(forms))


def _plain(text: str) -> str:
    """ASCII digits, plain spaces and hyphens; without `tel:`."""
    letters = []
    for letter in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(letter)
        if category == "Nd":
            letters.append(str(unicodedata.digit(letter)))
        elif letter in _DOTS:
            letters.append(".")
        elif category == "Pd" or letter in _HYPHENS:
            letters.append("-")
        elif category == "Zs":
            letters.append(" ")
        elif category not in ("Cf", "So", "Mn"):  # Marks of direction from an address book, and pictures of telephones.
            letters.append(letter)
    number = _CONTEXT.sub("", " ".join("".join(letters).replace(";ext=", " ext ").split())).strip(_WRAPPERS)
    return _REMARK.sub("", _LABEL.sub("", number, 1) if _LABEL.match(number) else number)


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
    if any(not letter.isdecimal() and letter not in _SEPARATORS for letter in main + extension.lstrip(":")):
        return False
    extension_digits = sum(map(str.isdecimal, extension))
    if (words and not extension_digits) or extension_digits > _MAX_EXTENSION_DIGITS:
        return False
    if "+" in main.lstrip("( ")[1:] or main.count("+") > 1:
        return False
    digits = _main_digits(number)
    return _MIN_DIGITS <= len(digits) <= _MAX_DIGITS and digits.strip("0") != "" and _has_country(main, digits)


def _has_country(main: str, digits: str) -> bool:
    """Whether a number that begins with "+" begins with a country's prefix."""
    if not main.lstrip("( ").startswith("+"):
        return True
    import phonenumbers  # noqa: PLC0415 - slow to import, and needed for few visitors

    return digits[0] != "0" and any(
        int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for length in (1, 2, 3)
    )
