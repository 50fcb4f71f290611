"""Endpoints of answer tests and their runs."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from parley.chat.answer_tests.model import TestRun
from parley.chat.answer_tests.run_service import TestRunService
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
    serialize_replay,
    serialize_result,
    serialize_run,
    serialize_test,
)
from parley.chat.answer_tests.service import AnswerTestService
from parley.chat.answer_tests.transfer import to_csv
from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller
from parley.common.http import RequestContext

_BYTE_ORDER_MARK = "\ufeff"
"""Tells spreadsheets that a file is UTF-8."""


@dataclass(frozen=True, slots=True)
class AnswerTestHandlers:
    tests: AnswerTestService
    runs: TestRunService

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> AnswerTestListResponse:
        limit, after = context.query.limit, decode_id(context.query.cursor)
        tests = await self.tests.list_page(context.caller, context.path["site_id"], after, limit)
        return AnswerTestListResponse(
            tests=[serialize_test(test) for test in tests[:limit]],
            next_cursor=encode_id([test.id for test in tests], limit),
        )

    async def add(self, context: RequestContext[OperatorCaller, NewAnswerTestBody, None]) -> AnswerTestResponse:
        body = context.body
        test = await self.tests.add(
            context.caller, context.path["site_id"], body.to_draft(), body.conversation_id, body.seq
        )
        return AnswerTestResponse(test=serialize_test(test))

    async def replace(self, context: RequestContext[OperatorCaller, AnswerTestBody, None]) -> AnswerTestResponse:
        path, draft = context.path, context.body.to_draft()
        test = await self.tests.replace(context.caller, path["site_id"], path["test_id"], draft)
        return AnswerTestResponse(test=serialize_test(test))

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.tests.delete(context.caller, context.path["site_id"], context.path["test_id"])
        return OkResponse()

    async def generate(self, context: RequestContext[OperatorCaller, None, None]) -> GeneratedResponse:
        return GeneratedResponse(created=await self.tests.generate(context.caller, context.path["site_id"]))

    async def import_tests(self, context: RequestContext[OperatorCaller, ImportBody, None]) -> ImportedResponse:
        drafts = context.body.to_drafts()
        created, replaced = await self.tests.import_tests(context.caller, context.path["site_id"], drafts)
        return ImportedResponse(created=created, replaced=replaced)

    async def export(self, context: RequestContext[OperatorCaller, None, ExportQuery]) -> web.Response:
        tests = await self.tests.list_all(context.caller, context.path["site_id"])
        if context.query.format == "csv":
            body, media_type = _BYTE_ORDER_MARK + to_csv(tests), "text/csv"
        else:
            listed = AnswerTestListResponse(tests=[serialize_test(test) for test in tests], next_cursor=None)
            body, media_type = listed.model_dump_json(), "application/json"
        return web.Response(
            body=body.encode(),
            content_type=media_type,
            charset="utf-8",
            headers={"Content-Disposition": f'attachment; filename="answer-tests.{context.query.format}"'},
        )

    async def start_run(self, context: RequestContext[OperatorCaller, RunBody, None]) -> TestRunResponse:
        body = context.body
        run = await self.runs.start(
            context.caller,
            context.path["site_id"],
            body.to_fields(),
            pending_changes=body.pending_changes,
            replays=body.replays,
        )
        return await self._respond(run)

    async def list_runs(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> TestRunListResponse:
        limit, before = context.query.limit, decode_id(context.query.cursor)
        runs = await self.runs.list_page(context.caller, context.path["site_id"], before, limit)
        version = await self.runs.find_entries_version(context.path["site_id"])
        return TestRunListResponse(
            runs=[serialize_run(run, version) for run in runs[:limit]],
            next_cursor=encode_id([run.id for run in runs], limit),
        )

    async def get_run(self, context: RequestContext[OperatorCaller, None, None]) -> TestRunResponse:
        run = await self.runs.get(context.caller, context.path["site_id"], context.path["run_id"])
        return await self._respond(run)

    async def cancel_run(self, context: RequestContext[OperatorCaller, None, None]) -> TestRunResponse:
        run = await self.runs.cancel(context.caller, context.path["site_id"], context.path["run_id"])
        return await self._respond(run)

    async def list_results(self, context: RequestContext[OperatorCaller, None, ResultsQuery]) -> RunResultsResponse:
        query, path = context.query, context.path
        results = await self.runs.list_results(
            context.caller, path["site_id"], path["run_id"], query.verdict, decode_id(query.cursor), query.limit
        )
        return RunResultsResponse(
            results=[serialize_result(result) for result in results[: query.limit]],
            next_cursor=encode_id([result.position for result in results], query.limit),
        )

    async def list_replays(self, context: RequestContext[OperatorCaller, None, ReplaysQuery]) -> ReplaysResponse:
        query, path = context.query, context.path
        results = await self.tests.list_replays(
            context.caller, path["site_id"], path["run_id"], query.changed, decode_id(query.cursor), query.limit
        )
        return ReplaysResponse(
            replays=[serialize_replay(result) for result in results[: query.limit]],
            next_cursor=encode_id([result.position for result in results], query.limit),
        )

    async def _respond(self, run: TestRun) -> TestRunResponse:
        return TestRunResponse(run=serialize_run(run, await self.runs.find_entries_version(run.site_id)))
