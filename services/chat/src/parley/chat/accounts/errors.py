"""Errors about accounts. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, Forbidden, NotFound, TooManyRequests


class OperatorNotFound(NotFound):
    code = "not_found"


class EmailTaken(Conflict):
    code = "email_taken"
    default_message = "There is already an account with this e-mail address."


class NotWithApiKey(Forbidden):
    code = "not_with_api_key"
    default_message = "This needs a login. It cannot be done with an API key."


class TeamChoiceRequired(Conflict):
    """The password fits accounts of several teams. `teams` is in the response's details."""

    code = "choose_team"
    default_message = "You have accounts in several teams. Please choose one."


class EditConflict(Conflict):
    """Another request changed the same document since it was read; nothing was written."""

    code = "changed_meanwhile"
    default_message = "This was changed by another request at the same time. Please try again."


class LoginDelayed(TooManyRequests):
    code = "login_slowed"
    default_message = "Too many failed attempts. Please wait a moment before the next one."


class LoginBlocked(TooManyRequests):
    code = "login_blocked"
    default_message = "Too many failed attempts. Logins are blocked for some minutes."
