"""Errors about answer tests. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_TESTS = 500
"""Per site."""
MAX_REPLAYS = 50
"""Real answers that a run compares."""


class AnswerTestNotFound(NotFound):
    code = "not_found"


class TestRunNotFound(NotFound):
    code = "not_found"


class TooManyAnswerTests(Conflict):
    code = "too_many_answer_tests"
    default_message = f"A site can have at most {MAX_TESTS} answer tests."


class TestRunActive(Conflict):
    code = "test_run_active"
    default_message = "A run of this site's answer tests is under way."


class NothingToTest(Conflict):
    code = "nothing_to_test"
    default_message = "This site has no answer tests that are on, and no real answers were asked for."


class AnswerTestsRequired(Conflict):
    """`run_id` is the latest run of what is to go live, `failing` what is not right in it."""

    code = "answer_tests_required"
    default_message = (
        "On this site, answer tests must pass before the AI's settings or its pages change: first run them with these"
        " settings, or with the changes that wait."
    )
