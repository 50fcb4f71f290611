"""Errors of logging in. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Unauthenticated


class InvalidCredentials(Unauthenticated):
    code = "bad_credentials"
    default_message = "The e-mail address or the password is wrong."


class InvalidRefreshToken(Unauthenticated):
    code = "bad_refresh_token"
    default_message = "This session has ended. Please log in again."


class OperatorSuspended(Unauthenticated):
    """Raised only after the password was verified, so that it does not reveal which accounts exist."""

    code = "operator_suspended"
    default_message = "This account is suspended."
