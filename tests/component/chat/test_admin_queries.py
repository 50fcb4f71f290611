"""Every query of accounts and administration uses an index, according to MongoDB's profiler."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp.test_utils import make_mocked_request

from parley.chat.accounts import login_throttling_repository
from parley.chat.accounts import repository as accounts
from parley.chat.answer_tests import repository as answer_tests
from parley.chat.answer_tests import routes as answer_test_routes
from parley.chat.answer_tests import run_repository as answer_test_runs
from parley.chat.answer_tests.personal_data import AnswerTestData
from parley.chat.api_keys import repository as api_keys
from parley.chat.audit import repository as audit
from parley.chat.corrections import repository as corrections
from parley.chat.corrections import routes as correction_routes
from parley.chat.corrections.model import Correction
from parley.chat.corrections.personal_data import CorrectionData
from parley.chat.knowledge import repository as knowledge
from parley.chat.knowledge_gaps import repository as knowledge_gaps
from parley.chat.knowledge_gaps import routes as gap_routes
from parley.chat.knowledge_gaps.model import UnansweredQuestion
from parley.chat.knowledge_gaps.personal_data import GapData
from parley.chat.knowledge_sources import document_repository as knowledge_documents
from parley.chat.knowledge_sources import repository as knowledge_sources
from parley.chat.knowledge_sources import routes as knowledge_source_routes
from parley.chat.knowledge_sources.handlers import SourceHandlers
from parley.chat.labels import repository as labels
from parley.chat.mcp_servers import repository as mcp_servers
from parley.chat.mcp_servers import routes as mcp_server_routes
from parley.chat.sessions import repository as sessions
from parley.chat.site_texts import routes as site_text_routes
from parley.chat.sites import repository as sites
from parley.chat.team import repository as team
from parley.chat.teams import repository as teams
from parley.chat.tools import routes as tool_routes
from parley.common.auth.identity import OperatorCaller
from parley.common.events.schemas import OperatorRef
from parley.common.runtime.clock import to_rfc3339
from support.admin_app import PASSWORD, AdminTestApp, LoginSession, StartApp, unique_email

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
REPOSITORIES = (
    accounts,
    answer_tests,
    answer_test_runs,
    api_keys,
    audit,
    login_throttling_repository,
    knowledge,
    knowledge_documents,
    knowledge_gaps,
    corrections,
    knowledge_sources,
    labels,
    mcp_servers,
    sessions,
    sites,
    team,
    teams,
)


async def _call_every_route(app: AdminTestApp) -> None:
    """Call each route at least once, and each combination of filters."""
    owner = await app.create_tenant()
    site = await app.create_site(owner, domains=["shop.example.com"])
    member = await app.create_member(owner, site["id"], can_manage=True, can_chat=True)
    site_path = f"/api/v1/sites/{site['id']}"
    me = await app.get_caller(await _use_sessions(app, owner))

    async def call(method: str, path: str, body: Any = None, caller: Any = owner, **query: Any) -> dict[str, Any]:
        response = await app.call(method, path, caller, body, **query)
        assert response.status in (200, 201), response.raw
        return response.body

    await call("POST", f"{site_path}/texts/translate", {"language": "de"})  # There is nothing to translate yet.
    for reader in (owner, member):
        for path in ("/api/v1/sites", "/api/v1/team", f"{site_path}/team", "/api/v1/api-keys"):
            await call("GET", path, caller=reader, limit=1)
        for path in (
            site_path,
            f"{site_path}/my-access",
            f"{site_path}/widget-code",
            f"{site_path}/chatbot",
            "/api/v1/auth/me",
        ):
            await call("GET", path, caller=reader)
    cursor = (await call("GET", "/api/v1/team", limit=1))["next_cursor"]
    await call("GET", "/api/v1/team", cursor=cursor)
    await call("PUT", site_path, {"name": "Store"})
    await call("PUT", f"{site_path}/chatbot", {"name": "Robin"})
    entry = (await call("POST", f"{site_path}/chatbot/knowledge", {"question": "Open?", "answer": "Yes."}))["entry"]
    await call("GET", f"{site_path}/chatbot/knowledge")
    await call("PUT", f"{site_path}/chatbot/knowledge/{entry['id']}", {"question": "Open?", "answer": "Yes, always."})
    settings = await app.admin.site_directory.get(owner.tenant_id, site["id"])
    assert await app.admin.knowledge.list_passages(settings)
    vectors = app.admin.passage_vectors
    await vectors.store(site["id"], {"a": b"1", "b": b"2"})
    assert await vectors.get_version(site["id"]) == 2
    assert await vectors.find(site["id"], ["a"]) == {"a": b"1"}
    await vectors.remove_others(site["id"], ["a"])
    await vectors.remove_site(site["id"])
    await call("DELETE", f"{site_path}/chatbot/knowledge/{entry['id']}")
    await _use_tools(call, f"{site_path}/chatbot/tools")
    await _use_mcp_servers(app, owner, call, f"{site_path}/chatbot/mcp-servers")
    await _use_answer_tests(app, owner, f"{site_path}/chatbot/tests")
    await _use_gaps(app, owner, f"{site_path}/knowledge-gaps")
    await _use_corrections(app, owner, site_path)
    await _use_knowledge_sources(app, owner, f"{site_path}/knowledge/sources")
    period: dict[str, Any] = {"from_": "2026-01-01", "to": "2026-01-31"}
    await call("GET", "/api/v1/reports", **period)
    exported = await app.call("GET", "/api/v1/reports/export", owner, format="csv", **period)
    assert exported.status == 200, exported.raw
    label = (await call("POST", "/api/v1/labels", {"name": "Billing", "site_id": site["id"]}))["label"]
    await call("POST", "/api/v1/labels", {"name": "Bug", "scope": "all"})
    first = await call("GET", "/api/v1/labels", limit=1)
    await call("GET", "/api/v1/labels", site_id=site["id"], cursor=first["next_cursor"])
    await call("PUT", f"/api/v1/labels/{label['id']}", {"name": "Invoices", "colour": "#112233"})
    assert await app.admin.labels.find_names(owner.tenant_id, site["id"], [label["id"]])
    await call("DELETE", f"/api/v1/labels/{label['id']}")
    await app.admin.label_repository.list_deleted(10)
    await app.admin.labels.remove_orphaned()
    key = await call("POST", "/api/v1/api-keys", {"name": "Export"})
    await app.call_internal("POST", "access-by-key", {"key": key["key"]})
    await call("DELETE", f"/api/v1/api-keys/{key['api_key']['id']}")
    await call("PUT", "/api/v1/auth/me", {"language": "fr"})
    await call(
        "POST", "/api/v1/auth/change-password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"}, me
    )
    await call("POST", "/api/v1/auth/logout-all", {"revoke_api_keys": True})
    invited = (await call("POST", "/api/v1/team", {"email": unique_email("x"), "name": "X"}))["member"]["id"]
    token = (await call("POST", f"/api/v1/team/{invited}/invitation"))["invitation"]["token"]
    await app.call_internal("POST", "accept-invitation", {"token": token, "password": PASSWORD})
    await call("GET", f"/api/v1/team/{invited}")
    await call("PUT", f"{site_path}/team/{invited}", {"can_chat": True})
    await call("DELETE", f"{site_path}/team/{invited}")
    await call("PUT", f"/api/v1/team/{invited}", {"suspended": True})
    await call("DELETE", f"/api/v1/team/{invited}")
    group = {"name": "Billing", "site_ids": [site["id"]], "operator_ids": [owner.operator_id]}
    team_id = (await call("POST", "/api/v1/teams", group))["team"]["id"]
    await call("PUT", f"/api/v1/teams/{team_id}", {**group, "name": "Invoices"})
    for reader in (owner, member):
        await call("GET", "/api/v1/teams", caller=reader)
        await call("GET", "/api/v1/teams", caller=reader, site_id=site["id"])
    await call("PUT", f"{site_path}/routing", {"routing": "round_robin", "team_id": team_id})
    await call("PUT", f"{site_path}/forms", {"departments": [{"team_id": team_id, "label": "Billing"}]})
    await call("GET", f"{site_path}/forms")
    for query in ({}, {"site_id": site["id"]}, {"operator_id": owner.operator_id, "action": "site.updated"}):
        page = await call("GET", "/api/v1/audit", limit=1, from_=to_rfc3339(app.clock().replace(year=2020)), **query)
        if page["next_cursor"]:
            await call("GET", "/api/v1/audit", limit=1, cursor=page["next_cursor"], **query)
    await call("POST", f"{site_path}/rotate-key")
    await call("PUT", f"{site_path}/chatbot", {"welcome": "Good day"})
    await call("PUT", f"{site_path}/texts", {"language": "de", "texts": {"welcome": {"content": "Guten Tag"}}})
    await call("GET", f"{site_path}/texts")
    secret = (await call("POST", f"{site_path}/identity-secrets", {"name": "Server"}))["identity_secret"]
    await call("GET", f"{site_path}/identity-secrets")
    await call("DELETE", f"{site_path}/identity-secrets/{secret['id']}")
    draft = {"name": "Pricing", "message": "Questions?"}
    trigger = (await call("POST", f"{site_path}/triggers", draft))["trigger"]["id"]
    await call("GET", f"{site_path}/triggers")
    await call("PUT", f"{site_path}/triggers/{trigger}", draft)
    await call("PUT", f"{site_path}/trigger-order", {"trigger_ids": [trigger]})
    await call("POST", f"{site_path}/triggers/{trigger}/preview")
    await call("GET", f"{site_path}/trigger-counts")
    await call("DELETE", f"{site_path}/triggers/{trigger}")
    await app.call_internal("GET", "site", site_key=site["site_key"])
    await app.call_internal("GET", "origin", origin="https://shop.example.com")
    await app.call_internal("GET", "visitor-session", site_id=str(site["id"]), fingerprint=f"sess_{'0' * 32}")
    await app.admin.rpc_methods()["site_operators"]({"site_id": site["id"]})
    await app.admin.team_directory.member(owner.tenant_id, owner.operator_id)
    await call("DELETE", f"/api/v1/teams/{team_id}")
    await call("DELETE", site_path)


async def _use_tools(call: Any, path: str) -> None:
    lookup = {"name": "stock", "title": "Stock", "description": "What is in stock.", "url": "http://127.0.0.1:9/stock"}
    tool = (await call("POST", path, lookup))["tool"]
    await call("GET", path)
    await call("PUT", f"{path}/{tool['id']}", {**lookup, "writes": False})
    await call("POST", f"{path}/{tool['id']}/secret")
    assert (await call("POST", f"{path}/{tool['id']}/try", {}))["outcome"] == "unreachable"
    await call("DELETE", f"{path}/{tool['id']}")


async def _use_mcp_servers(app: AdminTestApp, owner: OperatorCaller, call: Any, path: str) -> None:
    body = {"name": "shop", "url": "http://127.0.0.1:9/mcp"}
    one = f"{path}/{(await call('POST', path, body))['server']['id']}"
    await call("GET", path)
    await call("PUT", one, {**body, "enabled": False})
    await call("POST", f"{one}/secret")
    assert (await call("POST", f"{one}/check"))["outcome"] == "unreachable"
    unknown = await app.call("POST", f"{one}/try", owner, {"name": "stock", "fingerprint": "0" * 64})
    assert unknown.status == 409
    await call("PUT", f"{one}/tools", {"tools": []})
    await call("DELETE", one)


async def _use_knowledge_sources(app: AdminTestApp, owner: OperatorCaller, path: str) -> None:
    module = app.knowledge_sources
    body = {"kind": "crawl", "name": "Help", "url": "http://127.0.0.1:9/", "schedule": "daily"}
    source = (await app.call("POST", path, owner, body)).ok(201)["source"]["id"]
    one = f"{path}/{source}"
    while await module.sync.run_due():
        pass
    filters: tuple[dict[str, Any], ...] = ({}, {"status": "failed"}, {"pending": "true"})
    for query in filters:
        documents = (await app.call("GET", f"{one}/documents", owner, limit=1, **query)).ok()["documents"]
    documents = (await app.call("GET", f"{one}/documents", owner)).ok()["documents"]
    document = f"{one}/documents/{documents[0]['id']}"
    for method, target, sent, status in (
        ("GET", path, None, 200),
        ("GET", one, None, 200),
        ("PUT", one, {"name": "Pages", "schedule": "manual"}, 200),
        ("POST", f"{one}/sync", None, 200),
        ("POST", f"{one}/approve", None, 200),
        ("POST", f"{one}/upload-file", None, 415),
        ("PUT", document, {"enabled": False}, 200),
        ("GET", f"{document}/changes", None, 409),
        ("POST", f"{document}/approve", None, 409),
        ("POST", f"{document}/reject", None, 409),
        ("DELETE", document, None, 422),
    ):
        response = await app.call(method, target, owner, sent)
        assert response.status == status, (target, response.raw)
    listed = await module.sources.list_page(owner.tenant_id, int(path.split("/")[4]), 0, 10)
    await module.documents.find_duplicate(await module.documents.get(listed[0], documents[0]["id"]), "hash")
    assert [contents async for contents in module.documents.read_live(listed)] == []
    await app.call("DELETE", one, owner)
    await module.service.remove_deleted()


async def _use_answer_tests(app: AdminTestApp, owner: OperatorCaller, path: str) -> None:
    test = (await app.call("POST", path, owner, {"question": "Why?", "expected": "decline"})).ok(201)["test"]
    (await app.call("POST", f"{path}/generate", owner)).ok()
    (await app.call("POST", f"{path}/import", owner, {"csv": "question,expected\nHow?,decline\n"})).ok()
    run = (await app.call("POST", f"{path}/run", owner, {"replays": 2})).ok(201)["run"]["id"]
    (await app.call("POST", f"{path}/runs/{run}/cancel", owner)).ok()
    run = (await app.call("POST", f"{path}/run", owner, {"instructions": "Be brief.", "replays": 2})).ok(201)["run"][
        "id"
    ]
    assert await app.answer_tests.runner.run_due()
    for target in ("", "/export", "/runs", f"/runs/{run}", f"/runs/{run}/results", f"/runs/{run}/replays"):
        assert (await app.call("GET", f"{path}{target}", owner)).status == 200
    (await app.call("GET", f"{path}/runs/{run}/results", owner, verdict="wrong")).ok()
    (await app.call("GET", f"{path}/runs/{run}/replays", owner, changed="true")).ok()
    stored = await app.admin.answer_test_runs.get(*_ids(path, owner), run)
    await app.admin.answer_test_runs.list_not_right(stored, "primary", 5, by_itself=True)
    (await app.call("PUT", f"{path}/{test['id']}", owner, {"question": "Why not?"})).ok()
    settings = path.removesuffix("/tests")
    (await app.call("PUT", settings, owner, {"require_answer_tests": True})).ok()
    assert (await app.call("PUT", settings, owner, {"instructions": "Be brief."})).status == 409
    spare = {"fallbacks": [{"engine": "openai", "model": "spare"}]}
    assert (await app.call("PUT", settings, owner, spare)).status == 409
    (await app.call("PUT", settings, owner, {"require_answer_tests": False})).ok()
    (await app.call("DELETE", f"{path}/{test['id']}", owner)).ok()
    data = AnswerTestData(app.mongo)
    await data.list_texts([1])
    await data.remove([1])
    await app.answer_tests.remove_site(_ids(path, owner)[1])


async def _use_gaps(app: AdminTestApp, owner: OperatorCaller, path: str) -> None:
    tenant_id, site_id = _ids(path, owner)
    for number, text in enumerate(("How far is the moon?", "Who won?", "How far is the moon?")):
        asked = UnansweredQuestion(tenant_id, site_id, number, 1, text, "en", "declined", app.clock())
        await app.mongo[knowledge_gaps.QUESTIONS].insert_one(knowledge_gaps.question_document(asked))
    await app.gaps.grouper.group_waiting()
    first = (await app.call("GET", path, owner, limit=1)).ok()
    (await app.call("GET", path, owner, limit=1, cursor=first["next_cursor"])).ok()
    gap = f"{path}/{first['gaps'][0]['id']}"
    (await app.call("GET", gap, owner)).ok()
    (await app.call("PUT", gap, owner, {"state": "dismissed"})).ok()
    (await app.call("POST", f"{gap}/entry", owner, {"question": "Moon?", "answer": "Far."})).ok(201)
    data = GapData(app.gaps.gaps)
    assert await data.list_texts([0]) != []
    await data.remove([0, 1])
    await app.gaps.remove_site(site_id)


async def _use_corrections(app: AdminTestApp, owner: OperatorCaller, site: str) -> None:
    tenant_id, site_id = _ids(site, owner)
    answer: dict[str, Any] = {"conversation_id": 1, "seq": 2}
    assert (await app.call("GET", f"{site}/cited-passages", owner, **answer)).status == 404
    assert (await app.call("POST", f"{site}/corrections", owner, {**answer, "right_answer": "x"})).status == 404
    repository, cited = app.corrections.corrections, ("knowledge:1:a", "document:2:b")
    for number in (1, 2):
        by = OperatorRef(id=owner.operator_id, name="Owner")
        texts = ("Why?", "So.", "", "Because.")
        correction = Correction(number, tenant_id, site_id, number, 2, *texts, cited, by, app.clock())
        await repository.add(correction)
    await app.mongo["messages"].insert_many(
        [
            {"_id": seq, "conversation_id": 3, "seq": seq, "site_id": site_id, "cited": cited, "created_at": MOMENT}
            for seq in (1, 2)
        ]
    )
    assert await repository.find_affected(correction, 0, 5) == {3: [1, 2]}
    assert await repository.find_affected(correction, 3, 5) == {}
    first = (await app.call("GET", f"{site}/corrections", owner, limit=1)).ok()
    (await app.call("GET", f"{site}/corrections", owner, limit=1, cursor=first["next_cursor"])).ok()
    (await app.call("GET", f"{site}/corrections/1/conversations", owner)).ok()
    (await app.call("POST", f"{site}/corrections/1/apply", owner, {"question": "Why?", "answer": "Because."})).ok()
    data = CorrectionData(repository)
    assert [text.text for text in await data.list_texts([1])] == ["Why?\nSo."]
    await data.remove([1])
    await app.corrections.remove_site(site_id)


def _ids(path: str, owner: OperatorCaller) -> tuple[int, int]:
    return owner.tenant_id, int(path.split("/")[4])


async def _use_sessions(app: AdminTestApp, owner: OperatorCaller) -> LoginSession:
    email = (await app.call("GET", "/api/v1/auth/me", owner)).ok()["user"]["email"]
    await app.call_internal("POST", "login", {"email": email, "password": "wrong"})
    first = await app.log_in(email)
    refreshed = (await app.call_internal("POST", "refresh", {"refresh_token": first.refresh_token})).ok()
    await app.call_internal("POST", "logout", {"refresh_token": refreshed["refresh_token"]})
    return await app.log_in(email)


async def test_every_query_of_every_route_uses_an_index(start_app: StartApp) -> None:
    async with start_app(owner_email=unique_email("first"), owner_password=PASSWORD) as app:
        await app.mongo.database.create_collection("system.profile", capped=True, size=64 * 2**20)
        await app.mongo.database.command("profile", 2)
        await _call_every_route(app)
        await app.admin.accounts.ensure_first_owner("Parley", unique_email("x"), PASSWORD, "first")
        await app.outbox.sweep(app.clock())
        await app.mongo.database.command("profile", 0)
        profile = [row async for row in app.mongo["system.profile"].find()]
        await app.mongo["system.profile"].drop()
        tables = [
            *app.admin.routes(),
            *knowledge_source_routes.routes(SourceHandlers(app.knowledge_sources.service)),
            *tool_routes.routes(app.tools.handlers),
            *mcp_server_routes.routes(app.tools.servers.handlers),
            *answer_test_routes.routes(app.answer_tests.handlers),
            *gap_routes.routes(app.gaps.handlers),
            *correction_routes.routes(app.corrections.handlers),
            *site_text_routes.routes(app.site_texts),
        ]
        routes = {(route.method, route.path) for route in tables}
        assert {await _find_route(app, *request) for request in app.requests} == routes, "a route was not called"
        collections = {index.collection for repository in REPOSITORIES for index in repository.INDEXES}
        assert collections <= {row["ns"].split(".", 1)[1] for row in profile}
        unindexed = [
            (row["ns"], row["planSummary"], row["command"])
            for row in profile
            if "COLLSCAN" in row.get("planSummary", "")
            or (row.get("hasSortStage") and "_fts" not in row["planSummary"])
        ]
        assert not unindexed


async def _find_route(app: AdminTestApp, method: str, path: str) -> tuple[str, str]:
    info = await app.server.app.router.resolve(make_mocked_request(method, path))
    assert info.route.resource is not None
    return method, info.route.resource.canonical
