"""Errors about visitors. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, Forbidden, NotFound


class VisitorNotFound(NotFound):
    code = "not_found"


class VisitorBeingErased(Conflict):
    """The visitor's data is being erased; until that is done, nothing new is accepted from the session."""

    code = "visitor_erased"
    default_message = "The data of this visitor is being erased. Please try again in a minute."


class VisitorIsBlocked(Forbidden):
    code = "visitor_blocked"
    default_message = "You cannot write here."


class VisitorIsOffline(Conflict):
    code = "visitor_offline"
    default_message = "This visitor is not online."


class NothingToRate(Conflict):
    code = "nothing_to_rate"
    default_message = "There is no conversation to rate yet."
