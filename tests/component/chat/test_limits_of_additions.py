"""How many documents of a kind there may be holds for additions at the same moment, in any replica."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from parley.chat.answer_tests import service as answer_tests
from parley.chat.canned_replies import service as canned_replies
from parley.chat.canned_replies.errors import TooManyCannedReplies
from parley.chat.canned_replies.model import CannedReplyDraft
from parley.chat.conversations.queries import ConversationFilter
from parley.chat.knowledge import service as knowledge
from parley.chat.knowledge_sources import service as knowledge_sources
from parley.chat.labels import service as labels
from parley.chat.mcp_servers import service as mcp_servers
from parley.chat.mongo_limits import COLLECTION
from parley.chat.teams import service as teams
from parley.chat.tools import service as tools
from parley.chat.views import service as views
from parley.chat.views.errors import TooManyViews
from parley.chat.views.model import ViewDraft, ViewFilter
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ParleyError
from support.admin_app import AdminTestApp
from support.ai_replicas import Shop

_LIMIT = 3
_ADDRESS = "https://1.1.1.1/"


class Kind(NamedTuple):
    path: str
    """With a place for the site's id."""
    body: Callable[[int, int], dict[str, Any]]
    """From a number and the site's id."""
    service: ModuleType
    limit: str
    """The name of its limit there."""
    code: str
    stored: str
    """Their collection."""


def _tool(number: int, _: int) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}}
    names = {"name": f"tool_{number}", "title": "Tool", "description": "Does something."}
    return {**names, "parameters": parameters, "method": "GET", "url": _ADDRESS}


KINDS = {
    "tool": Kind("sites/{}/chatbot/tools", _tool, tools, "MAX_TOOLS", "too_many_tools", "tools"),
    "MCP server": Kind(
        "sites/{}/chatbot/mcp-servers",
        lambda number, _: {"name": f"server{number}", "url": _ADDRESS},
        mcp_servers,
        "MAX_SERVERS",
        "too_many_mcp_servers",
        "mcp_servers",
    ),
    "knowledge entry": Kind(
        "sites/{}/chatbot/knowledge",
        lambda number, _: {"question": f"Question {number}?", "answer": "Yes."},
        knowledge,
        "MAX_ENTRIES",
        "knowledge_full",
        "knowledge",
    ),
    "knowledge source": Kind(
        "sites/{}/knowledge/sources",
        lambda number, _: {"kind": "file", "name": f"Files {number}"},
        knowledge_sources,
        "MAX_SOURCES",
        "too_many_sources",
        "knowledge_sources",
    ),
    "answer test": Kind(
        "sites/{}/chatbot/tests",
        lambda number, _: {"question": f"Question {number}?"},
        answer_tests,
        "MAX_TESTS",
        "too_many_answer_tests",
        "answer_tests",
    ),
    "label": Kind(
        "labels",
        lambda number, site_id: {"name": f"Label {number}", "site_id": site_id},
        labels,
        "MAX_LABELS",
        "too_many_labels",
        "labels",
    ),
    "team": Kind(
        "teams",
        lambda number, site_id: {"name": f"Team {number}", "site_ids": [site_id], "operator_ids": []},
        teams,
        "MAX_TEAMS",
        "too_many_teams",
        "teams",
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_additions_at_once_do_not_exceed_a_limit(
    app: AdminTestApp, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each request counts in the database, so those of one process race as those of several replicas do."""
    monkeypatch.setattr(kind.service, kind.limit, _LIMIT)
    shop = await Shop.create(app)
    path = f"/api/v1/{kind.path.format(shop.site_id)}"

    async def add(number: int) -> str:
        response = await app.call("POST", path, shop.owner, kind.body(number, shop.site_id))
        return "added" if response.status == 201 else str(response.body["code"])

    results = [await add(0), *await asyncio.gather(*(add(number) for number in range(1, 9)))]
    assert sorted(results) == sorted(["added"] * _LIMIT + [kind.code] * (9 - _LIMIT))
    assert await app.mongo[kind.stored].count_documents({"tenant_id": shop.owner.tenant_id}) == _LIMIT
    assert await app.mongo[COLLECTION].count_documents({"pending.0": {"$exists": True}}) == 0


class Personal(NamedTuple):
    """Views or canned replies: they may change from one audience to another."""

    service: ModuleType
    limit: str
    refusal: type[ParleyError]
    add: Callable[[AdminTestApp, OperatorCaller, int], Awaitable[Any]]
    move: Callable[[AdminTestApp, OperatorCaller, Any, int], Awaitable[Any]]
    """To a site."""


def _view(number: int, site_id: int | None = None) -> ViewDraft:
    filter_ = ViewFilter("pending", None, ConversationFilter())
    return ViewDraft("mine" if site_id is None else "site", site_id, f"View {number}", filter_)


def _reply(number: int, site_id: int | None = None) -> CannedReplyDraft:
    return CannedReplyDraft("mine" if site_id is None else "site", site_id, f"reply{number}", "Hello", None, None)


PERSONAL = {
    "view": Personal(
        views,
        "MAX_VIEWS",
        TooManyViews,
        lambda app, owner, number: app.conversations.views.add(owner, _view(number)),
        lambda app, owner, view, site_id: app.conversations.views.replace(owner, view.id, _view(view.id, site_id)),
    ),
    "canned reply": Personal(
        canned_replies,
        "MAX_REPLIES",
        TooManyCannedReplies,
        lambda app, owner, number: app.admin.canned_replies.add(owner, _reply(number)),
        lambda app, owner, reply, site_id: app.admin.canned_replies.replace(owner, reply.id, _reply(reply.id, site_id)),
    ),
}


@pytest.mark.parametrize("kind", PERSONAL.values(), ids=PERSONAL)
async def test_additions_and_moves_at_once_do_not_exceed_the_limit_of_an_audience(
    app: AdminTestApp, kind: Personal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a full audience has may still change."""
    monkeypatch.setattr(kind.service, kind.limit, _LIMIT)
    shop = await Shop.create(app)

    async def at_once(changes: Iterable[Awaitable[Any]]) -> list[Any]:
        """Returns what came of those that were not refused."""
        results = await asyncio.gather(*changes, return_exceptions=True)
        refused = [result for result in results if isinstance(result, BaseException)]
        assert all(isinstance(error, kind.refusal) for error in refused)
        return [result for result in results if result not in refused]

    mine = await at_once(kind.add(app, shop.owner, number) for number in range(8))
    assert len(mine) == _LIMIT
    there = await kind.move(app, shop.owner, mine.pop(), shop.site_id)
    mine.append(await kind.add(app, shop.owner, 8))
    moved = await at_once(kind.move(app, shop.owner, one, shop.site_id) for one in mine)
    assert len(moved) == _LIMIT - 1
    assert (await kind.move(app, shop.owner, there, shop.site_id)).audience == there.audience
