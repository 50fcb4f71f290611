"""Any endpoint that speaks OpenAI's chat completions, streaming, through the official client.

The request is bounded on both sides: how much goes in (the prompt is cut in the domain), how much may come out, how
long it may take to begin and to go on. The client's own retries are for the beginning only: once a word has been
passed on, a failure is told, never papered over by a second answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import httpx2
from openai import APIStatusError, AsyncOpenAI, OpenAIError
from openai.types.chat import ChatCompletionMessageParam

from parley.chat.ai.prompts import DOES_NOT_KNOW, conversation_so_far, instructions, tokens_in
from parley.chat.ai.ssrf_guard import Addresses, AddressRefused, PublicTransport
from parley.chat.conversations.ports import EngineFailed, Prompt, Verdict

_MOST_TOKENS = 1_000_000
"""That one answer may be said to have cost."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """How it is answered where a site has not chosen."""

    model: str
    temperature: float
    seconds: float
    answer_tokens: int


def public_client(addresses: Addresses) -> httpx2.AsyncClient:
    """What calls an endpoint that a site has named: no proxy, no redirects, nothing compressed."""
    return httpx2.AsyncClient(
        transport=PublicTransport(addresses),
        trust_env=False,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
    )


class OpenAiEngine:
    """An Engine over one endpoint with one key."""

    def __init__(
        self, defaults: Defaults, *, base_url: str | None, api_key: str, http: httpx2.AsyncClient | None = None
    ) -> None:
        self._defaults = defaults
        self._client = AsyncOpenAI(
            base_url=base_url, api_key=api_key, timeout=defaults.seconds, max_retries=1, http_client=http
        )

    async def answer(self, prompt: Prompt, verdict: Verdict) -> AsyncGenerator[str, None]:
        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": instructions(prompt)}]
        for role, content in conversation_so_far(prompt):
            if role == "user":
                messages.append({"role": "user", "content": content})
            else:
                messages.append({"role": "assistant", "content": content})
        verdict.tokens = sum(tokens_in(str(message.get("content", ""))) for message in messages)
        held = ""
        try:
            async with aclosing(self._pieces(prompt, verdict, messages)) as pieces:
                async for piece in pieces:
                    held += piece
                    # The word by which the model says that it does not know is for us, not for the visitor.
                    if held and not DOES_NOT_KNOW.startswith(held.strip()[: len(DOES_NOT_KNOW)]):
                        yield held.replace(DOES_NOT_KNOW, "")
                        held = ""
        except (AddressRefused, OpenAIError, httpx2.HTTPError) as exc:
            raise EngineFailed(_kind(exc)) from None
        if held.strip().startswith(DOES_NOT_KNOW):
            verdict.knew = False
            yield prompt.does_not_know
        elif held:
            yield held

    async def _pieces(
        self, prompt: Prompt, verdict: Verdict, messages: list[ChatCompletionMessageParam]
    ) -> AsyncGenerator[str, None]:
        chosen, default = prompt.site.ai, self._defaults
        stream = await self._client.chat.completions.create(
            model=prompt.site.model or default.model,
            messages=messages,
            temperature=default.temperature if chosen.temperature is None else chosen.temperature,
            max_tokens=chosen.answer_tokens or default.answer_tokens,
            stream=True,
            stream_options={"include_usage": True},
            timeout=chosen.seconds or default.seconds,
        )
        async with stream:
            async for chunk in stream:
                if chunk.usage is not None:
                    verdict.tokens = _cost(chunk.usage.total_tokens, verdict.tokens)
                for choice in chunk.choices[:1]:
                    yield choice.delta.content or ""

    async def close(self) -> None:
        await self._client.close()


def _cost(told: object, guessed: int) -> int:
    """What the endpoint says an answer has cost, where that can be: the client checks nothing of what it is told."""
    return told if isinstance(told, int) and 0 <= told <= _MOST_TOKENS else guessed


def _kind(problem: Exception) -> str:
    """What went wrong, without the words of the endpoint: one that refuses a key likes to quote it."""
    if isinstance(problem, APIStatusError):
        return f"{type(problem).__name__} {problem.status_code}"
    if isinstance(problem, AddressRefused):
        return f"AddressRefused {problem}"
    cause = problem.__cause__
    return type(problem).__name__ + (f" after {type(cause).__name__}" if cause is not None else "")
