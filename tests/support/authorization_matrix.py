"""Authorization attacks generated from the route tables: every route is called with resources of other tenants.

A route is *resource-scoped* when its path, body or query names a resource of a tenant. `PATH_PARAMETERS` and
`RESOURCE_FIELDS` map such names to resources; a name in neither makes the tests fail, so that no new route is missed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from PIL import Image

from parley.common.http import Route
from support.api import ApiClient, ApiResponse
from support.identity import SiteServer
from support.routes import PublicEndpoint, get_fields
from support.tenants import PASSWORD, TenantFixture
from support.wait import wait_until

UNKNOWN_ID = 2**52 + 1
"""An id that no resource has."""


@dataclass(frozen=True, slots=True)
class TenantResources:
    """Ids of one tenant's resources, by the names that attacks use."""

    site_id: int
    conversation_id: int
    operator_id: int
    entry_id: int
    secret_id: int
    trigger_id: int
    key_id: int
    reply_id: int
    team_id: int
    label_id: int
    view_id: int
    action_id: int
    source_id: int
    document_id: int
    tool_id: int
    server_id: int
    test_id: int
    run_id: int
    gap_id: int
    correction_id: int
    session_id: str

    @property
    def site_ids(self) -> list[int]:
        return [self.site_id]

    @property
    def operator_ids(self) -> list[int]:
        return [self.operator_id]

    @classmethod
    async def create(cls, tenant: TenantFixture) -> TenantResources:
        """Create a conversation assigned to Alex with an online visitor, a knowledge entry and an API key."""
        await ask_the_unknown(tenant)
        visitor, conversation_id = await tenant.assigned_conversation()
        (await visitor.post("/heartbeat", page="https://shop.test/")).ok()
        entry = {"question": "Are you open?", "answer": "We are."}
        known = (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/knowledge", entry)).ok(201)["entry"]
        files = {"kind": "file", "name": "Manuals"}
        sources = f"/sites/{tenant.site_id}/knowledge/sources"
        source = (await tenant.owner.post(sources, files)).ok(201)["source"]
        upload = f"/api/v1{sources}/{source['id']}/upload-file"
        sent = await tenant.api.request(
            "POST", upload, token=tenant.owner.token, data=file_form(TEXT_FILE, "manual.txt")
        )
        document = sent.ok(201)["document"]

        async def is_read() -> bool:
            listed = (await tenant.owner.get(f"{sources}/{source['id']}/documents")).ok()["documents"]
            return bool(listed[0]["status"] == "ready")

        await wait_until(is_read, description="the document is read")
        lookup = {
            "name": "stock",
            "title": "Stock",
            "description": "What is in stock.",
            "url": "http://127.0.0.1:9/stock",
            "writes": False,
        }
        tool = (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/tools", lookup)).ok(201)["tool"]
        remote = {"name": "shop", "url": "http://127.0.0.1:9/mcp"}
        mcp_server = (await tenant.owner.post(f"/sites/{tenant.site_id}/chatbot/mcp-servers", remote)).ok(201)["server"]
        server = await SiteServer.create(tenant.owner, tenant.site_id)
        trigger = {"name": "Pricing", "message": "Questions?"}
        added = (await tenant.owner.post(f"/sites/{tenant.site_id}/triggers", trigger)).ok(201)["trigger"]
        key = (await tenant.owner.post("/api-keys", {"name": "Export"})).ok(201)["api_key"]
        canned = {"shortcut": "hi", "text": "Hello!", "scope": "site", "site_id": tenant.site_id}
        reply = (await tenant.owner.post("/canned-replies", canned)).ok(201)["canned_reply"]
        members = {"name": "Billing", "site_ids": [tenant.site_id], "operator_ids": [tenant.alex.id]}
        team = (await tenant.owner.post("/teams", members)).ok(201)["team"]
        of_site = {"scope": "site", "site_id": tenant.site_id}
        label = (await tenant.owner.post("/labels", {"name": "Billing", **of_site})).ok(201)["label"]
        view = (await tenant.owner.post("/views", {"name": "All", "filter": {}, **of_site})).ok(201)["view"]
        bulk = {"action": "label", "conversation_ids": [conversation_id], "label_ids": [label["id"]]}
        action = (await tenant.owner.post("/operator/conversations/bulk", bulk)).ok()
        tests = f"/sites/{tenant.site_id}/chatbot/tests"
        test = (await tenant.owner.post(tests, {"question": "Are you open?"})).ok(201)["test"]
        run = (await tenant.owner.post(f"{tests}/run", {})).ok(201)["run"]
        gap_id = await find_gap(tenant)
        correction = await report_wrong_answer(tenant, entry["question"])
        shown = (await tenant.owner.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        handle = shown["visitor"]["session_id"]
        return cls(
            tenant.site_id,
            conversation_id,
            tenant.alex.id,
            known["id"],
            server.secret_id,
            added["id"],
            key["id"],
            reply["id"],
            team["id"],
            label["id"],
            view["id"],
            action["action_id"],
            source["id"],
            document["id"],
            tool["id"],
            mcp_server["id"],
            test["id"],
            run["id"],
            gap_id,
            correction,
            handle,
        )


async def ask_the_unknown(tenant: TenantFixture) -> None:
    """A visitor asks what the AI does not know. The question becomes a gap seconds later: ask early."""
    await tenant.new_visitor().send_message("How far is the moon?")


async def find_gap(tenant: TenantFixture) -> int:
    """Wait until the question of `ask_the_unknown` is a gap of the tenant's site. Returns its id."""

    async def is_grouped() -> int:
        listed = (await tenant.owner.get(f"/sites/{tenant.site_id}/knowledge-gaps")).ok()["gaps"]
        return next((gap["id"] for gap in listed if "moon" in gap["question"]), 0)

    gap_id: int = await wait_until(is_grouped, timeout=30, description="the question is grouped")
    return gap_id


async def report_wrong_answer(tenant: TenantFixture, question: str) -> int:
    """A visitor asks what the AI knows, and the owner reports that the answer is wrong. Returns the correction's id."""
    conversation_id = (await tenant.new_visitor().send_message(question))["conversation_id"]
    wrong = {"conversation_id": conversation_id, "seq": 2, "right_answer": "We are not."}
    added = (await tenant.owner.post(f"/sites/{tenant.site_id}/corrections", wrong)).ok(201)
    correction_id: int = added["correction"]["id"]
    return correction_id


UNKNOWN_RESOURCES = TenantResources(
    **{name: UNKNOWN_ID for name in TenantResources.__annotations__ if name != "session_id"},
    session_id="sess_" + "f" * 32,
)
"""Ids of no existing resource."""

PATH_PARAMETERS = {
    ("operator", "id"): "conversation_id",
    ("operator", "action_id"): "action_id",
    ("conversations", "id"): "conversation_id",
    ("team", "id"): "operator_id",
    ("teams", "id"): "team_id",
    ("api-keys", "id"): "key_id",
    ("canned-replies", "id"): "reply_id",
    ("labels", "id"): "label_id",
    ("views", "id"): "view_id",
    ("sites", "site_id"): "site_id",
    ("sites", "operator_id"): "operator_id",
    ("sites", "entry_id"): "entry_id",
    ("sites", "source_id"): "source_id",
    ("sites", "document_id"): "document_id",
    ("sites", "secret_id"): "secret_id",
    ("sites", "tool_id"): "tool_id",
    ("sites", "server_id"): "server_id",
    ("sites", "test_id"): "test_id",
    ("sites", "run_id"): "run_id",
    ("sites", "gap_id"): "gap_id",
    ("sites", "correction_id"): "correction_id",
    ("sites", "trigger_id"): "trigger_id",
}
"""The resource that a path parameter names, by the path's first segment and the parameter."""

RESOURCE_FIELDS = (
    *("site_id", "site_ids", "conversation_id", "operator_id", "operator_ids", "team_id", "session_id"),
    "entry_id",
)
"""Fields of bodies and queries that name a resource."""

NOT_RESOURCE_FIELDS = {
    "device_id": "a hash; only the caller's own devices are looked at, which a test of foreign ids shows",
    "message_id": "the sender's own id for a message",
    "file_id": "an upload of the tenant's own, as image_url is; see tests/security/test_files.py",
    "conversation_ids": "each conversation is authorized and answered by itself",
    "trigger_ids": "of the caller's own site: others are not found, or invalid",
    "label_ids": "checked for each conversation, with its site",
    "last_event_id": "a position in the event log; the replay is authorized event by event",
}

FILTER_PARAMETERS = {
    ("POST /api/v1/operator/transfer/{id}", "team_id"): "in place of operator_id; another site's is invalid",
    ("POST /api/v1/operator/conversations/bulk", "team_id"): "in place of operator_id; another site's is invalid",
    ("GET /api/v1/sites/{site_id}/conversations", "operator_id"): "filters the caller's own list",
    ("GET /api/v1/sites/{site_id}/conversations", "label_id"): "filters the caller's own list",
    ("GET /api/v1/sites/{site_id}/conversations", "team_id"): "filters the caller's own list",
    ("GET /api/v1/operator/active-chats", "operator_id"): "filters the caller's own list",
    ("GET /api/v1/operator/active-chats", "label_id"): "filters the caller's own list",
    ("GET /api/v1/operator/active-chats", "team_id"): "filters the caller's own list",
    ("GET /api/v1/operator/all-active-chats", "operator_id"): "filters the caller's own list",
    ("GET /api/v1/operator/all-active-chats", "label_id"): "filters the caller's own list",
    ("GET /api/v1/operator/all-active-chats", "team_id"): "filters the caller's own list",
    ("GET /api/v1/audit", "operator_id"): "filters the caller's own list",
    ("GET /api/v1/audit", "site_id"): "filters the caller's own list",
}
"""Parameters that filter and give access to nothing, or of which a request has only one."""


def path_parameters(public: PublicEndpoint) -> list[str]:
    return re.findall(r"{(\w+)", public.route.path)


def resource_fields(public: PublicEndpoint) -> tuple[list[str], list[str]]:
    """Return the fields of the body and of the query that name resources."""

    def fields(model: Any) -> list[str]:
        return [
            name
            for name in get_fields(model)
            if name.endswith(("_id", "_ids"))
            and name not in NOT_RESOURCE_FIELDS
            and (public.name, name) not in FILTER_PARAMETERS
        ]

    return fields(public.route.body), fields(public.route.query)


def is_resource_scoped(public: PublicEndpoint) -> bool:
    """Tell whether the route names a tenant's resource."""
    body, query = resource_fields(public)
    return bool(path_parameters(public) or body or query)


def unmapped_names(public: PublicEndpoint) -> list[str]:
    """Return the names that are not mapped to a resource."""
    area = public.route.path.split("/")[3]
    body, query = resource_fields(public)
    unmapped = [name for name in path_parameters(public) if (area, name) not in PATH_PARAMETERS]
    return unmapped + [name for name in (*body, *query) if name not in RESOURCE_FIELDS]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that can be sent with any credential."""

    method: str
    path: str
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    upload: str = ""
    """The field of the file in a form, for an upload."""

    async def send(self, api: ApiClient, token: str | None) -> ApiResponse:
        forms = {"image": lambda: image_form(make_image()), "file": lambda: file_form(PDF)}
        form = forms[self.upload]() if self.upload else None
        return await api.request(self.method, self.path, token=token, query=dict(self.query), body=self.body, data=form)


def make_image(size: tuple[int, int] = (8, 6), kind: str = "PNG", **options: Any) -> bytes:
    """Return a small image."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(out, kind, **options)
    return out.getvalue()


def image_form(data: bytes, **fields: str) -> aiohttp.FormData:
    """Build an upload as browsers send it: the fields, then the file."""
    form = aiohttp.FormData(fields)
    form.add_field("image", io.BytesIO(data), filename="picture.png", content_type="image/png")
    return form


PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
"""A small file that is accepted."""


TEXT_FILE = b"We answer within a day.\n"


def file_form(data: bytes, name: str = "report.pdf", **fields: str) -> aiohttp.FormData:
    """Build an upload of a file as browsers send it: the fields, then the file."""
    form = aiohttp.FormData(fields)
    form.add_field("file", io.BytesIO(data), filename=name, content_type="application/octet-stream")
    return form


def _upload_field(route: Route) -> str:
    return route.upload_field if route.request_media_type == "multipart/form-data" else ""


def build_request(public: PublicEndpoint, target: TenantResources, **overrides: Any) -> Request:
    """Build the route's example request for the target's resources. `overrides` replaces single fields of the body."""
    route = public.route
    area = route.path.split("/")[3]
    path = route.path
    for name in path_parameters(public):
        path = path.replace(f"{{{name}}}", str(getattr(target, PATH_PARAMETERS[area, name])))
    in_body, in_query = resource_fields(public)
    body = None
    if route.body is not None:
        body = {**route.example, **{name: getattr(target, name) for name in in_body}, **overrides}
    example = route.example if route.query is not None and route.body is None else {}
    query = {**example, **{name: getattr(target, name) for name in in_query}}
    return Request(route.method, path, query, body, _upload_field(route))


async def token_with_permissions(tenant: TenantFixture, name: str, **permissions: bool) -> str:
    """Return the token of a new operator of the tenant's site with exactly these permissions."""
    none = {"can_chat": False, "can_view_conversations": False, "can_manage": False}
    return (await tenant.add_operator(name, **{**none, **permissions})).token


async def suspended_token(tenant: TenantFixture) -> str:
    """Return the token of an operator who was suspended after the login."""
    operator = await tenant.add_operator("Sully")
    (await tenant.owner.send("PUT", f"/team/{operator.id}", {"suspended": True})).ok()
    return operator.token


async def logged_out_token(tenant: TenantFixture) -> str:
    """Return a token whose login has ended."""
    email = f"gone@{tenant.name}.test"
    body = {"email": email, "name": "Gone", "password": PASSWORD, "site_ids": [tenant.site_id]}
    (await tenant.owner.post("/team", body)).ok(201)
    operator = await TenantFixture.log_in(tenant.api, email)
    (await operator.post("/auth/logout")).ok()
    return operator.token


def comparable_response(reply: ApiResponse) -> tuple[int, dict[str, Any], set[str]]:
    """Return the parts of a response that must not depend on the resource: status, body without request id, headers."""
    # Whether a connection is closed depends on how much of an upload had arrived.
    body = {name: value for name, value in reply.body.items() if name != "request_id"}
    return reply.status, body, {name.lower() for name in reply.headers} - {"connection"}
