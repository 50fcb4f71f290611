"""Checks of AI endpoints: what they find, what they remember, and whose key goes where."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from parley.chat.ai.doctor import EngineDoctor
from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.errors import CheckTooSoon, NoEndpoint, TokenLimitReached
from parley.chat.ai.metering import Limits, Spender
from parley.chat.ai.model import Prompt, ReplyMetadata
from parley.chat.ai.usage_repository import MongoTokenBudget
from parley.chat.retrieval.model import Findings
from parley.chat.settings import ChatSettings
from parley.chat.sites.engine_check import EngineCheck
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Forbidden, NotFound
from parley.common.http.ssrf_guard import SsrfGuard
from support.admin_app import AdminTestApp
from support.openai_server import FakeOpenAIServer


class Clinic:
    """A site with the endpoint, and its doctor."""

    def __init__(self, app: AdminTestApp, endpoint: FakeOpenAIServer, caller: OperatorCaller, site_id: int) -> None:
        settings = ChatSettings(
            env="development", identity_secret=secrets.token_hex(32), amqp_url="amqp://-", mongodb_uri="mongodb://-"
        )
        guard = SsrfGuard([endpoint.url.split("/")[2], "127.0.0.1:9"])
        self.app, self.caller, self.site_id, self.endpoint = app, caller, site_id, endpoint
        self.engines = AiEngineCatalog(EngineContext(settings, app.admin.site_key_cipher, guard))
        self.budget = MongoTokenBudget(app.mongo, app.clock, 20_000)
        admin = app.admin
        self.doctor = EngineDoctor(
            admin.site_service,
            admin.site_repository,
            admin.ai_settings,
            self.engines.openai,
            self.budget,
            admin.audit,
            app.clock,
        )

    async def configure(self, **ai: object) -> None:
        """Store settings; in the database, as the routes refuse endpoints without TLS."""
        fields = {f"chatbot.ai.{name}": value for name, value in {"base_url": self.endpoint.url, **ai}.items()}
        fields |= {"chatbot.engine": "openai", "chatbot.model": "small-1"}
        await self.app.mongo["sites"].update_one({"_id": self.site_id}, {"$set": fields})

    async def check(self, **changes: Any) -> EngineCheck:
        self.app.clock.advance(seconds=11)
        return await self.doctor.check(self.caller, self.site_id, changes)

    async def remembered(self) -> EngineCheck | None:
        return (await self.app.admin.site_directory.get(self.caller.tenant_id, self.site_id)).ai_check


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


@pytest.fixture
async def clinic(app: AdminTestApp, endpoint: FakeOpenAIServer) -> AsyncIterator[Clinic]:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    caller = (await app.get_caller(owner.operator_id)).with_required_permission(Permission.MANAGE)
    clinic = Clinic(app, endpoint, caller, site["id"])
    await clinic.configure()
    yield clinic
    await clinic.engines.stop()


def statuses(check: EngineCheck) -> dict[str, str]:
    return {step.name: step.status for step in check.steps}


async def test_a_check_finds_what_the_endpoint_can_do_and_the_engine_uses_it(clinic: Clinic) -> None:
    clinic.endpoint.models = ["small-1", "large-1"]
    clinic.endpoint.refused_parameters = {"max_tokens": "Use 'max_completion_tokens' instead of 'max_tokens'."}
    await clinic.configure(embeddings="endpoint", embedding_model="e-1")
    check = await clinic.check()
    assert check.failure is None
    names = "endpoint key model reply parameters streaming usage tools json images embeddings"
    assert statuses(check) == dict.fromkeys(names.split(), "ok")
    assert check.first_word_seconds is not None
    assert check.tokens == 4 * 42 + 1, "the reply, three features, the embedding"
    assert await clinic.remembered() == check
    entry = await clinic.app.wait_for_audit_entry(clinic.caller, "chatbot.checked", site_id=clinic.site_id)
    assert entry["details"]["result"] == "ok"

    clinic.endpoint.requests.clear()
    site = await clinic.app.admin.site_directory.get(clinic.caller.tenant_id, clinic.site_id)
    prompt = Prompt(site, "Hello?", "en", [], Findings(), "I do not know.")
    async for _ in clinic.engines.openai.answer(prompt, ReplyMetadata()):
        pass
    assert ["max_tokens" in request for request in clinic.endpoint.requests] == [False], "learned by the check"

    await clinic.configure(base_url="https://elsewhere.example/v1")
    assert await clinic.remembered() is None, "another endpoint was not checked"


async def test_what_an_endpoint_cannot_do_is_no_failure(clinic: Clinic) -> None:
    server = clinic.endpoint
    server.refused_parameters = {
        "tools": "This model does not support tools.",
        "response_format": "Not supported.",
        "stream_options": "Unsupported parameter: 'stream_options'",
    }
    server.models, server.image_answer, server.usage = ["small-1-instruct", "other"], "I see nothing.", None
    check = await clinic.check()
    assert check.failure is None
    limited = {name for name, status in statuses(check).items() if status == "limited"}
    assert limited == {"model", "usage", "tools", "json", "images"}
    assert check.known_models == ("small-1-instruct",)
    assert 0 < check.tokens < 3000

    server.reset()
    server.ignores_stream = True
    check = await clinic.check()
    assert (check.failure, statuses(check)["streaming"]) == (None, "limited")


@pytest.mark.parametrize(
    ("server", "changes", "name", "code"),
    [
        ({"status": 401}, {}, "key", "key_refused"),
        ({"status": 500}, {}, "reply", "endpoint_failed"),
        ({"status": 429}, {}, "reply", "rate_limited"),
        ({"html": True}, {}, "endpoint", "not_chat_endpoint"),
        ({"chunks": [""]}, {}, "reply", "empty_reply"),
        ({}, {"base_url": "http://127.0.0.1:9/v1"}, "endpoint", "unreachable"),
        ({}, {"base_url": "https://10.0.0.1/v1"}, "endpoint", "address_refused"),
        ({}, {"base_url": "https://no-such-host.invalid/v1"}, "endpoint", "host_not_found"),
    ],
)
async def test_each_failure_has_its_sentence(
    clinic: Clinic, server: dict[str, object], changes: dict[str, object], name: str, code: str
) -> None:
    for attribute, value in server.items():
        setattr(clinic.endpoint, attribute, value)
    failure = (await clinic.check(**changes)).failure
    assert failure is not None
    assert (failure.name, failure.code) == (name, code)
    assert "no:" not in failure.message, "nothing that the endpoint wrote"
    assert (await clinic.remembered() is None) is bool(changes)


async def test_the_stored_key_is_sent_to_the_stored_endpoint_only(clinic: Clinic) -> None:
    key = clinic.app.admin.site_key_cipher.encrypt(clinic.site_id, "sk-stored")
    await clinic.configure(sealed_key=key)
    await clinic.check()
    assert set(clinic.endpoint.authorization_headers) == {"Bearer sk-stored"}
    await clinic.configure(sealed_key=key, base_url="https://elsewhere.example/v1")
    for given, sent in (({}, "none"), ({"api_key": "sk-given"}, "sk-given")):
        clinic.endpoint.authorization_headers.clear()
        await clinic.check(base_url=clinic.endpoint.url, **given)
        assert set(clinic.endpoint.authorization_headers) == {f"Bearer {sent}"}
    assert await clinic.remembered() is None, "what is not stored is not remembered"


async def test_checks_are_limited_charged_and_for_managers(clinic: Clinic) -> None:
    await clinic.check()
    with pytest.raises(CheckTooSoon):
        await clinic.doctor.check(clinic.caller, clinic.site_id, {})
    with pytest.raises(NoEndpoint):
        await clinic.check(base_url=None)
    other = await clinic.app.create_tenant()
    with pytest.raises(NotFound):
        await clinic.doctor.check(await clinic.app.get_caller(other.operator_id), clinic.site_id, {})
    member = await clinic.app.create_member(clinic.caller, clinic.site_id, can_chat=True)
    caller = await clinic.app.get_caller(member.operator_id)
    with pytest.raises(Forbidden):
        await clinic.doctor.check(caller.with_required_permission(Permission.MANAGE), clinic.site_id, {})
    await clinic.budget.reserve(Spender(clinic.site_id), Limits(), 20_000 - 5000)
    with pytest.raises(TokenLimitReached):
        await clinic.check()
