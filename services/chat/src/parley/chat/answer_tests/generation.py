"""Makes tests from the knowledge: each question with its answer is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parley.chat.answer_tests.matching import fold
from parley.chat.answer_tests.model import AnswerTestDraft, Expectation
from parley.chat.retrieval.model import Passage

MAX_QUESTION_CHARACTERS = 500
_MAX_FACTS = 4
_FACT = re.compile(r"[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}|\d(?:[\d.,:]{0,20}\d)?")
"""An e-mail address or a number: what an answer must repeat exactly, in whatever words."""


def draft_test(passage: Passage) -> AnswerTestDraft:
    """A test from a question, the passage's title, and its answer: it must be cited, with its facts."""
    facts = tuple((fact,) for fact in _find_facts(passage.text))
    expectation = Expectation(must_say=facts, must_cite=((passage.title,),))
    return AnswerTestDraft(passage.title[:MAX_QUESTION_CHARACTERS], passage.language, expectation)


def question_key(question: str) -> str:
    """The same for questions that differ only in case, accents, spacing and the mark at their end."""
    return fold(question).rstrip(" ?.!؟？。")


def _find_facts(text: str) -> Iterator[str]:
    seen: list[str] = []
    for match in _FACT.finditer(text):
        if match[0] not in seen:
            seen.append(match[0])
            yield match[0]
        if len(seen) == _MAX_FACTS:
            return
