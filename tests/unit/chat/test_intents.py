"""Greetings, thanks and requests for a person, on texts that the weights of the classifiers do not come from."""

from __future__ import annotations

from functools import cache

import pytest

from bench.answers.dataset import Question, divide, load_intents, load_questions
from bench.answers.evaluation import find_intent
from parley.chat.retrieval.local_model import LocalModel, is_local_model_installed

needs_model = pytest.mark.skipif(not is_local_model_installed(), reason="no local model on this platform")

EVERY = 5
"""Each text takes the model 20 ms, so only some are tried."""
INTENTS = ("greeting", "thanks", "person")


@cache
def load_model() -> LocalModel:
    return LocalModel()


def count_recognized(model: LocalModel | None, texts: list[Question], *kinds: str) -> int:
    return sum(find_intent(model, one.text) in kinds for one in texts)


def held_out(*kinds: str) -> list[Question]:
    return [one for one in load_intents(held_out=True) if one.kind in kinds]


def list_questions() -> list[Question]:
    return [one for one in divide(load_questions())[1] if one.kind in ("answer", "two", "unknown")]


def test_without_the_model_half_is_recognized_and_nothing_else_is_taken_for_it() -> None:
    small_talk, requests, others = held_out("greeting", "thanks"), held_out("person"), held_out("other")
    assert count_recognized(None, small_talk, "greeting", "thanks") >= 0.45 * len(small_talk)
    assert count_recognized(None, requests, "person") >= 0.42 * len(requests)
    assert count_recognized(None, others, *INTENTS) <= 0.02 * len(others)
    assert count_recognized(None, list_questions(), *INTENTS) == 0


@needs_model
def test_small_talk_is_recognized_by_meaning_in_the_widgets_languages() -> None:
    texts = held_out("greeting", "thanks")[::EVERY]
    assert count_recognized(load_model(), texts, "greeting", "thanks") >= 0.9 * len(texts)
    assert sum(find_intent(load_model(), one.text) == one.kind for one in texts) >= 0.8 * len(texts), "which it is"


@needs_model
def test_requests_for_a_person_are_recognized_by_meaning_in_the_widgets_languages() -> None:
    texts = held_out("person")[::EVERY]
    assert count_recognized(load_model(), texts, "person") >= 0.85 * len(texts)


@needs_model
def test_other_texts_are_left_to_the_knowledge() -> None:
    others, questions = held_out("other")[::EVERY], list_questions()[::EVERY]
    assert count_recognized(load_model(), others, *INTENTS) <= 0.1 * len(others), "with the same words"
    assert count_recognized(load_model(), questions, *INTENTS) == 0
