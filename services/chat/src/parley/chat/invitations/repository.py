"""Invitations in MongoDB: inside the document of the operator who was invited, so that using one is one write."""

from __future__ import annotations

from parley.chat.accounts.repository import OPERATORS
from parley.common.mongodb import Index

INDEXES = [
    Index(
        OPERATORS,
        [("invitation.token_hash", 1)],
        {
            "name": "invitation",
            "unique": True,
            "partialFilterExpression": {"invitation.token_hash": {"$exists": True}},
        },
    )
]
