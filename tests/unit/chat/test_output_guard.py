"""What may be shown of a reply: no address that nobody has named, no image, and not its instructions."""

from __future__ import annotations

import pytest

from parley.chat.ai.output_guard import AddressFilter, NamedAddresses, OutputGuard, SecretFilter, SecretText

SOURCES = [
    "Returns: https://shop.test/returns/ or https://shop.test/track?id=7.",
    "Write to help@shop.test, or call (030) 123 45-67.",
    "More on www.example.org, or +49 30 7654321.",
]
SECRET = "You answer visitors of the website in a chat. Be brief, friendly and exact. Invent nothing at all, ever."


def shown(text: str, size: int) -> str:
    filtered = AddressFilter(NamedAddresses(SOURCES), "(removed)")
    parts = [filtered.feed(text[start : start + size]) for start in range(0, len(text), size)]
    return "".join([*parts, filtered.finish()])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See https://shop.test/returns.", None),
        ("See (https://SHOP.test/returns) or [here](https://shop.test/track?id=7), or https://shop.test.", None),
        ("Write to Help@shop.test or call +49 30 123 45 67, www.example.org/", None),
        ("On 29.11.2026 at 09:00, order 20261129-1234567 for 1.000.000 €, 0,5 l.", None),
        ("A [list] of things (see below) [1]: first!", None),
        ("See https://shop.test/other?x=1.", "See (removed)."),
        ("[here](https://evil.test/?d=1)!", "[here]!"),
        ("[here](https:evil.test) [x]( <https://evil.test> ) [m](mailto:a@evil.test)", "[here] [x] ) [m]"),
        ('[here](https://evil.test "title") on', '[here] "title") on'),
        ("![pic](https://shop.test/returns)", "[pic](https://shop.test/returns)"),
        ("[1]: https://evil.test/a", "[1]: (removed)"),
        ("www.evil.test, a@evil.test, +1 900 555 01 23", "(removed), (removed), (removed)"),
        ("call 0900/5550123 or (0900) 555 0123", "call (removed) or (removed)"),
        ("https://user@shop.test/returns", "(removed)"),
        ("会員はhttps://evil.test/aへ", "会員は(removed)へ"),
    ],
)
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_addresses_that_nobody_has_named_are_removed(text: str, expected: str | None, size: int) -> None:
    """A24: an address is shown only if a source has named it, in however many parts it comes."""
    assert shown(text, size) == (text if expected is None else expected)


def test_an_address_without_an_end_is_not_held_back_for_ever() -> None:
    filtered = AddressFilter(NamedAddresses([]), "(removed)")
    text = "".join(filtered.feed("https://evil.test/" + "a" * 100) for _ in range(100))
    assert "https" not in text
    assert len(text) < 1000


@pytest.mark.parametrize("disguise", [str, str.upper, " ".join, lambda text: text.replace(" ", "\n> **")])
def test_a_reply_that_repeats_a_secret_ends_there(disguise: object) -> None:
    """A24: less than the limit is shown, whatever stands between the letters."""
    assert callable(disguise)
    secret = SecretFilter([SecretText(SECRET, 60)])
    text = secret.feed(f"Sure, here it is: {disguise(SECRET)} And more.") + secret.finish()
    assert secret.revealed
    assert text.startswith("Sure, here it is:")
    assert sum(letter.isalnum() for letter in text) < 24 + len("Sureherei tis")
    allowed = SecretFilter([SecretText(SECRET, 60)])
    fact = "We are brief, friendly and exact in a chat. Be brief, friendly and kind."
    assert allowed.feed(fact) + allowed.finish() == fact


def test_what_tools_answer_names_addresses_too() -> None:
    results: list[str] = []
    guard = OutputGuard(NamedAddresses([]), [], "(removed)", lambda: results)
    before = guard.feed("https://track.test/1 ")
    results.append('{"url": "https://track.test/2"}')
    assert before + guard.feed("https://track.test/2 ") + guard.finish() == "(removed) https://track.test/2 "
    assert guard.removed == 1
