"""The port through which services get the ids of new documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

NextId = Callable[[], Awaitable[int]]
"""Returns an id that no other document of its kind has; ids grow, with gaps."""
