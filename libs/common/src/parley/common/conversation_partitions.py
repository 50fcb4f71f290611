"""The partitions of conversations: work on one conversation goes to one replica, as long as that replica is there.

A visitor's partition follows from their session handle, and the id of a conversation carries the partition of its
visitor. So the gateway knows it from either. Partitions are an affinity, never an ownership: any replica may serve
anything at any time. Conversations from before ids had a partition keep their ids, and only miss the affinity.
"""

from __future__ import annotations

import zlib
from typing import Final

CONVERSATION_PARTITIONS: Final = 64
"""Part of every id: it never changes."""


def visitor_partition(session: str) -> int:
    """Return the partition of the visitor with this session handle."""
    return zlib.crc32(session.encode()) % CONVERSATION_PARTITIONS


def conversation_partition(conversation_id: int) -> int:
    """Return the partition that a conversation's id carries."""
    return conversation_id % CONVERSATION_PARTITIONS


def partitioned_id(number: int, session: str) -> int:
    """Return the id of a visitor's conversation, from the next number of the counter. Below 2^53 for 2^47 numbers."""
    return number * CONVERSATION_PARTITIONS + visitor_partition(session)
