"""The routes of answer tests and their runs."""

from __future__ import annotations

from typing import Any

from parley.chat.answer_tests.handlers import AnswerTestHandlers
from parley.chat.answer_tests.schemas import (
    AnswerTestBody,
    AnswerTestListResponse,
    AnswerTestResponse,
    ExportQuery,
    GeneratedResponse,
    ImportBody,
    ImportedResponse,
    NewAnswerTestBody,
    ReplaysQuery,
    ReplaysResponse,
    ResultsQuery,
    RunBody,
    RunResultsResponse,
    TestRunListResponse,
    TestRunResponse,
)
from parley.chat.paging.schemas import PageQuery
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import Permission
from parley.common.http import CallerType, RateLimitClass, Route

_TESTS = "/api/v1/sites/{site_id}/chatbot/tests"
_TEST = f"{_TESTS}/{{test_id}}"
_RUNS = f"{_TESTS}/runs"
_RUN = f"{_RUNS}/{{run_id}}"
_EXAMPLE = {
    "question": "When are you open?",
    "language": "en",
    "must_say": [["9:00", "nine"], ["18:00", "six"]],
    "must_cite": [["When are you open?", "https://shop.example.com/contact"]],
}
_READ: Any = {"required_permission": Permission.MANAGE}
_WRITE: Any = {**_READ, "rate_limit": RateLimitClass.WRITE}


def routes(handlers: AnswerTestHandlers) -> list[Route]:
    return [*_test_routes(handlers), *_run_routes(handlers)]


def _test_routes(handlers: AnswerTestHandlers) -> list[Route]:
    return [
        Route(
            "GET",
            _TESTS,
            handlers.list_page,
            CallerType.OPERATOR,
            AnswerTestListResponse,
            "A site's answer tests",
            query=PageQuery,
            **_READ,
        ),
        Route(
            "POST",
            _TESTS,
            handlers.add,
            CallerType.OPERATOR,
            AnswerTestResponse,
            "Add an answer test",
            body=NewAnswerTestBody,
            status=201,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route(
            "PUT",
            _TEST,
            handlers.replace,
            CallerType.OPERATOR,
            AnswerTestResponse,
            "Replace an answer test",
            body=AnswerTestBody,
            example=_EXAMPLE,
            **_WRITE,
        ),
        Route("DELETE", _TEST, handlers.delete, CallerType.OPERATOR, OkResponse, "Delete an answer test", **_WRITE),
        Route(
            "POST",
            f"{_TESTS}/generate",
            handlers.generate,
            CallerType.OPERATOR,
            GeneratedResponse,
            "Make a test of each question of the knowledge that has none",
            **_WRITE,
        ),
        Route(
            "POST",
            f"{_TESTS}/import",
            handlers.import_tests,
            CallerType.OPERATOR,
            ImportedResponse,
            "Import answer tests",
            body=ImportBody,
            example={"tests": [_EXAMPLE]},
            **_WRITE,
        ),
        Route(
            "GET",
            f"{_TESTS}/export",
            handlers.export,
            CallerType.OPERATOR,
            AnswerTestListResponse,
            "All answer tests as a file: CSV or JSON",
            query=ExportQuery,
            response_media_type="text/csv",
            **_READ,
        ),
    ]


def _run_routes(handlers: AnswerTestHandlers) -> list[Route]:
    return [
        Route(
            "POST",
            f"{_TESTS}/run",
            handlers.start_run,
            CallerType.OPERATOR,
            TestRunResponse,
            "Run the answer tests in the background, with settings that need not be saved",
            body=RunBody,
            status=201,
            example={"instructions": "Be brief."},
            **_WRITE,
        ),
        Route(
            "GET",
            _RUNS,
            handlers.list_runs,
            CallerType.OPERATOR,
            TestRunListResponse,
            "Runs of the answer tests in the last 30 days, newest first",
            query=PageQuery,
            **_READ,
        ),
        Route(
            "GET",
            _RUN,
            handlers.get_run,
            CallerType.OPERATOR,
            TestRunResponse,
            "A run with its progress and its summary",
            **_READ,
        ),
        Route(
            "POST",
            f"{_RUN}/cancel",
            handlers.cancel_run,
            CallerType.OPERATOR,
            TestRunResponse,
            "End a run early",
            **_WRITE,
        ),
        Route(
            "GET",
            f"{_RUN}/results",
            handlers.list_results,
            CallerType.OPERATOR,
            RunResultsResponse,
            "What the AI answered to each test of a run",
            query=ResultsQuery,
            **_READ,
        ),
        Route(
            "GET",
            f"{_RUN}/replays",
            handlers.list_replays,
            CallerType.OPERATOR,
            ReplaysResponse,
            "Real answers of the last 30 days, compared with what the AI would answer",
            required_permission=Permission.VIEW,
            query=ReplaysQuery,
        ),
    ]
