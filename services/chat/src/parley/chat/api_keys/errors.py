"""Errors about API keys. `code` is part of the API."""

from __future__ import annotations

from parley.chat.api_keys.model import MAX_KEYS_PER_OPERATOR
from parley.common.errors import Conflict, NotFound


class ApiKeyNotFound(NotFound):
    code = "not_found"


class TooManyApiKeys(Conflict):
    code = "too_many_api_keys"
    default_message = f"You already have {MAX_KEYS_PER_OPERATOR} API keys. Please revoke one first."
