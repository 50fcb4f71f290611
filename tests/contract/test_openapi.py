"""The OpenAPI document is valid, and describes every response of every endpoint."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from parley.common.runtime.clock import to_rfc3339, utc_now
from parley.gateway.routes import Credential
from parley_dev.stack import Stack
from support.api import ApiClient, ApiResponse, OperatorClient, VisitorClient
from support.authorization_matrix import PDF, TEXT_FILE, ask_the_unknown, file_form, find_gap, image_form, make_image
from support.identity import SiteServer
from support.mcp_server import run_shop_server
from support.openapi_document import OpenApiDocument
from support.routes import proxy_routes
from support.tenants import PASSWORD, TenantFixture
from support.wait import wait_until
from support.web_push import EXAMPLE_SUBSCRIPTION

ID_PARAMETERS = (
    *("site_id", "operator_id", "entry_id", "source_id", "document_id"),
    *("secret_id", "tool_id", "server_id", "trigger_id", "action_id", "test_id", "run_id"),
    *("gap_id", "correction_id", "id"),
)
"""Parameters of paths."""

GATEWAY_ENDPOINTS = {
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"),
    ("POST", "/api/v1/invitations/accept"),
}
"""Endpoints that the gateway answers itself."""


@pytest.fixture(scope="module")
async def document(api: ApiClient) -> OpenApiDocument:
    return await OpenApiDocument.fetch(api)


async def test_the_document_is_valid_openapi_3_1(document: OpenApiDocument) -> None:
    assert document.content["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document.content).validate()


async def test_the_document_describes_exactly_the_public_routes(document: OpenApiDocument) -> None:
    public = {(one.method, one.path) for one in proxy_routes(Credential.OPERATOR, Credential.VISITOR)}
    assert set(document.operations) == public | GATEWAY_ENDPOINTS
    names = [document.operation(*one)["operationId"] for one in document.operations]
    assert len(names) == len(set(names)), "operationIds are unique"


async def test_every_example_matches_its_schema(document: OpenApiDocument) -> None:
    for method, path in document.operations:
        content = document.operation(method, path).get("requestBody", {}).get("content", {})
        if "application/json" in content:
            media_type = content["application/json"]
            document.validate(media_type["schema"], media_type["example"], f"the example of {method} {path}")


class ApiTour:
    """Calls every endpoint and validates each response against the document."""

    def __init__(self, tenant: TenantFixture, document: OpenApiDocument) -> None:
        self.tenant = tenant
        self.api = tenant.api
        self.document = document

    async def call(
        self, who: OperatorClient | None, method: str, path: str, body: Any = None, status: int = 200, **more: Any
    ) -> dict[str, Any]:
        token = who.token if who is not None else None
        reply = await self.api.request(method, f"/api/v1{path}", token=token, body=body, **more)
        self.document.check(method, f"/api/v1{path}", reply)
        return reply.ok(status)

    async def call_as_visitor(
        self, visitor: VisitorClient, method: str, path: str, status: int = 200, **fields: Any
    ) -> dict[str, Any]:
        fields = {**visitor.credentials, **fields}
        if method == "GET":
            return await self.call(None, method, f"/chat{path}", query=fields, status=status)
        return await self.call(None, method, f"/chat{path}", body=fields, status=status)

    async def stream(self, path: str, **query: str) -> None:
        """Validate the beginning of a stream, which does not end by itself."""
        url = f"{self.api.base_url}/api/v1{path}"
        async with asyncio.timeout(10), self.api.http.get(url, params=query) as response:
            first = await response.content.readany()
        assert b"event: ready" in first, first
        self.document.check("GET", f"/api/v1{path}", ApiResponse(response.status, dict(response.headers), b""))

    async def send_message(self, visitor: VisitorClient, message: str, **fields: str) -> int:
        """Send a message and validate the whole reply. Returns the conversation's id."""
        body = {**visitor.credentials, "message": message, **fields}
        reply = await self.api.request("POST", "/api/v1/chat/stream", body=body)
        self.document.check("POST", "/api/v1/chat/stream", reply)
        return int(reply.raw.rpartition(b'"conversation_id":')[2].partition(b",")[0])

    async def call_every_endpoint(self) -> None:
        await self.accounts()
        site_id = await self.sites()
        await self.team(site_id)
        await self.visitors()
        await self.conversations()
        await self.translation()
        await self.lists()
        await self.status()
        await self.devices()
        await self.removals(site_id)

    async def accounts(self) -> None:
        email = f"tourist@{self.tenant.name}.test"
        body = {"email": email, "name": "Tourist", "site_ids": [self.tenant.site_id]}
        created = await self.call(self.tenant.owner, "POST", "/team", body, 201)
        invited = await self.call(self.tenant.owner, "POST", f"/team/{created['member']['id']}/invitation", {}, 201)
        accept = {"token": invited["invitation"]["token"], "password": PASSWORD, "name": "Tourist"}
        await self.call(None, "POST", "/invitations/accept", accept)
        login = await self.call(None, "POST", "/auth/login", {"email": email, "password": PASSWORD})
        refreshed = await self.call(None, "POST", "/auth/refresh", {"refresh_token": login["refresh_token"]})
        tourist = self.api.operator(refreshed["token"], refreshed["user"]["id"])
        await self.call(tourist, "GET", "/auth/me")
        await self.call(tourist, "PUT", "/auth/me", {"name": "Terry", "language": "de"})
        change = {"current_password": PASSWORD, "new_password": f"{PASSWORD}-again"}
        await self.call(tourist, "POST", "/auth/change-password", change)
        key = await self.call(tourist, "POST", "/api-keys", {"name": "Export"}, 201)
        assert len((await self.call(tourist, "GET", "/api-keys"))["api_keys"]) == 1
        await self.call(tourist, "DELETE", f"/api-keys/{key['api_key']['id']}")
        await self.call(None, "POST", "/auth/logout", {"refresh_token": refreshed["refresh_token"]})
        again = await self.call(None, "POST", "/auth/login", {"email": email, "password": f"{PASSWORD}-again"})
        tourist = self.api.operator(again["token"], again["user"]["id"])
        await self.call(tourist, "POST", "/auth/logout-all", {})

    async def sites(self) -> int:
        owner = self.tenant.owner
        created = await self.call(owner, "POST", "/sites", {"name": "Blog", "domains": ["blog.test"]}, 201)
        site_id: int = created["site"]["id"]
        site = f"/sites/{site_id}"
        assert len((await self.call(owner, "GET", "/sites", query={"limit": 1}))["sites"]) == 1
        await self.call(owner, "GET", site)
        await self.call(owner, "PUT", site, {"name": "Diary"})
        await self.call(owner, "GET", f"{site}/widget-code")
        secret = await self.call(owner, "POST", f"{site}/identity-secrets", {"name": "Server"}, 201)
        assert len((await self.call(owner, "GET", f"{site}/identity-secrets"))["identity_secrets"]) == 1
        await self.call(owner, "DELETE", f"{site}/identity-secrets/{secret['identity_secret']['id']}")
        draft = {"name": "Pricing", "message": "Questions?", "include_pages": ["/pricing*"]}
        trigger = (await self.call(owner, "POST", f"{site}/triggers", draft, 201))["trigger"]["id"]
        assert len((await self.call(owner, "GET", f"{site}/triggers"))["triggers"]) == 1
        await self.call(owner, "PUT", f"{site}/triggers/{trigger}", {**draft, "enabled": True})
        await self.call(owner, "PUT", f"{site}/trigger-order", {"trigger_ids": [trigger]})
        await self.call(owner, "POST", f"{site}/triggers/{trigger}/preview", {})
        await self.call(owner, "GET", f"{site}/trigger-counts")
        await self.call(owner, "DELETE", f"{site}/triggers/{trigger}")
        await self.call(owner, "POST", f"{site}/rotate-key", {})
        await self.call(owner, "GET", f"{site}/my-access")
        await self.call(owner, "GET", f"{site}/copilot")
        await self.call(owner, "GET", f"{site}/chatbot")
        await self.call(owner, "GET", f"{site}/chatbot/usage")
        await self.call(owner, "PUT", f"{site}/chatbot", {"name": "Robin", "colours": {"primary": "#112233"}})
        await self.call(owner, "PUT", f"{site}/chatbot", {"welcome": "Good morning!"})
        german = {"language": "de", "texts": {"welcome": {"content": "Guten Morgen!", "approved": True}}}
        await self.call(owner, "PUT", f"{site}/texts", german)
        assert (await self.call(owner, "GET", f"{site}/texts"))["texts"][0]["translations"]["de"]["approved"]
        await self.call(owner, "POST", f"{site}/texts/translate", {"language": "de"})
        entry = {"question": "Are you open?", "answer": "We are."}
        created = await self.call(owner, "POST", f"{site}/chatbot/knowledge", entry, 201)
        one = f"{site}/chatbot/knowledge/{created['entry']['id']}"
        await self.call(owner, "GET", f"{site}/chatbot/knowledge")
        await self.call(owner, "PUT", one, {"question": "Are you open?", "answer": "We are not."})
        await self.call(owner, "DELETE", one)
        await self.answer_tests(f"{site}/chatbot/tests")
        await self.gaps(f"/sites/{self.tenant.site_id}/knowledge-gaps")
        await self.corrections(f"/sites/{self.tenant.site_id}")
        await self.knowledge_sources(f"{site}/knowledge/sources")
        await self.tools(f"{site}/chatbot/tools")
        await self.mcp_servers(f"{site}/chatbot/mcp-servers")
        canned = {"shortcut": "hi", "text": "Hi {{visitor.name|there}}!", "scope": "site", "site_id": site_id}
        reply = (await self.call(owner, "POST", "/canned-replies", canned, 201))["canned_reply"]
        assert (await self.call(owner, "GET", "/canned-replies", query={"q": "hi"}))["canned_replies"] == [reply]
        await self.call(owner, "PUT", f"/canned-replies/{reply['id']}", {**canned, "scope": "all"})
        await self.call(owner, "POST", f"/canned-replies/{reply['id']}/use")
        await self.call(owner, "DELETE", f"/canned-replies/{reply['id']}")
        billing = {"name": "Billing", "colour": "#2563eb", "scope": "site", "site_id": site_id}
        label = (await self.call(owner, "POST", "/labels", billing, 201))["label"]
        assert (await self.call(owner, "GET", "/labels", query={"site_id": site_id}))["labels"] == [label]
        await self.call(owner, "PUT", f"/labels/{label['id']}", {"name": "Invoices", "colour": "#16a34a"})
        waiting = {"name": "Waits", "filter": {"status": "pending", "waiting": 60}, "scope": "site", "site_id": site_id}
        view = (await self.call(owner, "POST", "/views", waiting, 201))["view"]
        assert (await self.call(owner, "GET", "/views"))["views"] == [view]
        assert (await self.call(owner, "GET", "/views/counts"))["counts"][0]["id"] == view["id"]
        await self.call(owner, "PUT", f"/views/{view['id']}", {**waiting, "scope": "all"})
        await self.call(owner, "DELETE", f"/views/{view['id']}")
        await self.call(owner, "DELETE", f"/labels/{label['id']}")
        return site_id

    async def tools(self, path: str) -> None:
        owner = self.tenant.owner
        body: dict[str, Any] = {
            "name": "stock",
            "title": "Stock",
            "description": "What is in stock.",
            "url": "http://127.0.0.1:9/{item}",
        }
        body["parameters"] = {"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]}
        tool = (await self.call(owner, "POST", path, body, 201))["tool"]
        assert (await self.call(owner, "GET", path))["tools"] == [tool]
        await self.call(owner, "PUT", f"{path}/{tool['id']}", {**body, "timeout_seconds": 1})
        await self.call(owner, "POST", f"{path}/{tool['id']}/secret")
        await self.call(owner, "POST", f"{path}/{tool['id']}/try", {"arguments": {"item": "cap"}})
        await self.call(owner, "DELETE", f"{path}/{tool['id']}")

    async def mcp_servers(self, path: str) -> None:
        owner = self.tenant.owner
        async with run_shop_server() as shop:
            body = {"name": "shop", "url": shop.url}
            server = (await self.call(owner, "POST", path, body, 201))["server"]
            assert (await self.call(owner, "GET", path))["servers"] == [server]
            one = f"{path}/{server['id']}"
            await self.call(owner, "PUT", one, {**body, "name": "warehouse"})
            await self.call(owner, "POST", f"{one}/secret")
            tool = (await self.call(owner, "POST", f"{one}/check"))["tools"][0]
            shown = {"name": tool["name"], "fingerprint": tool["fingerprint"]}
            await self.call(owner, "POST", f"{one}/try", {**shown, "arguments": {"order_id": "A-1"}})
            await self.call(owner, "PUT", f"{one}/tools", {"tools": [{**shown, "title": "Order"}]})
            await self.call(owner, "DELETE", one)

    async def answer_tests(self, path: str) -> None:
        owner = self.tenant.owner
        body = {"question": "Are you open?", "must_say": [["open"]]}
        one = f"{path}/{(await self.call(owner, 'POST', path, body, 201))['test']['id']}"
        await self.call(owner, "GET", path)
        await self.call(owner, "PUT", one, {**body, "expected": "decline", "must_say": []})
        await self.call(owner, "POST", f"{path}/generate", {})
        await self.call(owner, "POST", f"{path}/import", {"tests": [body]})
        await self.call(owner, "GET", f"{path}/export", query={"format": "json"})
        run = f"{path}/runs/{(await self.call(owner, 'POST', f'{path}/run', {'replays': 1}, 201))['run']['id']}"

        async def is_done() -> bool:
            return bool((await self.call(owner, "GET", run))["run"]["state"] == "done")

        await wait_until(is_done)
        assert len((await self.call(owner, "GET", f"{path}/runs"))["runs"]) == 1
        assert (await self.call(owner, "GET", f"{run}/results"))["results"]
        await self.call(owner, "GET", f"{run}/replays")
        await self.call(owner, "POST", f"{run}/cancel", {})
        await self.call(owner, "DELETE", one)

    async def gaps(self, path: str) -> None:
        owner = self.tenant.owner
        gap = f"{path}/{await find_gap(self.tenant)}"
        await self.call(owner, "GET", path, query={"state": "open", "limit": 1})
        assert (await self.call(owner, "GET", gap))["examples"]
        await self.call(owner, "PUT", gap, {"state": "dismissed"})
        entry = {"question": "How far is the moon?", "answer": "384 400 km."}
        await self.call(owner, "POST", f"{gap}/entry", entry, 201)

    async def corrections(self, site: str) -> None:
        owner = self.tenant.owner
        entry = {"question": "How long can I return an item?", "answer": "Within 14 days."}
        await self.call(owner, "POST", f"{site}/chatbot/knowledge", entry, 201)
        visitors = [self.tenant.new_visitor() for _ in range(2)]
        affected = [(await one.send_message(entry["question"]))["conversation_id"] for one in visitors]
        answer = {"conversation_id": affected[0], "seq": 2}
        shown = await self.call(owner, "GET", f"{site}/cited-passages", query=answer)
        assert [passage["text"] for passage in shown["passages"]] == ["Within 14 days."]
        wrong = {**answer, "note": "It is longer.", "right_answer": "Within 30 days."}
        correction = (await self.call(owner, "POST", f"{site}/corrections", wrong, 201))["correction"]
        await self.call(owner, "GET", f"{site}/corrections")
        one = f"{site}/corrections/{correction['id']}"
        await self.call(owner, "GET", f"{one}/conversations")
        await self.call(owner, "POST", f"{one}/apply", {**entry, "answer": "Within 30 days."})

    async def knowledge_sources(self, path: str) -> None:
        owner = self.tenant.owner
        body = {"kind": "file", "name": "Manuals", "review": True}
        source = f"{path}/{(await self.call(owner, 'POST', path, body, 201))['source']['id']}"
        await self.call(owner, "GET", path)
        await self.call(owner, "GET", source)
        await self.call(owner, "PUT", source, {"name": "Handbooks"})
        upload = f"/api/v1{source}/upload-file"

        async def has_change() -> bool:
            listed = await self.call(owner, "GET", f"{source}/documents", query={"pending": "true"})
            return bool(listed["documents"])

        async def is_idle() -> bool:
            shown = await self.call(owner, "GET", source)
            return bool(shown["source"]["sync"]["state"] == "idle")

        for text, decision in ((TEXT_FILE, "approve"), (TEXT_FILE * 2, "reject")):
            form = file_form(text, "manual.txt")
            reply = await self.api.request("POST", upload, token=owner.token, data=form)
            self.document.check("POST", upload, reply)
            document = f"{source}/documents/{reply.ok(201)['document']['id']}"
            await wait_until(has_change)
            await self.call(owner, "GET", f"{document}/changes")
            await self.call(owner, "POST", f"{document}/{decision}", {})
        await self.call(owner, "POST", f"{source}/approve", {})
        await self.call(owner, "PUT", document, {"enabled": False})
        await wait_until(is_idle)
        await self.call(owner, "POST", f"{source}/sync", {})
        await self.call(owner, "DELETE", document)
        await self.call(owner, "DELETE", source)

    async def team(self, site_id: int) -> None:
        owner, sam = self.tenant.owner, self.tenant.sam
        await self.call(owner, "GET", "/team")
        await self.call(owner, "GET", f"/team/{sam.id}")
        await self.call(owner, "PUT", f"/team/{sam.id}", {"name": "Samuel"})
        await self.call(owner, "GET", f"/sites/{site_id}/team")
        await self.call(owner, "PUT", f"/sites/{site_id}/team/{sam.id}", {"can_chat": True})
        await self.call(owner, "DELETE", f"/sites/{site_id}/team/{sam.id}")
        team = {"name": "Billing", "site_ids": [self.tenant.site_id], "operator_ids": [sam.id]}
        billing = (await self.call(owner, "POST", "/teams", team, 201))["team"]
        await self.call(owner, "PUT", f"/teams/{billing['id']}", {**team, "name": "Invoices"})
        assert (await self.call(owner, "GET", "/teams", query={"site_id": self.tenant.site_id}))["teams"]
        routing = {"routing": "manual", "team_id": billing["id"], "fallbacks": [{"after_seconds": 60}]}
        await self.call(owner, "PUT", f"/sites/{self.tenant.site_id}/routing", routing)
        departments = [{"team_id": billing["id"], "label": "Billing"}, {"team_id": None, "label": "Other"}]
        field = {"key": "topic", "type": "select", "label": "Topic", "options": ["Sales", "Support"]}
        forms = {
            "consent": {"text": "I agree"},
            "departments": departments,
            "prechat": {"enabled": True, "fields": [{"key": "name", "type": "name", "required": True}, field]},
            "offline": {"enabled": True, "fields": [field]},
        }
        await self.call(owner, "PUT", f"/sites/{self.tenant.site_id}/forms", forms)
        await self.call(owner, "GET", f"/sites/{self.tenant.site_id}/forms")
        await self.answer_forms()
        await self.call(owner, "PUT", f"/sites/{self.tenant.site_id}/forms", {})
        await self.call(owner, "DELETE", f"/teams/{billing['id']}")
        await self.call(owner, "GET", "/audit", query={"from": "2020-01-01T00:00:00Z", "limit": 2})
        month = {"from": "2026-01-01", "to": "2026-01-31", "timezone": "Asia/Kolkata"}
        assert len((await self.call(owner, "GET", "/reports", query=month))["rows"]) == 31
        await self.call(owner, "GET", "/reports/export", query={**month, "format": "json"})

    async def answer_forms(self) -> None:
        visitor = self.tenant.new_visitor()
        assert (await self.call_as_visitor(visitor, "GET", "/config"))["prechat_form"]["fields"]
        answers, consent = {"name": "Jane", "topic": "Sales"}, {"given": True, "version": 1}
        await self.call_as_visitor(visitor, "POST", "/form", answers=answers, consent=consent, lang="de")
        answers["email"] = "jane@example.com"
        await self.call_as_visitor(
            visitor, "POST", "/offline-form", answers=answers, consent=consent, message="Are you there?"
        )

    async def visitors(self) -> None:
        visitor = self.tenant.new_visitor()
        await self.call_as_visitor(visitor, "GET", "/config")
        await self.call_as_visitor(visitor, "GET", "/block-status")
        await self.call_as_visitor(visitor, "POST", "/heartbeat", page="https://shop.test/", title="Shop", lang="de")
        trigger = {"name": "Welcome", "message": "Questions?", "enabled": True}
        path = f"/sites/{self.tenant.site_id}/triggers"
        added = (await self.call(self.tenant.owner, "POST", path, trigger, 201))["trigger"]["id"]
        await self.call_as_visitor(visitor, "GET", "/triggers")
        await self.call_as_visitor(visitor, "POST", "/triggers/show", trigger_ids=[added])
        await self.call_as_visitor(visitor, "POST", "/triggers/opened", trigger_id=added)
        await self.send_message(visitor, "Hello?")
        await self.call_as_visitor(visitor, "POST", "/typing")
        await self.call_as_visitor(visitor, "POST", "/email", email="jane@example.com")
        await self.call_as_visitor(visitor, "POST", "/contact", name="Jane", phone="+49 30 1234")
        server = await SiteServer.create(self.tenant.owner, self.tenant.site_id)
        token = server.sign("customer-42", attributes={"plan": "gold", "orders": 3})
        identified = await self.call_as_visitor(visitor, "POST", "/identify", token=token)
        visitor.session_id = identified["session_id"]
        await self.call_as_visitor(visitor, "GET", "/history", limit=10)
        self.document.check("GET", "/api/v1/chat/transcript", await visitor.get("/transcript", lang="de"))
        await self.call_as_visitor(visitor, "POST", "/transcript/email", email="tour@example.com", lang="de")
        await self.call_as_visitor(visitor, "GET", "/operator-messages", after_seq=0)
        await self.call_as_visitor(visitor, "GET", "/pending-proactive")
        await self.call_as_visitor(visitor, "POST", "/read", seq=1)
        await self.call_as_visitor(visitor, "POST", "/handoff")
        await self.call_as_visitor(visitor, "POST", "/rate", score=5, comment="Fine")
        form = image_form(make_image(), **visitor.credentials)
        reply = await self.api.request("POST", "/api/v1/chat/upload-image", data=form)
        self.document.check("POST", "/api/v1/chat/upload-image", reply)
        form = file_form(PDF, **visitor.credentials)
        reply = await self.api.request("POST", "/api/v1/chat/upload-file", data=form)
        self.document.check("POST", "/api/v1/chat/upload-file", reply)
        await self.send_message(visitor, "", file_id=reply.body["file"]["id"])
        await self.stream("/chat/events", **visitor.credentials)
        await self.call_as_visitor(visitor, "POST", "/end-session")

    async def conversations(self) -> None:
        alex, sam = self.tenant.alex, self.tenant.sam
        visitor = self.tenant.new_visitor()
        chat = await self.send_message(visitor, "Is anybody there?")
        conversation = {"conversation_id": chat}
        await self.call(alex, "POST", f"/operator/accept/{chat}", {})
        form = image_form(make_image())
        reply = await self.api.request("POST", "/api/v1/operator/upload-image", token=alex.token, data=form)
        self.document.check("POST", "/api/v1/operator/upload-image", reply)
        await self.call(
            alex, "POST", "/operator/message", {**conversation, "content": "Look", "image_url": reply.body["url"]}
        )
        reply = await self.api.request(
            "POST", f"/api/v1/operator/upload-file?site_id={self.tenant.site_id}", token=alex.token, data=file_form(PDF)
        )
        self.document.check("POST", "/api/v1/operator/upload-file", reply)
        file = {**conversation, "content": "", "file_id": reply.body["file"]["id"]}
        await self.call(alex, "POST", "/operator/message", file)
        await self.call(alex, "POST", "/operator/typing", conversation)
        await self.call(alex, "POST", "/operator/note", {**conversation, "content": "VIP customer"})
        one = f"/operator/conversation/{chat}"
        for method in ("PUT", "PATCH", "POST"):
            await self.call(alex, method, f"{one}/visitor", {"name": "Jane", "info": {"plan": "gold"}})
        await self.call(alex, "POST", f"{one}/read", {"seq": 1})
        await self.call(alex, "POST", f"{one}/viewing", {"state": "writing"})
        mention = {"conversation_id": int(one.rpartition("/")[2]), "content": "@Alex", "mentions": [alex.id]}
        await self.call(alex, "POST", "/operator/note", mention)
        await self.call(alex, "POST", f"{one}/transcript/email", {"email": "tour@example.com"})
        await self.call(alex, "GET", "/operator/mentions")
        await self.call(alex, "POST", f"{one}/mentions/read")
        await self.call(alex, "PUT", f"{one}/labels", {"labels": []})
        bulk = {"action": "snooze", "conversation_ids": [chat], "until": to_rfc3339(utc_now() + timedelta(hours=1))}
        done = await self.call(alex, "POST", "/operator/conversations/bulk", bulk)
        await self.call(alex, "POST", f"/operator/conversations/bulk/{done['action_id']}/undo", {})
        await self.call(alex, "PUT", f"{one}/snooze", {"until": to_rfc3339(utc_now() + timedelta(hours=1))})
        await self.call(alex, "DELETE", f"{one}/snooze")
        shown = (await self.call(alex, "GET", one))["conversation"]
        assert shown["notes"]
        assert shown["history"]
        assert len(shown["messages"]) > 1
        assert (await self.call(alex, "GET", f"/conversations/{chat}/messages"))["messages"]
        chatbot = f"/sites/{self.tenant.site_id}/chatbot"
        await self.call(self.tenant.owner, "PUT", chatbot, {"engine": "openai"})
        await self.call(alex, "POST", f"{one}/copilot/suggestion")
        await self.call(alex, "POST", f"{one}/copilot/rewrite", {"text": "Helo", "style": "correct"})
        await self.call(alex, "POST", f"{one}/copilot/summary")
        assert (await self.call(self.tenant.owner, "POST", f"{chatbot}/check", {}))["check"]["ok"]
        assert (await self.call(self.tenant.owner, "GET", chatbot))["chatbot"]["check"]["steps"]
        await self.call(self.tenant.owner, "PUT", chatbot, {"engine": "builtin"})
        await self.call(alex, "POST", f"/operator/transfer/{chat}", {"operator_id": sam.id})
        await self.call(sam, "POST", f"/operator/release/{chat}", {})
        await self.call(sam, "POST", f"/operator/close/{chat}", {})
        await self.call(sam, "POST", f"{one}/reopen", {})
        await self.call(sam, "POST", f"{one}/block", {"blocked": True, "block_type": "ai"})
        proactive = self.tenant.new_visitor()
        await self.call_as_visitor(proactive, "POST", "/heartbeat", page="https://shop.test/cart")
        online = await self.call(alex, "GET", "/operator/online-visitors", query={"site_id": self.tenant.site_id})
        handle = online["visitors"][0]["session_id"]
        body = {"site_id": self.tenant.site_id, "session_id": handle, "content": "Need help?"}
        await self.call(alex, "POST", "/operator/proactive-message", body)

    async def translation(self) -> None:
        _, chat = await self.tenant.assigned_conversation()
        toggle = {"conversation_id": chat, "enabled": True}
        await self.call(self.tenant.alex, "POST", "/operator/translation/toggle", toggle)
        lang = {"conversation_id": chat, "lang": "de"}
        await self.call(self.tenant.alex, "POST", "/operator/translation/set-lang", lang)
        preview = {"conversation_id": chat, "content": "Hello"}
        await self.call(self.tenant.alex, "POST", "/operator/translation/preview", preview)

    async def lists(self) -> None:
        alex, site = self.tenant.alex, {"site_id": self.tenant.site_id}
        assert (await self.call(alex, "GET", "/operator/active-chats", query=site))["chats"]
        assert (await self.call(alex, "GET", "/operator/all-active-chats"))["chats"]
        assert (await self.call(alex, "GET", "/operator/all-chat-counts"))["sites"]
        assert (await self.call(alex, "GET", "/operator/operators", query=site))["operators"]
        query = {"q": "jane", "in": "messages,notes,visitors", **site}
        assert "hits" in await self.call(alex, "GET", "/operator/search", query=query)
        assert (await self.call(alex, "GET", "/operator/blocked", query=site))["visitors"]
        assert (await self.call(alex, "GET", "/operator/all-online-visitors"))["visitors"]
        path = f"/sites/{self.tenant.site_id}"
        assert (await self.call(alex, "GET", f"{path}/conversations"))["conversations"]
        assert (await self.call(alex, "GET", f"{path}/leads"))["leads"]
        assert (await self.call(alex, "GET", f"{path}/ratings"))["ratings"]
        assert (await self.call(alex, "GET", f"{path}/ratings/stats"))["count"]

    async def status(self) -> None:
        alex, site_id = self.tenant.alex, self.tenant.site_id
        await self.call(alex, "POST", "/operator/heartbeat", {"site_ids": [site_id]})
        assert (await self.call(alex, "GET", "/operator/status"))["online"]
        await self.call(alex, "POST", "/operator/set-status", {"site_id": site_id, "online": False})
        ticket = await self.call(alex, "POST", "/operator/stream-ticket", {})
        await self.stream("/operator/stream", token=ticket["ticket"])

    async def devices(self) -> None:
        alex = self.tenant.alex
        await self.call(alex, "POST", "/operator/fcm-token", {"token": "d" * 140})
        await self.call(alex, "POST", "/operator/fcm-token/test", {})
        await self.call(alex, "DELETE", "/operator/fcm-token", {"token": "d" * 140})
        await self.call(alex, "GET", "/operator/push-subscription/key")
        await self.call(alex, "POST", "/operator/push-subscription", EXAMPLE_SUBSCRIPTION)
        device_id = (await self.call(alex, "GET", "/operator/push-device"))["devices"][0]["id"]
        await self.call(alex, "POST", "/operator/push-device/test", {"device_id": device_id})
        await self.call(alex, "DELETE", f"/operator/push-device?device_id={device_id}")
        await self.call(alex, "DELETE", "/operator/push-subscription", {"endpoint": EXAMPLE_SUBSCRIPTION["endpoint"]})

    async def removals(self, site_id: int) -> None:
        owner = self.tenant.owner
        blocked = await self.call(owner, "GET", "/operator/blocked", query={"site_id": self.tenant.site_id})
        subject = {"site_id": self.tenant.site_id, "session_id": blocked["visitors"][0]["session_id"]}
        assert (await self.call(owner, "GET", "/operator/visitor/export", query=subject))["export"]["conversations"]
        assert (await self.call(owner, "POST", "/operator/visitor/erase", subject))["erased"]["conversations"]
        await self.call(owner, "DELETE", f"/sites/{site_id}")
        gone = await self.tenant.add_operator("Gone")
        await self.call(owner, "DELETE", f"/team/{gone.id}")


@pytest.fixture(scope="module")
async def api_tour(stack: Stack, api: ApiClient, mongodb_uri: str, document: OpenApiDocument) -> ApiTour:
    tour = ApiTour(await TenantFixture.create(api, stack, mongodb_uri), document)
    await ask_the_unknown(tour.tenant)
    await tour.call_every_endpoint()
    return tour


async def test_every_successful_response_matches_the_document(api_tour: ApiTour, document: OpenApiDocument) -> None:
    succeeded = {one for one, statuses in document.observed_statuses.items() if statuses & {200, 201}}
    assert succeeded == set(document.operations), "every operation is called"


async def test_every_error_response_matches_the_document(
    api_tour: ApiTour, document: OpenApiDocument, api: ApiClient
) -> None:
    for method, path in document.operations:
        real = path
        for name in ID_PARAMETERS:
            real = real.replace(f"{{{name}}}", str(2**52))
        real = real.replace("{", "").replace("}", "")
        secured = bool(document.operation(method, path)["security"])
        # Without credentials; an invalid body; one that is too large; a media type that is not supported.
        for request in (
            {},
            {"data": b"{", "headers": {"Content-Type": "application/json"}},
            {"data": b" " * 70_000, "headers": {"Content-Type": "application/json"}},
            {"data": b"a=b", "headers": {"Content-Type": "text/plain"}},
        ):
            for token in (None, api_tour.tenant.owner.token) if secured else (None,):
                if method == "GET" and request:
                    continue
                reply = await _call(api, method, real, token, request)
                if reply is not None:
                    document.check(method, real, reply)


async def _call(api: ApiClient, method: str, path: str, token: str | None, request: Any) -> ApiResponse | None:
    """Send a request. Returns None when the response is a stream."""
    headers = {**request.get("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    timeout = aiohttp.ClientTimeout(total=10)
    async with api.http.request(
        method, api.base_url + path, data=request.get("data"), headers=headers, timeout=timeout
    ) as response:
        if response.content_type == "text/event-stream":
            return None
        return ApiResponse(response.status, dict(response.headers), await response.read())


async def test_a_wrong_method_is_405_and_lists_the_allowed_ones(document: OpenApiDocument, api: ApiClient) -> None:
    for path in document.content["paths"]:
        real = path
        for name in ID_PARAMETERS:
            real = real.replace(f"{{{name}}}", "1")
        reply = await api.request("TRACE", real)
        assert reply.status == 405, path
        allowed = set(reply.headers["Allow"].replace(" ", "").split(","))
        assert {method.upper() for method in document.content["paths"][path]} <= allowed
        assert reply.body["code"] == "method_not_allowed"
