"""Errors about invitations. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import NotFound


class InvitationNotFound(NotFound):
    code = "invitation_not_found"
    default_message = "This invitation is not valid any more. Please ask for a new one."
