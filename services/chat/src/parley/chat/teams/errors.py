"""Errors about teams. `code` is part of the API."""

from __future__ import annotations

from parley.common.errors import Conflict, NotFound

MAX_TEAMS = 200
"""Teams of one tenant."""


class TeamNotFound(NotFound):
    code = "not_found"


class TeamNameTaken(Conflict):
    code = "team_name_taken"
    default_message = "Another team already has this name."


class TooManyTeams(Conflict):
    code = "too_many_teams"
    default_message = f"There can be at most {MAX_TEAMS} teams."
