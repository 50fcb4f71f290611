"""Any endpoint that speaks OpenAI's chat completions, streaming, through the official client.

The request is bounded on both sides: how much goes in (the prompt is cut in the domain), how much may come out, how
long it may take to begin and to go on. The client's own retries are for the beginning only: once a word has been
passed on, a failure is told, never papered over by a second answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from parley.chat.domain.ports import Prompt, Verdict
from parley.chat.domain.prompts import DOES_NOT_KNOW, conversation_so_far, instructions, tokens_in


class OpenAiEngine:
    """An Engine over a chat completions endpoint."""

    def __init__(
        self,
        *,
        base_url: str | None,
        api_key: str,
        model: str,
        temperature: float,
        timeout: float,
        most_tokens: int,
    ) -> None:
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key,
            timeout=timeout,
            max_retries=1,
        )
        self._model = model
        self._temperature = temperature
        self._most_tokens = most_tokens

    async def answer(self, prompt: Prompt, verdict: Verdict) -> AsyncIterator[str]:
        messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": instructions(prompt)}]
        for role, content in conversation_so_far(prompt):
            if role == "user":
                messages.append({"role": "user", "content": content})
            else:
                messages.append({"role": "assistant", "content": content})
        verdict.tokens = sum(tokens_in(str(message.get("content", ""))) for message in messages)
        stream = await self._client.chat.completions.create(
            model=prompt.site.model or self._model,
            messages=messages,
            temperature=self._temperature,
            max_tokens=self._most_tokens,
            stream=True,
            stream_options={"include_usage": True},
        )
        held = ""
        async with stream:
            async for chunk in stream:
                if chunk.usage is not None:
                    verdict.tokens = chunk.usage.total_tokens
                for choice in chunk.choices[:1]:
                    held += choice.delta.content or ""
                # The word by which the model says that it does not know is for us, not for the visitor.
                if held and not DOES_NOT_KNOW.startswith(held.strip()[: len(DOES_NOT_KNOW)]):
                    yield held.replace(DOES_NOT_KNOW, "")
                    held = ""
        if held.strip().startswith(DOES_NOT_KNOW):
            verdict.knew = False
            yield prompt.does_not_know
        elif held:
            yield held

    async def close(self) -> None:
        await self._client.close()
