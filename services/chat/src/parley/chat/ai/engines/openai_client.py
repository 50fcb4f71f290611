"""One endpoint with OpenAI's chat completions API and one key, streamed with the official SDK.

Requests are bounded on both sides: the length of the prompt, the length of the reply, and the time to its start and
between its chunks. The SDK retries the start only: after the first chunk a failure is reported, as a second answer
could contradict the first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx2
from openai import APIStatusError, AsyncOpenAI, OpenAIError
from openai.types.chat import ChatCompletionMessageParam

from parley.chat.ai.engine import AiEngineError
from parley.chat.ai.model import Prompt, ReplyMetadata
from parley.chat.ai.prompts import UNKNOWN_MARKER, build_instructions, build_turns, estimate_tokens
from parley.chat.ai.ssrf_guard import EndpointRejected

_MAX_REPORTED_TOKENS = 1_000_000
"""Per reply; an endpoint that reports more is not believed."""


@dataclass(frozen=True, slots=True)
class OpenAiDefaults:
    """The installation's values, for what a site does not set itself."""

    model: str
    temperature: float
    idle_timeout_seconds: float
    """To the reply's start, and between its chunks."""
    max_reply_tokens: int


class OpenAiClient:
    def __init__(
        self, defaults: OpenAiDefaults, *, base_url: str | None, api_key: str, http: httpx2.AsyncClient | None = None
    ) -> None:
        self._defaults = defaults
        self._sdk = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            timeout=defaults.idle_timeout_seconds,
            max_retries=1,
            http_client=http,
        )

    async def answer(self, prompt: Prompt, metadata: ReplyMetadata) -> AsyncGenerator[str, None]:
        """Yield the reply in chunks. Raises AiEngineError."""
        messages = _build_messages(prompt)
        metadata.tokens = sum(estimate_tokens(str(message.get("content", ""))) for message in messages)
        held_back = ""
        try:
            async with aclosing(self._stream(prompt, metadata, messages)) as chunks:
                async for chunk in chunks:
                    held_back += chunk
                    # The marker by which the model says that it has no answer must not reach the visitor.
                    if held_back and not UNKNOWN_MARKER.startswith(held_back.strip()[: len(UNKNOWN_MARKER)]):
                        yield held_back.replace(UNKNOWN_MARKER, "")
                        held_back = ""
        except (EndpointRejected, OpenAIError, httpx2.HTTPError) as exc:
            raise AiEngineError(_describe(exc)) from None
        if held_back.strip().startswith(UNKNOWN_MARKER):
            metadata.knew_answer = False
            yield prompt.fallback_text
        elif held_back:
            yield held_back

    async def _stream(
        self, prompt: Prompt, metadata: ReplyMetadata, messages: list[ChatCompletionMessageParam]
    ) -> AsyncGenerator[str, None]:
        site_ai, defaults = prompt.site.ai, self._defaults
        stream = await self._sdk.chat.completions.create(
            model=prompt.site.model or defaults.model,
            messages=messages,
            temperature=defaults.temperature if site_ai.temperature is None else site_ai.temperature,
            max_tokens=site_ai.answer_tokens or defaults.max_reply_tokens,
            stream=True,
            stream_options={"include_usage": True},
            timeout=site_ai.seconds or defaults.idle_timeout_seconds,
        )
        async with stream:
            async for event in stream:
                if event.usage is not None:
                    metadata.tokens = _check_reported_tokens(event.usage.total_tokens, metadata.tokens)
                for choice in event.choices[:1]:
                    yield choice.delta.content or ""

    async def close(self) -> None:
        await self._sdk.close()


def _build_messages(prompt: Prompt) -> list[ChatCompletionMessageParam]:
    messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": build_instructions(prompt)}]
    for role, content in build_turns(prompt):
        if role == "user":
            messages.append({"role": "user", "content": content})
        else:
            messages.append({"role": "assistant", "content": content})
    return messages


def _check_reported_tokens(reported: object, estimated: int) -> int:
    """The tokens that the endpoint reports, if they are plausible: the SDK does not validate them."""
    return reported if isinstance(reported, int) and 0 <= reported <= _MAX_REPORTED_TOKENS else estimated


def _describe(exc: Exception) -> str:
    """The kind of a failure, without the endpoint's own words: they may quote the key that it refuses."""
    if isinstance(exc, APIStatusError):
        return f"{type(exc).__name__} {exc.status_code}"
    if isinstance(exc, EndpointRejected):
        return f"{type(exc).__name__} {exc}"
    cause = exc.__cause__
    return type(exc).__name__ + (f" after {type(cause).__name__}" if cause is not None else "")
