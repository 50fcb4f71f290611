"""Attacks made from the route tables: every route that names something is called with what the caller may not have.

A route is *scoped* when its path, its body or its query names a thing of a tenant. What such a name stands for is in
`PATH` and `FIELDS`; a name that is in neither makes the tests fail, so that no new route is left out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from PIL import Image

from support.api import Api, Reply
from support.routes import Public, fields_of
from support.tenants import PASSWORD, World

NOWHERE = 2**52 + 1
"""An id that nothing has."""


@dataclass(frozen=True, slots=True)
class Target:
    """Things of one tenant, by which attacks name them."""

    site_id: int
    conversation_id: int
    operator_id: int
    entry_id: int
    key_id: int
    session_id: str

    @property
    def site_ids(self) -> list[int]:
        return [self.site_id]

    @classmethod
    async def of(cls, world: World) -> Target:
        """A conversation that Alex holds, with an online visitor, and the rest of what a tenant has."""
        visitor, conversation_id = await world.taken()
        (await visitor.post("/heartbeat", page="https://shop.test/")).ok()
        entry = {"question": "Are you open?", "answer": "We are."}
        known = (await world.owner.post(f"/sites/{world.site_id}/chatbot/knowledge", entry)).ok(201)["entry"]
        key = (await world.owner.post("/api-keys", {"name": "Export"})).ok(201)["api_key"]
        shown = (await world.owner.get(f"/operator/conversation/{conversation_id}")).ok()["conversation"]
        handle = shown["visitor"]["session_id"]
        return cls(world.site_id, conversation_id, world.alex.id, known["id"], key["id"], handle)


GHOST = Target(NOWHERE, NOWHERE, NOWHERE, NOWHERE, NOWHERE, "sess_" + "f" * 32)
"""Names of nothing at all."""

PATH = {
    ("operator", "id"): "conversation_id",
    ("conversations", "id"): "conversation_id",
    ("team", "id"): "operator_id",
    ("api-keys", "id"): "key_id",
    ("sites", "site_id"): "site_id",
    ("sites", "operator_id"): "operator_id",
    ("sites", "entry_id"): "entry_id",
}
"""What a parameter stands for, by the path's first word and its own name."""

FIELDS = ("site_id", "site_ids", "conversation_id", "operator_id", "session_id")
"""What a field of a body or a query stands for: the same."""

NAMES_NOTHING = {
    "message_id": "the sender's own name for a message",
    "last_event_id": "a place in the log; what comes after it is authorized event by event",
}

FILTERS = {
    ("GET /api/v1/sites/{site_id}/conversations", "operator_id"): "narrows a list of one's own",
    ("GET /api/v1/audit", "operator_id"): "narrows a list of one's own",
    ("GET /api/v1/audit", "site_id"): "narrows a list of one's own",
}
"""Names in a query that open nothing."""


def parameters(public: Public) -> list[str]:
    return re.findall(r"{(\w+)", public.route.path)


def named_fields(public: Public) -> tuple[list[str], list[str]]:
    """The fields of the body and of the query that name something."""

    def naming(model: Any) -> list[str]:
        return [
            name
            for name in fields_of(model)
            if name.endswith(("_id", "_ids")) and name not in NAMES_NOTHING and (public.name, name) not in FILTERS
        ]

    return naming(public.route.body), naming(public.route.query)


def scoped(public: Public) -> bool:
    """Whether the route names something that is somebody's."""
    body, query = named_fields(public)
    return bool(parameters(public) or body or query)


def unknown_names(public: Public) -> list[str]:
    """Names that nobody has said how to attack."""
    area = public.route.path.split("/")[3]
    body, query = named_fields(public)
    strange = [name for name in parameters(public) if (area, name) not in PATH]
    return strange + [name for name in (*body, *query) if name not in FIELDS]


@dataclass(frozen=True, slots=True)
class Request:
    """A call, ready to be made with any credential."""

    method: str
    path: str
    query: Mapping[str, Any]
    body: Mapping[str, Any] | None
    upload: bool = False

    async def send(self, api: Api, token: str | None) -> Reply:
        form = image_form(picture()) if self.upload else None
        return await api.call(self.method, self.path, token=token, query=dict(self.query), body=self.body, data=form)


def picture(size: tuple[int, int] = (8, 6), kind: str = "PNG", **options: Any) -> bytes:
    """A small image."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(out, kind, **options)
    return out.getvalue()


def image_form(data: bytes, **fields: str) -> aiohttp.FormData:
    """An upload as a browser sends it: the fields, then the file."""
    form = aiohttp.FormData(fields)
    form.add_field("image", io.BytesIO(data), filename="picture.png", content_type="image/png")
    return form


def attack(public: Public, target: Target, **instead: Any) -> Request:
    """The route's own example, naming what is the target's. `instead` replaces single fields of the body."""
    route = public.route
    area = route.path.split("/")[3]
    path = route.path
    for name in parameters(public):
        path = path.replace(f"{{{name}}}", str(getattr(target, PATH[area, name])))
    in_body, in_query = named_fields(public)
    body = None
    if route.body is not None:
        body = {**route.example, **{name: getattr(target, name) for name in in_body}, **instead}
    query = {name: getattr(target, name) for name in in_query}
    return Request(route.method, path, query, body, route.takes == "multipart/form-data")


async def stranger(world: World, name: str, **permissions: bool) -> str:
    """The token of a fresh operator of the world's site with exactly these permissions."""
    everything = {"can_chat": False, "can_view_conversations": False, "can_manage": False}
    return (await world.join(name, **{**everything, **permissions})).token


async def suspended(world: World) -> str:
    """The token of an operator who was suspended after logging in."""
    operator = await world.join("Sully")
    (await world.owner.send("PUT", f"/team/{operator.id}", {"suspended": True})).ok()
    return operator.token


async def logged_out(world: World) -> str:
    """A token whose login has ended."""
    email = f"gone@{world.tenant}.test"
    body = {"email": email, "name": "Gone", "password": PASSWORD, "site_ids": [world.site_id]}
    (await world.owner.post("/team", body)).ok(201)
    operator = await World.log_in(world.api, email)
    (await operator.post("/auth/logout")).ok()
    return operator.token


def words(reply: Reply) -> tuple[int, dict[str, Any], set[str]]:
    """All of an answer that may differ with what was asked for: status, body without its request id, headers."""
    body = {name: value for name, value in reply.body.items() if name != "request_id"}
    return reply.status, body, {name.lower() for name in reply.headers}
