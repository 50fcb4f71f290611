"""How similar two answers of the AI are."""

from __future__ import annotations

import time

import pytest

from parley.chat.answer_tests.matching import compare
from parley.chat.answer_tests.model import GivenAnswer


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("We ship to Austria.", "we ship to **Austria**", (False, 1.0)),
        ("We ship to Austria.", "We ship to France.", (True, 0.75)),
        ("Yes.", "No, never.", (True, 0.0)),
        ("", "No.", (True, 0.0)),
        ("", "", (False, 1.0)),
    ],
)
def test_answers_are_compared_by_their_words(before: str, after: str, expected: tuple[bool, float]) -> None:
    assert compare(GivenAnswer("answered", before), GivenAnswer("answered", after)) == expected


def test_answers_that_repeat_their_words_are_compared_quickly() -> None:
    """The loop serves nobody meanwhile, and a site's own endpoint decides what the answers are."""
    started = time.process_time()
    changed, _ = compare(GivenAnswer("answered", "a b " * 500), GivenAnswer("answered", "b a a " * 333))
    assert changed
    assert time.process_time() - started < 0.8
