"""The engine `openai` and the catalogue of engines: which key goes where, failures, and reported tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from parley.chat.ai.engine import AiEngineError
from parley.chat.ai.engine_catalog import AiEngineCatalog
from parley.chat.ai.engines.context import EngineContext
from parley.chat.ai.engines.registry import ENGINES
from parley.chat.ai.metering import Meter
from parley.chat.ai.model import Prompt, ReplyMetadata
from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.ai.usage import TokenUsage
from parley.chat.retrieval.model import Findings, FoundPassage, Passage
from parley.chat.settings import ChatSettings
from parley.chat.sites.chatbot import AiSettings, ChatbotSettings
from parley.chat.sites.model import Site
from parley.chat.sites.site_settings import SiteSettings
from parley.common.http.ssrf_guard import SsrfGuard
from support.openai_server import FakeOpenAIServer

SECRET = "5f0b7f0e9c1d4a7b8e2f6a3c9d0e1f2a"
KEYS = SiteKeyCipher(SECRET)


@pytest.fixture
async def endpoint() -> AsyncIterator[FakeOpenAIServer]:
    async with FakeOpenAIServer() as server:
        yield server


def create_catalog(endpoint: FakeOpenAIServer, api_key: str | None = None) -> AiEngineCatalog:
    chat_settings = ChatSettings(
        env="development",
        identity_secret=SECRET,
        amqp_url="amqp://nowhere",
        mongodb_uri="mongodb://nowhere",
        openai_url=endpoint.url,
        openai_api_key=api_key,
    )
    return AiEngineCatalog(EngineContext(chat_settings, KEYS, SsrfGuard([endpoint.url.split("/")[2]])))


@pytest.fixture
async def catalog(endpoint: FakeOpenAIServer) -> AsyncIterator[AiEngineCatalog]:
    """The engines of an installation with an endpoint of its own."""
    catalog = create_catalog(endpoint, api_key="sk-the-installations")
    yield catalog
    await catalog.stop()


def site(site_id: int, **ai: object) -> SiteSettings:
    settings = replace(AiSettings(), **ai)  # type: ignore[arg-type]
    bot = ChatbotSettings(engine="openai", ai=settings)
    return Site(site_id, 1, "Shop", "pk", datetime(2026, 1, 1, tzinfo=UTC), chatbot=bot).settings


async def ask(
    catalog: AiEngineCatalog,
    site: SiteSettings,
    metadata: ReplyMetadata | None = None,
    findings: Findings | None = None,
    meter: Meter | None = None,
) -> str:
    prompt = Prompt(site, "Hello?", "en", [], findings or Findings(), "I do not know.", meter=meter or Meter())
    chunks = catalog.get_for_site(site).answer(prompt, metadata or ReplyMetadata())
    return "".join([chunk async for chunk in chunks])


async def test_cited_passages_become_sources_and_their_numbers_leave_the_text(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    returns, delivery = Passage("page:1", "Returns", "30 days."), Passage("page:2", "Delivery", "Two days.")
    findings = Findings([FoundPassage(returns, 0.9), FoundPassage(delivery, 0.5)])
    endpoint.chunks = ["Two days [", "2", "]. See list [a] [2", ", 1] and [9].", " [1"]
    metadata = ReplyMetadata()
    text = await ask(catalog, site(1), metadata, findings)
    assert text == "Two days. See list [a] and. [1"
    assert list(metadata.sources) == [delivery, returns]
    assert "[2] Delivery\nTwo days." in str(endpoint.requests[-1]["messages"][0]["content"])


async def test_the_installations_key_is_sent_to_the_installations_endpoint_only(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    await ask(catalog, site(1))
    await ask(catalog, site(2, base_url=endpoint.url))
    await ask(catalog, site(3, base_url=endpoint.url, encrypted_key=KEYS.encrypt(3, "sk-of-three")))
    await ask(catalog, site(4, encrypted_key=KEYS.encrypt(4, "sk-of-four")))
    assert endpoint.authorization_headers == [
        "Bearer sk-the-installations",
        "Bearer none",
        "Bearer sk-of-three",
        "Bearer sk-of-four",
    ]


async def test_a_changed_site_is_answered_with_its_new_key(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    await ask(catalog, site(1, base_url=endpoint.url))
    catalog.invalidate(1)
    await ask(catalog, site(1, base_url=endpoint.url, encrypted_key=KEYS.encrypt(1, "sk-new")))
    assert endpoint.authorization_headers == ["Bearer none", "Bearer sk-new"]


async def test_a_key_that_cannot_be_decrypted_is_a_failure_and_no_other_key_is_used(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    encrypted = SiteKeyCipher("the secret before it was rotated").encrypt(1, "sk-old")
    with pytest.raises(AiEngineError, match="cannot be decrypted"):
        await ask(catalog, site(1, encrypted_key=encrypted))
    assert not endpoint.authorization_headers


async def test_an_endpoint_that_is_not_public_is_not_called(catalog: AiEngineCatalog) -> None:
    with pytest.raises(AiEngineError, match="EndpointRejected"):
        await ask(catalog, site(1, base_url="https://127.0.0.1:9/v1"))


async def test_reported_tokens_are_used_if_they_are_plausible(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    for reported, plausible in ((42, True), (-5, False), ("many", False), (10**12, False)):
        endpoint.usage = reported
        meter = Meter()
        await ask(catalog, site(1, base_url=endpoint.url), meter=meter)
        assert (meter.usage == TokenUsage(40, 2)) is plausible, reported
        assert min(meter.usage.input, meter.usage.output) > 0, "an estimate, if it is not reported"


async def test_an_engine_that_is_not_set_up_is_replaced_by_the_builtin_one(endpoint: FakeOpenAIServer) -> None:
    catalog = create_catalog(endpoint)
    assert catalog.get_for_site(site(1)) is catalog.builtin
    assert catalog.get_for_site(site(1, base_url=endpoint.url)) is not catalog.builtin


async def test_an_unknown_engine_is_an_error_and_no_other_engine_answers(catalog: AiEngineCatalog) -> None:
    with pytest.raises(AiEngineError, match="there is no engine 'parrot'; engines are: builtin, openai"):
        catalog.get_for_site(replace(site(1), engine="parrot"))


def test_engines_are_registered_under_their_names(catalog: AiEngineCatalog) -> None:
    for name in ENGINES:
        assert catalog.get_for_site(replace(site(1), engine=name)).name == name


NO_ANSWER = "I do not know."


@pytest.mark.parametrize(
    ("deltas", "finish", "reason"),
    [
        ([{"reasoning_content": "Let me think."}], "stop", "thoughts"),
        ([{"content": "<think>Let me"}, {"content": " think.</think>\n"}], "stop", "thoughts"),
        ([{"content": "<think>Never closed"}], "length", "length"),
        ([], "length", "length"),
        ([{"refusal": "I can't"}, {"refusal": " help with that."}], "stop", "refusal"),
        ([], "content_filter", "content_filter"),
        ([{"tool_calls": [{"index": 0, "function": {"name": "no_answer"}}]}, {"tool_calls": 1}], "stop", "no_answer"),
        ([{"function_call": {"name": "no_"}}, {"function_call": {"name": "answer"}}], "stop", "no_answer"),
        ([{"content": '<tool_call>{"name": "x"}</tool_call>'}], "stop", "tool_call"),
        ([{"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]}], "tool_calls", "tool_call"),
        ([{"content": " "}, {"content": "\n\n"}], "stop", "blank"),
        ([{"content": "…"}], "stop", "blank"),
        ([{"content": None}], "stop", "blank"),
        ([], None, "blank"),
        ([{"content": [{"type": "thinking", "thinking": []}]}], "stop", "blank"),
        ([{"content": "**[[no"}, {"content": " answer]]**"}], "stop", "no_answer"),
    ],
)
async def test_a_reply_that_says_nothing_is_no_answer(
    catalog: AiEngineCatalog,
    endpoint: FakeOpenAIServer,
    deltas: list[dict[str, object]],
    finish: str | None,
    reason: str,
) -> None:
    endpoint.deltas, endpoint.finish_reason = deltas, finish
    metadata = ReplyMetadata()
    assert await ask(catalog, site(1), metadata) == NO_ANSWER
    assert (metadata.knew_answer, metadata.empty_reason) == (False, reason)


async def test_a_filtered_reply_ends_with_the_fallback_text(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    endpoint.deltas, endpoint.finish_reason = [{"content": "Well,"}], "content_filter"
    assert await ask(catalog, site(1)) == f"Well, {NO_ANSWER}"


async def test_a_reply_that_is_cut_by_its_length_says_so(catalog: AiEngineCatalog, endpoint: FakeOpenAIServer) -> None:
    endpoint.deltas, endpoint.finish_reason = [{"content": "We open at"}], "length"
    metadata = ReplyMetadata()
    assert await ask(catalog, site(1), metadata) == "We open at …"
    assert metadata.knew_answer


async def test_typed_parts_and_thoughts_beside_the_text_are_read(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    endpoint.deltas = [{"reasoning": "Hm."}, {"content": [{"type": "text", "text": "At nine."}]}]
    assert await ask(catalog, site(1)) == "At nine."


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("max_tokens", "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
        ("temperature", "Unsupported value: 'temperature' does not support 0.2 with this model."),
        ("stream_options", "stream_options: Extra inputs are not permitted"),
        ("stream", "Your organization must be verified to stream this model."),
    ],
)
async def test_a_refused_parameter_is_learned_and_remembered(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer, parameter: str, message: str
) -> None:
    endpoint.refused_parameters = {parameter: message}
    for _ in range(2):
        assert await ask(catalog, site(1)) == "Hello from the model."
    assert [parameter in request for request in endpoint.requests] == [True, False, False]
    assert ("max_completion_tokens" in endpoint.requests[-1]) is (parameter == "max_tokens")


async def test_all_refused_parameters_are_learned_one_after_the_other(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    names = ("max_tokens", "max_completion_tokens", "temperature", "stream_options", "stream", "tools")
    endpoint.refused_parameters = {name: f"Unsupported parameter: '{name}'" for name in names}
    assert await ask(catalog, site(1)) == "Hello from the model."
    assert await ask(catalog, site(1)) == "Hello from the model."
    assert set(endpoint.requests[-1]) == {"model", "messages"}


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "registry.example/gemma:2b does not support tools"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
        (400, "Failed to call a function. Please adjust your prompt."),
        (404, "No endpoints found that support tool use."),
        (422, "body.tools: Extra inputs are not permitted"),
        (500, "tools param requires --jinja flag"),
    ],
)
async def test_a_model_without_tools_writes_the_marker(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer, status: int, message: str
) -> None:
    endpoint.refused_parameters, endpoint.refusal_status = {"tools": message}, status
    endpoint.deltas = [{"content": "[[NO ANSWER]]"}]
    for _ in range(2):
        assert await ask(catalog, site(1)) == NO_ANSWER
    first, last = endpoint.requests[0], endpoint.requests[-1]
    assert first["tools"][0]["function"]["name"] == "no_answer"
    assert "tools" not in last
    instructions = last["messages"][0]["content"]
    assert "[[NO ANSWER]]" in instructions
    assert "no_answer" not in instructions


async def test_a_failure_that_is_not_about_tools_is_reported(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    endpoint.status = 500
    with pytest.raises(AiEngineError) as failure:
        await ask(catalog, site(1))
    assert failure.value.code == "endpoint_failed"
    assert all("tools" in request for request in endpoint.requests)


async def test_a_model_without_a_system_role_gets_the_instructions_with_the_question(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer
) -> None:
    endpoint.refuses_system_role = True
    assert await ask(catalog, site(1)) == "Hello from the model."
    [message] = endpoint.requests[-1]["messages"]
    assert message["role"] == "user"
    assert message["content"].endswith("Hello?")


@pytest.mark.parametrize(
    ("status", "words", "code"),
    [(401, "refuses the API key", "key_refused"), (404, "does not know the model", "model_not_found")],
)
async def test_the_reason_of_a_failure_is_a_plain_sentence(
    catalog: AiEngineCatalog, endpoint: FakeOpenAIServer, status: int, words: str, code: str
) -> None:
    endpoint.status = status
    with pytest.raises(AiEngineError) as failure:
        await ask(catalog, site(1))
    assert words in failure.value.reason
    assert failure.value.code == code
    assert "sk-" not in failure.value.reason
