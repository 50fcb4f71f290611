"""The tools of one reply: which ones the model may call, what it calls, and what the visitor is asked about.

A model decides nothing here that matters: who the visitor is comes from the conversation, what changes something waits
for the visitor's consent, and nothing is called once an operator has taken over.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from parley.chat import metrics
from parley.chat.conversations.model import Conversation
from parley.chat.timeouts import CONSENT_LIFETIME
from parley.chat.tools.model import (
    MAX_CALLS_PER_REPLY,
    OfferedTool,
    PendingCall,
    ToolExchange,
    ToolRequest,
    ToolResponse,
    VerifiedVisitor,
)
from parley.chat.tools.parameters import parse_arguments
from parley.chat.tools.ports import CallTool, ToolRepository, ToolSource
from parley.common.events.schemas import ToolCallSchema
from parley.common.runtime.clock import Clock
from parley.common.texts import clean_text

_MAX_RECORDED_ARGUMENTS = 1500
_MAX_RECORDED_RESULT = 2000
MAX_ASKED_CHARACTERS = 1500
"""Of the arguments of a call that the visitor is asked about: they read all of them."""


class ReplyFenced(Exception):
    """Somebody else answers in the conversation by now."""


@dataclass(slots=True)
class ToolSession:
    """The tools of one reply, and what was called for it."""

    conversation: Conversation
    tools: Mapping[str, OfferedTool]
    """Those that the model may call, by name."""
    locked: Sequence[OfferedTool]
    """Those that it could call if the visitor were identified."""
    is_current: Callable[[], Awaitable[bool]]
    """Whether the AI still answers."""
    clock: Clock
    key: str
    """Identifies the reply: a call that is repeated for it has the same idempotency key."""
    exchanges: list[ToolExchange] = field(default_factory=list)
    """What the model reads of the calls so far."""
    records: list[ToolCallSchema] = field(default_factory=list)
    """What operators read of them."""
    asked: PendingCall | None = None
    """The call that the visitor is asked about: it ends the reply."""
    _calls: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that a model needs to know."""
        return not (self.tools or self.locked or self.exchanges)

    @property
    def is_exhausted(self) -> bool:
        """Whether this reply has made all the calls that it may make."""
        return self._calls >= MAX_CALLS_PER_REPLY

    async def run(self, text: str, requests: Sequence[ToolRequest]) -> bool:
        """Carry out what the model asks for in addition to a text.

        False if the visitor is asked first, which ends the reply.

        Raises ReplyFenced.
        """
        if not await self.is_current():
            raise ReplyFenced
        for request in requests:
            tool = self.tools.get(request.name)
            if tool is not None and tool.options.writes and self._ask(tool, request):
                return False
        admitted = requests[: MAX_CALLS_PER_REPLY - self._calls]
        first = self._calls
        self._calls += len(requests)
        responses = await asyncio.gather(
            *(self._run_one(request, f"{self.key}-{first + number}") for number, request in enumerate(admitted))
        )
        refused = [_error("limit_reached", "Too many calls in one reply.")] * (len(requests) - len(admitted))
        answered = list(zip(requests, (*responses, *refused), strict=True))
        for request, response in answered:
            self._record(request, response)
        self.exchanges.append(ToolExchange(text, [(request, response.content) for request, response in answered]))
        return True

    async def carry_out(self, pending: PendingCall, *, is_first: bool) -> bool:
        """Carry out the call that the visitor has agreed to, unless another replica has begun to. Whether it worked."""
        request = ToolRequest(pending.id, pending.name, pending.arguments)
        tool = next((tool for tool in self.tools.values() if tool.id == pending.tool_id), None)
        if not is_first:
            # The reply was resumed, or the visitor has become another person meanwhile.
            response = _error("interrupted", "It is not known whether this was carried out. A person has to look.")
        elif tool is None or tool.updated_at != pending.tool_updated_at:
            response = _error("unknown_tool", "This function has changed or is not available any more.")
        else:
            response = await self._call_checked(tool, request, pending.id)
        self._calls += 1
        self._record(request, response, pending.title)
        self.exchanges.append(ToolExchange("", [(request, response.content)]))
        return response.outcome == "ok"

    async def _run_one(self, request: ToolRequest, key: str) -> ToolResponse:
        tool = self.tools.get(request.name)
        if tool is None:
            return _error("unknown_tool", "There is no such function.")
        if tool.options.writes:
            return _error("invalid_arguments", self._find_asking_fault(tool, request) or "Ask the visitor first.")
        return await self._call_checked(tool, request, key)

    async def _call_checked(self, tool: OfferedTool, request: ToolRequest, key: str) -> ToolResponse:
        arguments = parse_arguments(tool.options.parameters, request.arguments)
        if isinstance(arguments, str):
            return _error("invalid_arguments", arguments)
        return await tool.call(arguments, verified_visitor(self.conversation), key)

    def _ask(self, tool: OfferedTool, request: ToolRequest) -> bool:
        """Ask the visitor about a call; False if it cannot be asked about."""
        if self.is_exhausted or self._find_asking_fault(tool, request) is not None:
            return False
        self._record(request, ToolResponse("asked", ""))
        self.asked = PendingCall(
            secrets.token_hex(16),
            tool.id,
            tool.updated_at,
            tool.options.name,
            tool.options.title,
            request.arguments,
            self.conversation.generation,
            self.clock() + CONSENT_LIFETIME,
        )
        return True

    def _find_asking_fault(self, tool: OfferedTool, request: ToolRequest) -> str | None:
        if len(request.arguments) > MAX_ASKED_CHARACTERS:
            return "The arguments are too long for the visitor to read."
        arguments = parse_arguments(tool.options.parameters, request.arguments)
        return arguments if isinstance(arguments, str) else None

    def describe_asked(self) -> list[tuple[str, str]]:
        """The arguments of the call that the visitor is asked about, with their names: all of them, as they are."""
        assert self.asked is not None
        properties = self.tools[self.asked.name].options.parameters.get("properties", {})
        arguments: dict[str, Any] = json.loads(self.asked.arguments or "{}")
        return [(_label(name, properties.get(name)), _show(value)) for name, value in arguments.items()]

    def _record(self, request: ToolRequest, response: ToolResponse, title: str | None = None) -> None:
        tool = self.tools.get(request.name)
        metrics.TOOL_CALLS.labels(tool.source if tool else "none", response.outcome).inc()
        self.records.append(
            ToolCallSchema(
                name=clean_text(request.name)[:64],
                title=title or (tool.options.title if tool else clean_text(request.name)[:64]),
                arguments=clean_text(request.arguments)[:_MAX_RECORDED_ARGUMENTS],
                result=clean_text(response.content)[:_MAX_RECORDED_RESULT],
                outcome=response.outcome,
                seconds=round(response.seconds, 3),
            )
        )


@dataclass(frozen=True, slots=True)
class HttpToolSource:
    """A ToolSource: the tools that a site has described, which are called by HTTP."""

    tools: ToolRepository
    call: CallTool

    async def list_offered(self, tenant_id: int, site_id: int) -> list[OfferedTool]:
        tools = await self.tools.list_for_site(tenant_id, site_id)
        return [
            OfferedTool("http", tool.id, tool.options, tool.updated_at, partial(self.call, tool))
            for tool in tools
            if tool.options.enabled
        ]


@dataclass(frozen=True, slots=True)
class ToolSessions:
    """Opens the tools of a reply."""

    sources: Sequence[ToolSource]
    clock: Clock

    async def open(
        self, conversation: Conversation, seq: int, is_current: Callable[[], Awaitable[bool]]
    ) -> ToolSession:
        """The tools for the reply to message `seq`: those of the site that are on."""
        offered = await asyncio.gather(
            *(source.list_offered(conversation.tenant_id, conversation.site_id) for source in self.sources)
        )
        enabled = [tool for tools in offered for tool in tools]
        is_identified = verified_visitor(conversation) is not None
        usable = {tool.options.name: tool for tool in enabled if is_identified or not tool.options.identified_only}
        return ToolSession(
            conversation,
            usable,
            [tool for tool in enabled if tool.options.name not in usable],
            is_current,
            self.clock,
            f"reply-{conversation.id}-{seq}-{conversation.generation}",
        )


def verified_visitor(conversation: Conversation) -> VerifiedVisitor | None:
    """Whom the site has proved the visitor to be. What visitors or operators have entered is no proof."""
    visitor = conversation.visitor
    if visitor.external_id is None:
        return None
    return VerifiedVisitor(visitor.external_id, visitor.proved.get("email"))


def _error(outcome: Any, reason: str) -> ToolResponse:
    return ToolResponse(outcome, json.dumps({"error": reason}))


def _label(name: str, described: object) -> str:
    title = described.get("title") if isinstance(described, Mapping) else None
    return title if isinstance(title, str) and title else name.replace("_", " ")


def _show(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(clean_text(text).replace("`", "'").split())
