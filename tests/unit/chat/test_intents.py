"""Greetings, thanks and requests for a person by meaning, on texts that the classifier's weights do not come from."""

from __future__ import annotations

from functools import cache

import pytest

from bench.answers.dataset import Question, divide, load_intents, load_questions
from bench.answers.evaluation import find_intent
from parley.chat.retrieval.local_model import LocalModel, is_local_model_installed

pytestmark = pytest.mark.skipif(not is_local_model_installed(), reason="no local model on this platform")

EVERY = 5
"""Each text takes the model 20 ms, so only some are tried."""


@cache
def model() -> LocalModel:
    return LocalModel()


def count_recognized(texts: list[Question], *kinds: str) -> int:
    return sum(find_intent(model(), one.text) in kinds for one in texts)


def held_out(*kinds: str) -> list[Question]:
    return [one for one in load_intents(held_out=True) if one.kind in kinds][::EVERY]


def test_small_talk_is_recognized_in_the_widgets_languages() -> None:
    texts = held_out("greeting", "thanks")
    assert count_recognized(texts, "greeting", "thanks") >= 0.9 * len(texts)
    assert sum(find_intent(model(), one.text) == one.kind for one in texts) >= 0.8 * len(texts), "which of both it is"


def test_requests_for_a_person_are_recognized_in_the_widgets_languages() -> None:
    texts = held_out("person")
    assert count_recognized(texts, "person") >= 0.85 * len(texts)


def test_other_texts_with_the_same_words_are_left_to_the_knowledge() -> None:
    texts = held_out("other")
    assert count_recognized(texts, "greeting", "thanks", "person") <= 0.1 * len(texts)


def test_questions_are_not_taken_for_small_talk_or_a_request() -> None:
    questions = [one for one in divide(load_questions())[1] if one.kind in ("answer", "two", "unknown")]
    assert count_recognized(questions[::EVERY], "greeting", "thanks", "person") == 0
