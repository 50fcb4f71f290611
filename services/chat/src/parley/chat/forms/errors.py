"""Errors about forms. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, ValidationFailed


class PrechatFormRequired(ValidationFailed):
    """The visitor begins a conversation and has not answered the site's form."""

    code = "prechat_form_required"
    default_message = "Please answer the form first."

    def __init__(self) -> None:
        super().__init__({"form": "must be answered first; GET /api/v1/chat/config has its questions"})


class FormIsOff(Conflict):
    code = "form_off"
    default_message = "This site does not use this form."
