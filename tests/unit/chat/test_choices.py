"""Choices in an engine's reply: taken out of the text wherever the chunks split them, as labels without addresses."""

from __future__ import annotations

import time

import pytest

from parley.chat.ai.choices import ChoicesFilter

REPLIES = {
    "Which size?\n\n[[choices: Small | Large]]": ("Which size?", ["Small", "Large"]),
    "[[choices: Yes|No]] Is it red?": (" Is it red?", ["Yes", "No"]),
    "Twice [[choices: A | A | B ]]": ("Twice", ["A", "B"]),
    "[[choices: 1|2|3|4|5|6|7]]": ("", ["1", "2", "3", "4", "5"]),
    "[[choices: " + "x" * 41 + " | \u202eok]]": ("", ["ok"]),
    "[[choices: never closed": ("[[choices: never closed", []),
    "An [array] of [[ and [[cho": ("An [array] of [[ and [[cho", []),
    "[[choices: " + "x" * 500: ("[[choices: " + "x" * 500, []),
}


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_choices_are_taken_out_of_a_reply(reply: str, size: int) -> None:
    choices = ChoicesFilter()
    shown = "".join(choices.feed(reply[at : at + size]) for at in range(0, len(reply), size)) + choices.finish()
    text, labels = REPLIES[reply]
    assert (shown, [one.label for one in choices.quick_replies]) == (text, labels)
    assert all(one.url is None and one.value is None for one in choices.quick_replies)


def test_a_long_reply_is_filtered_in_linear_time() -> None:
    started = time.process_time()
    choices = ChoicesFilter()
    for _ in range(16_000):
        choices.feed("[[choices:")
        choices.feed(" ")
    assert time.process_time() - started < 2
