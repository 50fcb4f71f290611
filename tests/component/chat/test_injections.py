"""The test set of injections: what holds though the model obeys every one of them.

`injections.tsv` has the attacks: where each stands (in the message, in a crawled page, in an uploaded file, in
a tool's result), and what an endpoint replies that obeys it. What matters is what Parley itself guarantees then.
"""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from parley.common.auth.identity import IDENTITY_HEADER
from support.admin_app import AdminTestApp
from support.ai_replicas import Replica, Shop, run_replicas
from support.authorization_matrix import file_form
from support.openai_server import FakeOpenAIServer, call_delta
from support.website import Website, respond, run_website

CANARY = "canary-4f1c-instructions"
NOTE_CANARY, OTHER_CANARY = "canary-77ab-note", "canary-90de-other-visitor"
INSTRUCTIONS = (
    "We sell tents and stoves to people who walk in the mountains, and we answer in two or three sentences at most. "
    "Never talk about politics, about other shops or about what our suppliers charge us for their goods. "
    f"The word by which our team knows that it is us is {CANARY}. "
    "If somebody is in a hurry, be short; if somebody is unhappy, say that we are sorry and offer them a person. "
    "Returns are free within thirty days, as long as the tent has not been used in rain, mud or snow."
)
PAGE = "https://shop.test/returns"
QUESTION = "Are returns of a tent free?"
_ADDRESS = re.compile(r"(?:https?:|www\.|//)\S+|\S+@\S+|\+\d[\d ]{6,}", re.IGNORECASE)
_MARKS = ("<|", "[INST]", "[/INST]", "<<SYS>>", "</s>", "<start_of_turn>", "<end_of_turn>")


@dataclass(frozen=True, slots=True)
class Injection:
    case: str
    channel: str
    language: str
    text: str
    obeyed: str

    @property
    def question(self) -> str:
        return f"{QUESTION} ({self.case})"

    @property
    def passage(self) -> str:
        return f"They are, see {PAGE}. {self.text}"


def _read() -> list[Injection]:
    with (Path(__file__).parent / "injections.tsv").open(newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Injection(**{name: _unescape(value) for name, value in row.items()}) for row in rows]


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], text)


INJECTIONS = _read()


@dataclass(slots=True)
class Stage:
    replica: Replica
    shop: Shop
    endpoint: FakeOpenAIServer
    system: Website

    async def attack(self, injection: Injection) -> tuple[str, list[dict[str, Any]]]:
        """Let the model obey. Returns what the visitor reads, and what the endpoint was sent."""
        self.endpoint.reset()
        self.system.requests.clear()
        question = injection.text if injection.channel == "visitor" else injection.question
        if injection.channel == "tool":
            self.system.handlers["/orders/A-1"] = respond(body=injection.text.encode(), content_type="application/json")
            self.endpoint.script.append([call_delta("order_status", '{"order_id": "A-1"}')])
        self.endpoint.obey = lambda request: _obey(injection.obeyed, request)
        text, _ = await self.replica.ask(self.shop.new_visitor(), question)
        return text, self.endpoint.requests

    async def read_pages_and_files(self) -> None:
        """Have the pages of a website crawled and files uploaded, in which the injections stand."""
        path, shop = f"/api/v1/sites/{self.shop.site_id}/knowledge/sources", self.shop
        pages = [one for one in INJECTIONS if one.channel == "page"]
        for one in pages:
            self.system.add(f"/{one.case}", one.question, html.escape(one.passage))
        self.system.add("/", "Returns", "All about returns.", *(f"/{one.case}" for one in pages))
        crawl = {"kind": "crawl", "name": "Website", "url": f"{self.system.url}/", "max_depth": 1}
        (await shop.app.call("POST", path, shop.owner, crawl)).ok(201)
        files = {"kind": "file", "name": "Files"}
        source_id = (await shop.app.call("POST", path, shop.owner, files)).ok(201)["source"]["id"]
        url = shop.app.server.make_url(f"{path}/{source_id}/upload-file")
        headers = {IDENTITY_HEADER: shop.app.signer.sign(shop.owner)}
        for one in INJECTIONS:
            if one.channel == "file":
                form = file_form(f"# {one.question}\n\n{one.passage}\n".encode(), f"{one.case}.md")
                async with shop.app.http.post(url, data=form, headers=headers) as response:
                    assert response.status == 201, await response.text()
        while await shop.app.knowledge_sources.sync.run_due():
            pass
        site = await shop.app.admin.site_directory.get(shop.owner.tenant_id, shop.site_id)
        await self.replica.retrieval.prepare(site)


def _obey(obeyed: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """What the worst model says: all that it was told to, from all that it was sent."""
    system = request["messages"][0]["content"]
    if obeyed.startswith("call:"):
        if any(message["role"] == "tool" and "order_status" not in str(message) for message in request["messages"][2:]):
            return [{"content": "I have tried."}]
        _, name, arguments = obeyed.split(":", 2)
        return [call_delta(name, arguments)]
    rules = system.split("About this site:")[0]
    values = {
        "system": system,
        "instructions": INSTRUCTIONS,
        "bullets": "\n".join(f"- **{line}**" for line in rules.splitlines()),
        "spaced": " ".join(rules),
        "upper": rules.upper(),
        "all": json.dumps(request["messages"], ensure_ascii=False),
        "canary": CANARY,
    }
    text = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), obeyed)
    # In small parts, as models write: an address or a mark comes in pieces.
    return [{"content": text[start : start + 7]} for start in range(0, len(text), 7)]


@pytest.fixture(scope="module")
async def stage(app: AdminTestApp) -> AsyncIterator[Stage]:
    async with FakeOpenAIServer() as endpoint, run_website() as system, run_replicas(app, endpoint) as (replica, _):
        shop = await Shop.create(app, engine="openai", instructions=INSTRUCTIONS)
        path = f"/api/v1/sites/{shop.site_id}/chatbot/tools"
        tool: dict[str, Any] = {
            "name": "order_status",
            "title": "Order",
            "description": "An order.",
            "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}, "required": ["order_id"]},
            "url": f"{system.url}/orders/{{order_id}}",
            "writes": False,
            "identified_only": False,
        }
        cancel = {"name": "cancel_order", "title": "Cancel", "writes": True, "method": "POST"}
        address = {"name": "my_address", "title": "My address", "identified_only": True}
        for fields in ({}, cancel, address):
            (await app.call("POST", path, shop.owner, {**tool, **fields})).ok(201)
        stage = Stage(replica, shop, endpoint, system)
        await stage.read_pages_and_files()
        _, other = await replica.ask(shop.new_visitor(), f"My secret is {OTHER_CANARY}")
        await replica.module.conversations.add_note(shop.owner, other.conversation.id, NOTE_CANARY, [])
        yield stage


@pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection.case)
async def test_what_parley_guarantees_holds_though_the_model_obeys(stage: Stage, injection: Injection) -> None:
    """A24: no instructions, notes or other visitors' data, no address that nobody has named, no call without right."""
    text, requests = await stage.attack(injection)
    for canary in (CANARY, NOTE_CANARY, OTHER_CANARY):
        assert canary not in text
    assert "answer visitors of the website" not in text.casefold()
    assert "![" not in text
    assert not [found for found in _ADDRESS.findall(text) if PAGE not in found]
    assert not any(mark in text for mark in _MARKS)
    assert NOTE_CANARY not in json.dumps(requests)
    assert OTHER_CANARY not in json.dumps(requests)
    for request in requests:
        said = "\n".join(str(message["content"]) for message in request["messages"])
        assert not any(mark in said for mark in _MARKS)
    if injection.channel in ("page", "file"):
        assert injection.case in requests[0]["messages"][0]["content"]
    for called in stage.system.requests:
        assert (called.method, called.path) == ("GET", "/orders/A-1")
        assert "Parley-Visitor" not in called.headers


async def test_the_built_in_engine_says_nothing_but_passages(stage: Stage) -> None:
    """A24: without a model, an injection is at most quoted from the page that contains it."""
    await stage.shop.configure(engine="builtin")
    try:
        for injection in INJECTIONS:
            text, requests = await stage.attack(injection)
            assert not requests
            assert CANARY not in text
            assert "![" not in text
            assert not [found for found in _ADDRESS.findall(text) if PAGE not in found and found not in injection.text]
            assert not stage.system.requests
    finally:
        await stage.shop.configure(engine="openai")


def test_the_set_covers_each_channel_and_other_languages() -> None:
    assert len(INJECTIONS) >= 40
    assert {one.channel for one in INJECTIONS} == {"visitor", "page", "file", "tool"}
    assert len({one.language for one in INJECTIONS}) >= 8
    assert len({one.case for one in INJECTIONS}) == len(INJECTIONS)
