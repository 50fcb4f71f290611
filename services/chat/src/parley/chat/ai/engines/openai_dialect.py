"""What an endpoint or a model does not accept of the chat completions API, as learned from its refusals.

Models differ in what they take: some only `max_completion_tokens`, only their own temperature, no system message, no
streaming, no tools. None says so in advance, so the refusal is read.
"""

from __future__ import annotations

import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from openai import APIConnectionError, APIStatusError, APITimeoutError

from parley.chat.ai.engines.openai_tools import describe_exchanges, describe_functions
from parley.chat.ai.prompts import NO_ANSWER_TOOL
from parley.chat.tools.session import ToolSession
from parley.common.http.ssrf_guard import EndpointRejected

_PARAMETER_NAME = re.compile(r"[a-z_.\[\]0-9]{1,40}")

MAX_TOKENS_NAMES = ("max_tokens", "max_completion_tokens")
_DROPPABLE = ("temperature", "stream_options", "stream", "tools")
REFUSED_PARAMETER_STATUSES = (400, 422)
TOOLS_REFUSED_STATUSES = (404, 405, 500, 501)
"""Servers without tools say so with these as well."""
_MAX_SEARCHED_CHARACTERS = 1000
_UNCERTAIN = re.compile(r"""[`'"]?(max_completion_tokens|max_tokens|temperature|stream_options|stream)\b""")
_ABOUT_TOOLS = re.compile(r"tool|function[ _-]?(?:call|declaration)|call a function|\bfunctions\b")

_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": NO_ANSWER_TOOL,
            "description": "Report that the question cannot be answered from the information that was given.",
            # Some endpoints refuse a function without a parameter.
            "parameters": {
                "type": "object",
                "properties": {"topic": {"type": "string", "description": "What it is about, in three words."}},
                "required": ["topic"],
            },
        },
    }
]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How requests to one model differ from the usual ones."""

    dropped: frozenset[str] = frozenset()
    max_tokens_name: str = MAX_TOKENS_NAMES[0]
    system_role: bool = True
    alternating_turns: bool = False

    @property
    def tools(self) -> bool:
        return "tools" not in self.dropped

    def without(self, parameter: str) -> Dialect:
        return replace(self, dropped=self.dropped | {parameter})

    def to_document(self) -> dict[str, Any]:
        return {**asdict(self), "dropped": sorted(self.dropped)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Dialect:
        """What was learned; names that this version does not know are ignored."""
        known = {name: document[name] for name in cls.__dataclass_fields__ if name in document}
        return cls(**known | ({"dropped": frozenset(known["dropped"])} if "dropped" in known else {}))

    def build_parameters(
        self,
        *,
        instructions: str,
        turns: Sequence[tuple[str, str]],
        temperature: float,
        max_tokens: int,
        tools: bool,
        session: ToolSession | None = None,
        images: Sequence[bytes] = (),
    ) -> dict[str, Any]:
        """`tools`: the model is offered the function for questions without an answer, and those of the session.

        `images`: JPEGs that belong to the last turn of the user.
        """
        parameters: dict[str, Any] = {
            "temperature": temperature,
            self.max_tokens_name: max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if tools:
            parameters["tools"] = [*_TOOLS, *describe_functions(session)]
            if session is not None and session.is_exhausted and session.tools:
                parameters["tool_choice"] = "none"
        if not self.tools:
            parameters.pop("tool_choice", None)
        if "stream" in self.dropped:
            del parameters["stream_options"]
        parameters = {name: value for name, value in parameters.items() if name not in self.dropped}
        messages = [("system" if self.system_role else "user", instructions), *turns]
        parameters["messages"] = [
            {"role": role, "content": content} for role, content in (_merged(messages) if self._merges else messages)
        ]
        if images:
            _attach(parameters["messages"], images)
        if session is not None:
            parameters["messages"] += describe_exchanges(session.exchanges, as_text=not self.tools)
        return parameters

    @property
    def _merges(self) -> bool:
        return self.alternating_turns or not self.system_role


def _attach(messages: list[dict[str, Any]], images: Sequence[bytes]) -> None:
    last = next((message for message in reversed(messages) if message["role"] == "user"), None)
    if last is not None:
        urls = [f"data:image/jpeg;base64,{b64encode(image).decode()}" for image in images]
        parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        last["content"] = [{"type": "text", "text": last["content"]}, *parts]


def _merged(turns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Turns with those of the same role in a row made one."""
    merged: list[tuple[str, str]] = []
    for role, content in turns:
        if merged and merged[-1][0] == role:
            merged[-1] = (role, f"{merged[-1][1]}\n\n{content}")
        else:
            merged.append((role, content))
    return merged


def learn_from_refusal(dialect: Dialect, status: int, body: object, sent: Mapping[str, Any]) -> Dialect | None:
    """The dialect that avoids what was refused; None if the refusal is about something else."""
    error = body.get("error", body) if isinstance(body, Mapping) else {"message": str(body or "")}
    if not isinstance(error, Mapping):
        error = {"message": str(error)}
    message = str(error.get("message") or error.get("detail") or body)[:_MAX_SEARCHED_CHARACTERS]
    named = str(error.get("param") or "")
    lowered = f"{message} {error.get('code') or ''}".casefold()
    if status not in REFUSED_PARAMETER_STATUSES:
        return _without_tools(dialect) if _ABOUT_TOOLS.search(lowered) else None
    if dialect.system_role and "system" in lowered and "role" in f"{lowered} {named}":
        return replace(dialect, system_role=False)
    if not dialect.alternating_turns and "alternat" in lowered:
        return replace(dialect, alternating_turns=True)
    # The message may name the right parameter as well: "'max_tokens' is not supported, use 'max_completion_tokens'".
    for name in [named, *(match[1] for match in _UNCERTAIN.finditer(message))]:
        if name not in sent:
            continue
        if name in MAX_TOKENS_NAMES:
            other = MAX_TOKENS_NAMES[1 - MAX_TOKENS_NAMES.index(name)]
            if name == MAX_TOKENS_NAMES[0]:
                return replace(dialect, max_tokens_name=other)
            return replace(dialect, dropped=dialect.dropped | {name})
        if name in _DROPPABLE:
            return replace(dialect, dropped=dialect.dropped | {name})
    return _without_tools(dialect) if _ABOUT_TOOLS.search(f"{lowered} {named.casefold()}") else None


def _without_tools(dialect: Dialect) -> Dialect | None:
    return replace(dialect, dropped=dialect.dropped | {"tools"}) if dialect.tools else None


_STATUS_REASONS = {
    400: ("request_refused", "does not accept the request"),
    401: ("key_refused", "refuses the API key"),
    402: ("payment_required", "asks for payment: the account has no credit"),
    403: ("access_denied", "does not allow this API key to use the model"),
    404: ("model_not_found", "does not know the model, or the endpoint is wrong"),
    413: ("request_too_long", "finds the request too long"),
    422: ("request_refused", "does not accept the request"),
    429: ("rate_limited", "reports that its rate limit or quota is used up"),
}


def explain_failure(exc: Exception) -> tuple[str, str]:
    """Why an endpoint did not answer: a sentence for the site's owner, and its code.

    Without the endpoint's own words, which may quote the key.
    """
    if isinstance(exc, APIStatusError):
        code, reason = _STATUS_REASONS.get(exc.status_code, ("endpoint_failed", "reports a failure of its own"))
        if 300 <= exc.status_code < 400:
            code, reason = "redirected", "sends to another address, which is not followed"
        parameter = _refused_parameter(exc.body)
        about = f" because of the parameter {parameter}" if parameter else ""
        return f"The AI endpoint {reason}{about} (status {exc.status_code}).", code
    causes = list(_causes(exc))
    if any(isinstance(cause, EndpointRejected) for cause in causes):
        return "The AI endpoint is not on the public internet.", "address_refused"
    if isinstance(exc, APITimeoutError):
        return "The AI endpoint did not answer in time.", "timeout"
    if isinstance(exc, APIConnectionError):
        if any(isinstance(cause, ssl.SSLError) or "SSL" in str(cause) for cause in causes):
            return "No secure connection to the AI endpoint: its certificate or TLS version is refused.", "tls_failed"
        if any(isinstance(cause, socket.gaierror) or "could not be resolved" in str(cause) for cause in causes):
            return "The host of the AI endpoint cannot be found: its name has no address.", "host_not_found"
        return "The AI endpoint cannot be reached.", "unreachable"
    return "The AI endpoint broke off its answer.", "broken_off"


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised for."""
    following: BaseException | None = exc
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__


def _refused_parameter(body: object) -> str | None:
    error = body.get("error", body) if isinstance(body, Mapping) else None
    parameter = error.get("param") if isinstance(error, Mapping) else None
    return parameter if isinstance(parameter, str) and _PARAMETER_NAME.fullmatch(parameter) else None
