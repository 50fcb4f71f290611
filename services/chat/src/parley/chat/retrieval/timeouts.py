"""Timeouts of retrieval, in seconds."""

from __future__ import annotations

from typing import Final

SEARCH_TIMEOUT_SECONDS: Final = 10.0
"""For one search in the worker, without waiting for its turn. The model is loaded in it once."""
LOAD_TIMEOUT_SECONDS: Final = 60.0
"""To send an index of the largest site to the worker."""
EMBED_TIMEOUT_SECONDS: Final = 30.0
"""For the passages that are embedded together, and for a request to an endpoint."""
RELOAD_AFTER_SECONDS: Final = 300.0
"""An index is built again after this time: code of the version before changes entries without a new version."""
