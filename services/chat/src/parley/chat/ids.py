"""The ports through which services get the ids of new documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

NextId = Callable[[], Awaitable[int]]
"""Returns an id that no other document of its kind has; ids grow, with gaps."""

NextConversationId = Callable[[str], Awaitable[int]]
"""Returns the id of a new conversation, which carries the partition of the visitor with this session handle.

Such an id may exist already, from before ids had a partition: then its insert fails, and the next one is taken.
"""
