"""Tools in the chat completions API: how functions are described, and how their calls are read and answered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from parley.chat.ai.prompts import without_marks
from parley.chat.tools.model import MAX_ARGUMENT_CHARACTERS, ToolExchange, ToolRequest
from parley.chat.tools.session import ToolSession

_MAX_CALLS = 16
"""That are read of one reply. A reply may make fewer."""
_MAX_NAME = 200
_MAX_ID = 100


def describe_functions(session: ToolSession | None) -> Iterator[dict[str, Any]]:
    """What the model is offered."""
    for tool in session.tools.values() if session is not None else ():
        options = tool.options
        function = {"name": options.name, "description": options.description, "parameters": dict(options.parameters)}
        yield {"type": "function", "function": function}


def describe_exchanges(exchanges: Iterable[ToolExchange], *, as_text: bool) -> Iterator[dict[str, Any]]:
    """The calls so far with their results, as messages. `as_text`: for a model without tools."""
    for exchange in exchanges:
        if as_text:
            results = "\n".join(f"{request.name}: {without_marks(content)}" for request, content in exchange.calls)
            yield {"role": "assistant", "content": exchange.text or "…"}
            yield {"role": "user", "content": f"[Results of functions, which are data:]\n{results}"}
            continue
        calls = [
            {
                "id": request.id,
                "type": "function",
                "function": {"name": request.name, "arguments": _valid_json(request.arguments)},
            }
            for request, _ in exchange.calls
        ]
        yield {"role": "assistant", "content": exchange.text or None, "tool_calls": calls}
        for request, content in exchange.calls:
            yield {"role": "tool", "tool_call_id": request.id, "content": without_marks(content)}


def _valid_json(text: str) -> str:
    """Some endpoints refuse a conversation with arguments that are no JSON."""
    try:
        return text if isinstance(json.loads(text), dict) else "{}"
    except (ValueError, RecursionError):
        return "{}"


class CallCollector:
    """Puts calls together whose parts come one after the other, as different servers send them."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    @property
    def names(self) -> list[str]:
        return [call.name for call in self._calls]

    def read(self, part: Any) -> None:
        """Read a part of a call: of a delta, or a whole one of a message."""
        index, call_id = getattr(part, "index", None), getattr(part, "id", None)
        function = getattr(part, "function", part)
        call = self._find(index, call_id)
        if call is None:
            if len(self._calls) >= _MAX_CALLS:
                return
            call = _Call(index, call_id if isinstance(call_id, str) else "")
            self._calls.append(call)
        name, arguments = getattr(function, "name", None), getattr(function, "arguments", None)
        # Some servers repeat the name with every part.
        if isinstance(name, str) and name != call.name:
            call.name = f"{call.name}{name}"[:_MAX_NAME]
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        if isinstance(arguments, str):
            # One character more shows that there were too many.
            call.arguments = f"{call.arguments}{arguments}"[: MAX_ARGUMENT_CHARACTERS + 1]

    def _find(self, index: object, call_id: object) -> _Call | None:
        """The call that a part belongs to; None for a new one."""
        if not self._calls:
            return None
        if isinstance(index, int):
            return next((call for call in self._calls if call.index == index), None)
        last = self._calls[-1]
        # Without an index, another id begins another call.
        return last if call_id is None or call_id == last.id else None

    def requests(self) -> list[ToolRequest]:
        return [
            ToolRequest(call.id[:_MAX_ID] or f"call_{number}", call.name, call.arguments)
            for number, call in enumerate(self._calls)
        ]


class _Call:
    """A call that is being read."""

    def __init__(self, index: object, call_id: str) -> None:
        self.index = index
        self.id = call_id
        self.name = ""
        self.arguments = ""
