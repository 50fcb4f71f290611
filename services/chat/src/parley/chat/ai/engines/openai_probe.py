"""Finds out what a chat completions endpoint can do with a model, by a handful of short requests.

The request for a reply goes through what the engine does for replies, so that what is learned from refusals is what the
engine needs. What an endpoint cannot do besides replying is no failure.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import httpx2
from openai import APIStatusError, OpenAIError
from openai.types.chat import ChatCompletion

from parley.chat.ai import timeouts
from parley.chat.ai.engines.openai_client import OpenAiClient, read_usage
from parley.chat.ai.engines.openai_dialect import Dialect, explain_failure
from parley.chat.ai.prompts import estimate_tokens
from parley.chat.sites.engine_check import CheckName, CheckStatus, CheckStep, EngineCheck
from parley.chat.sites.site_settings import SiteSettings
from parley.common.http.ssrf_guard import EndpointRejected

_REPLY_TOKENS = 200
_THINKING_TOKENS = 1000
"""For a model that has used the first limit without a word."""
_MODEL_NAME = re.compile(r"[A-Za-z0-9._:/-]{1,100}")
_MAX_MODELS = 5
_MAX_LISTED_BYTES = 4_000_000
_FAILURES = (EndpointRejected, OpenAIError, httpx2.HTTPError)
_CODES_OF_KEY = ("key_refused", "access_denied")
_CODES_OF_ENDPOINT = (
    "address_refused",
    "timeout",
    "tls_failed",
    "host_not_found",
    "unreachable",
    "redirected",
    "not_chat_endpoint",
)
_INSTRUCTIONS = "You check a connection. Answer with one short sentence."
_QUESTION = "Which colour has grass?"


@dataclass(slots=True)
class _Report:
    """What was found so far."""

    steps: list[CheckStep] = field(default_factory=list)
    tokens: int = 0
    models: Sequence[str] | None = None
    """The names that the endpoint lists; None if it lists none."""
    first_word_seconds: float | None = None

    def add(self, name: CheckName, status: CheckStatus, code: str, message: str) -> None:
        self.steps.append(CheckStep(name, status, code, message))

    def fail(self, exc: Exception) -> None:
        """Add the step that a failure of a request belongs to."""
        message, code = _explain(exc)
        name: CheckName = "reply"
        if code in _CODES_OF_ENDPOINT:
            name = "endpoint"
        elif code in _CODES_OF_KEY:
            name = "key"
        elif code == "model_not_found":
            name = "model"
        self.steps = [step for step in self.steps if step.name != name]
        self.add(name, "failed", code, message)

    @property
    def failed(self) -> bool:
        return any(step.status == "failed" for step in self.steps)


class OpenAiProbe:
    def __init__(self, client: OpenAiClient, site: SiteSettings, seconds: float) -> None:
        """`seconds`: how long the site waits for a reply."""
        self._client, self._site = client, site
        self._seconds = min(seconds, timeouts.CHECK_REPLY_TIMEOUT_SECONDS)
        self._report = _Report()

    async def run(self, at: datetime) -> EngineCheck:
        """Never raises for what the endpoint does."""
        report, model = self._report, self._client.find_model(self._site)
        try:
            async with asyncio.timeout(timeouts.CHECK_TIMEOUT_SECONDS):
                await self._list_models()
                if not report.failed:
                    await self._ask()
                if not report.failed:
                    await self._try_features()
        except TimeoutError:
            report.add("reply", "limited", "slow", "The check took too long; some of it was not done.")
        known = report.models or ()
        return EngineCheck(
            at=at,
            model=model[:100],
            steps=tuple(report.steps),
            first_word_seconds=report.first_word_seconds,
            tokens=report.tokens,
            known_models=tuple(_nearest(model, known)) if model not in known else (),
            dialect={} if report.failed else self._client.find_dialect(self._site).to_document(),
        )

    async def _list_models(self) -> None:
        """Whether the endpoint answers, takes the key, and lists the model. Not every endpoint lists its models."""
        report = self._report
        sdk = self._client.sdk.with_options(max_retries=0, timeout=timeouts.CHECK_LIST_TIMEOUT_SECONDS)
        try:
            response = await sdk.models.with_raw_response.list()
            listed = _read_model_names(response.text)
        except _FAILURES as exc:
            _, code = _explain(exc)
            if code in _CODES_OF_KEY or (code in _CODES_OF_ENDPOINT and code not in ("not_chat_endpoint", "timeout")):
                report.fail(exc)
                return
            listed = None
        report.models = listed

    async def _ask(self) -> None:
        """A reply as visitors get it: whether there is one, by which parameters, and how soon."""
        report = self._report
        try:
            reply = await self._stream_reply(_REPLY_TOKENS)
            if not reply.text and reply.finish_reason == "length":
                reply = await self._stream_reply(_THINKING_TOKENS)
        except _FAILURES as exc:
            report.fail(exc)
            if any(step.name == "key" for step in report.steps):
                report.steps.insert(0, _ENDPOINT_ANSWERS)
            return
        if reply.html:
            report.fail(_NotChatEndpoint())
            return
        report.steps += [_ENDPOINT_ANSWERS, CheckStep("key", "ok", "accepted", "The API key is accepted.")]
        self._add_model()
        if not reply.text:
            message = "The model answers without a text."
            report.add("reply", "failed", "empty_reply", message)
            return
        report.first_word_seconds = reply.first_word_seconds
        report.add("reply", "ok", "answered", "The model answers.")
        self._add_parameters(reply)

    def _add_model(self) -> None:
        model, models = self._client.find_model(self._site), self._report.models
        if models is None:
            self._report.add("model", "ok", "not_listed", "The endpoint lists no models, but takes this one.")
        elif model in models:
            self._report.add("model", "ok", "listed", "The endpoint has the model.")
        else:
            message = "The endpoint does not list this model, but answers with it: perhaps it uses another one."
            self._report.add("model", "limited", "other_model", message)

    def _add_parameters(self, reply: _Reply) -> None:
        report, dialect = self._report, self._client.find_dialect(self._site)
        if dialect == Dialect(dropped=dialect.dropped & {"stream", "stream_options", "tools"}):
            report.add("parameters", "ok", "accepted", "The model accepts the usual parameters.")
        else:
            report.add("parameters", "ok", "adapted", _describe_dialect(dialect))
        if "stream" in dialect.dropped:
            report.add(
                "streaming", "limited", "refused", "No streaming: visitors see the answer only when it is whole."
            )
        else:
            report.add("streaming", "ok", "streamed", "Answers appear word by word.")
        if reply.tokens is None:
            report.add("usage", "limited", "not_reported", "The endpoint does not report tokens: they are estimated.")
        else:
            report.add("usage", "ok", "reported", "The endpoint reports the tokens of an answer.")

    async def _stream_reply(self, max_tokens: int) -> _Reply:
        """Ask a question, as the engine does."""
        started, reply = time.monotonic(), _Reply()

        def build(dialect: Dialect) -> dict[str, Any]:
            return _build_parameters(dialect, max_tokens)

        response = await self._client.send(self._site, build, self._seconds, retry=False)
        if not isinstance(response, ChatCompletion):
            if isinstance(response, str):
                reply.html = True
                return reply
            content_type = response.response.headers.get("content-type", "").split(";")[0].strip().lower()
            reply.html = content_type == "text/html"
            if content_type == "application/json":
                # It ignores the wish for a stream.
                await response.close()
                dialect = self._client.find_dialect(self._site)
                self._client.remember(self._site, dialect.without("stream"))
                return await self._stream_reply(max_tokens)
            async with response:
                async for event in response:
                    reply.read(event, started)
        else:
            reply.read(response, started)
        self._report.tokens += reply.tokens if reply.tokens is not None else max_tokens
        return reply

    async def _try_features(self) -> None:
        """What a site may use besides plain answers, all at once."""
        features = [self._try_tools(), self._try_json(), self._try_images()]
        if self._site.ai.embedding_choice == "endpoint":
            features.append(self._try_embeddings())
        self._report.steps += await asyncio.gather(*features)

    async def _complete(self, messages: list[dict[str, Any]], **extra: Any) -> Any:
        """The message of a reply that is not streamed. Raises what the SDK raises."""

        def build(dialect: Dialect) -> dict[str, Any]:
            plain = _build_parameters(dialect.without("stream"), _REPLY_TOKENS)
            return {**plain, "messages": messages, **extra}

        seconds = timeouts.CHECK_FEATURE_TIMEOUT_SECONDS
        response = await self._client.send(self._site, build, seconds, retry=False)
        choice = (getattr(response, "choices", None) or [None])[0]
        if not isinstance(response, ChatCompletion) or getattr(choice, "message", None) is None:
            raise _NotChatEndpoint
        tokens = read_usage(response.usage)
        self._report.tokens += tokens.total if tokens else _REPLY_TOKENS
        return choice.message

    async def _try_tools(self) -> CheckStep:
        name: CheckName = "tools"
        tool = {
            "type": "function",
            "function": {
                "name": "get_opening_hours",
                "description": "The opening hours of the shop.",
                "parameters": {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]},
            },
        }
        messages = [{"role": "user", "content": "Call the function to find out when the shop opens on Monday."}]
        before = self._client.find_dialect(self._site)
        try:
            message = await self._complete(messages, tools=[tool])
        except _FAILURES as exc:
            return CheckStep(name, "limited", _explain(exc)[1], "The model cannot call functions.")
        if "tools" in self._client.find_dialect(self._site).dropped - before.dropped:
            return CheckStep(name, "limited", "refused", "The model cannot call functions.")
        if message.tool_calls:
            return CheckStep(name, "ok", "called", "The model calls functions.")
        return CheckStep(name, "limited", "not_called", "The endpoint accepts functions, but the model calls none.")

    async def _try_json(self) -> CheckStep:
        name: CheckName = "json"
        schema = {
            "type": "object",
            "properties": {"colour": {"type": "string"}},
            "required": ["colour"],
            "additionalProperties": False,
        }
        messages = [{"role": "user", "content": f'{_QUESTION} Answer as JSON: {{"colour": "…"}}'}]
        kinds = {
            "schema": {"type": "json_schema", "json_schema": {"name": "colour", "strict": True, "schema": schema}},
            "object": {"type": "json_object"},
        }
        for code, response_format in kinds.items():
            try:
                message = await self._complete(messages, response_format=response_format)
                if "colour" in json.loads(message.content or ""):
                    described = "by a schema" if code == "schema" else "without a schema"
                    return CheckStep(name, "ok", code, f"The model gives structured answers, {described}.")
            except (*_FAILURES, ValueError, TypeError):
                continue
        return CheckStep(name, "limited", "refused", "The model gives no structured answers.")

    async def _try_images(self) -> CheckStep:
        name: CheckName = "images"
        image = {"type": "image_url", "image_url": {"url": _RED_SQUARE, "detail": "low"}}
        text = {"type": "text", "text": "Which colour is this image? Answer with one English word."}
        try:
            message = await self._complete([{"role": "user", "content": [text, image]}])
        except _FAILURES as exc:
            return CheckStep(name, "limited", _explain(exc)[1], "The model does not take images.")
        if "red" in str(message.content or "").casefold():
            return CheckStep(name, "ok", "seen", "The model sees images.")
        return CheckStep(name, "limited", "not_seen", "The endpoint takes images, but the model does not see them.")

    async def _try_embeddings(self) -> CheckStep:
        name: CheckName = "embeddings"
        model = self._site.ai.embedding_model
        if not model:
            return CheckStep(name, "failed", "no_model", "No model for embeddings is named.")
        sdk = self._client.sdk.with_options(max_retries=0, timeout=timeouts.CHECK_FEATURE_TIMEOUT_SECONDS)
        try:
            response = await sdk.embeddings.create(model=model, input=[_QUESTION], encoding_format="float")
        except (*_FAILURES, ValueError) as exc:
            message, code = _explain(exc)
            return CheckStep(name, "failed", code, f"No embeddings: {message[0].lower()}{message[1:]}")
        usage = read_usage(response.usage)
        self._report.tokens += usage.total if usage is not None else estimate_tokens(_QUESTION)
        if not response.data or not response.data[0].embedding:
            return CheckStep(name, "failed", "no_embeddings", "The endpoint gave no embeddings.")
        dimensions = len(response.data[0].embedding)
        return CheckStep(name, "ok", "embedded", f"Embeddings with {dimensions} dimensions.")


@dataclass(slots=True)
class _Reply:
    text: str = ""
    finish_reason: str | None = None
    first_word_seconds: float | None = None
    tokens: int | None = None
    """As reported."""
    html: bool = False

    def read(self, event: Any, started: float) -> None:
        """Add what an event of a stream, or a whole reply, contains. The SDK does not validate what it parses."""
        usage = read_usage(event.usage)
        if usage is not None:
            self.tokens = usage.total
        for choice in event.choices or []:
            part = getattr(choice, "delta", None) or getattr(choice, "message", None)
            content = getattr(part, "content", None)
            self.finish_reason = choice.finish_reason or self.finish_reason
            if content and isinstance(content, str | list):
                self.text += str(content)
                self.first_word_seconds = self.first_word_seconds or round(time.monotonic() - started, 2)


class _NotChatEndpoint(OpenAIError):
    """The endpoint answered with something else than a reply."""


_ENDPOINT_ANSWERS = CheckStep("endpoint", "ok", "answers", "The endpoint answers.")
_NOT_CHAT = (
    "The address answers, but not as a chat completions endpoint: its address usually ends in /v1.",
    "not_chat_endpoint",
)


def _explain(exc: Exception) -> tuple[str, str]:
    """A sentence and its code, more exact than for a reply that fails."""
    if isinstance(exc, _NotChatEndpoint):
        return _NOT_CHAT
    if not isinstance(exc, APIStatusError):
        return explain_failure(exc)
    error = exc.body.get("error", exc.body) if isinstance(exc.body, dict) else None
    code = str(error.get("code") or error.get("type") or "") if isinstance(error, dict) else ""
    if exc.status_code == 429 and "quota" in code:
        return "The AI endpoint reports that the account's quota or credit is used up (status 429).", "quota_used_up"
    if "model" in code and "not_found" in code:
        return f"The AI endpoint does not know the model (status {exc.status_code}).", "model_not_found"
    if exc.status_code in (404, 405) and error is None:
        return _NOT_CHAT
    return explain_failure(exc)


def _read_model_names(text: str) -> list[str] | None:
    """The names of models that a list contains; None if it is none."""
    try:
        listed = json.loads(text[:_MAX_LISTED_BYTES])
        rows = listed.get("data") if isinstance(listed, dict) else None
    except ValueError:
        return None
    if not isinstance(rows, list):
        return None
    names = (row.get("id") for row in rows if isinstance(row, dict))
    return [name for name in names if isinstance(name, str) and _MODEL_NAME.fullmatch(name)] or None


def _nearest(model: str, names: Sequence[str]) -> list[str]:
    return get_close_matches(model, names, _MAX_MODELS, 0.3) or sorted(names)[:_MAX_MODELS]


def _describe_dialect(dialect: Dialect) -> str:
    parts = [f"without {name}" for name in sorted(dialect.dropped - {"stream", "stream_options", "tools"})]
    if dialect.max_tokens_name != Dialect().max_tokens_name:
        parts.append(f"with {dialect.max_tokens_name}")
    if not dialect.system_role:
        parts.append("without the role system")
    if dialect.alternating_turns:
        parts.append("with alternating turns")
    return f"The model is asked {', '.join(parts)}."


def _build_parameters(dialect: Dialect, max_tokens: int) -> dict[str, Any]:
    turns = [("user", _QUESTION)]
    return dialect.build_parameters(
        instructions=_INSTRUCTIONS, turns=turns, temperature=0.2, max_tokens=max_tokens, tools=False
    )


def _build_red_square(size: int = 32) -> str:
    """A PNG as a data URL."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = size.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 0))
    rows = (b"\0" + b"\xe0\x10\x10" * size) * size
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


_RED_SQUARE = _build_red_square()
