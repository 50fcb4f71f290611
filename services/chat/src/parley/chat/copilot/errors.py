"""Errors of the copilot. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, Unavailable


class CopilotOff(Conflict):
    code = "copilot_off"
    default_message = "This site has no AI that can write. A manager can set one up in the site's chatbot settings."


class NothingToRead(Conflict):
    code = "conversation_empty"
    default_message = "Nothing has been said in this conversation yet."


class WritingFailed(Unavailable):
    """The site's AI gave no text; `reason` in the response is the code of the failure."""

    code = "ai_failed"
    default_message = "The AI did not answer. Please try again."

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message, reason=reason)
