"""Bulk actions in MongoDB: kept for some minutes, so that they can be undone."""

from __future__ import annotations

from datetime import datetime

from parley.chat.bulk_actions.errors import BulkActionNotFound
from parley.chat.bulk_actions.model import BulkAction, UndoStep
from parley.chat.conversations.model import Assignment
from parley.chat.messages.mappers import operator_ref_document, to_operator_ref
from parley.common.mongodb import Document, Index, Mongo

COLLECTION = "bulk_actions"

INDEXES = [Index(COLLECTION, [("expires_at", 1)], {"name": "expired", "expireAfterSeconds": 0})]


class MongoBulkActionRepository:
    """A BulkActionRepository."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def add(self, action: BulkAction, expires_at: datetime) -> None:
        await self._mongo[COLLECTION].insert_one(
            {
                "_id": action.id,
                "tenant_id": action.tenant_id,
                "operator_id": action.operator_id,
                "action": action.action,
                "at": action.at,
                "steps": [_step_document(step) for step in action.steps],
                "expires_at": expires_at,
            }
        )

    async def get(self, tenant_id: int, operator_id: int, action_id: int) -> BulkAction:
        query = {"_id": action_id, "tenant_id": tenant_id, "operator_id": operator_id}
        document = await self._mongo[COLLECTION].find_one(query)
        if document is None:
            raise BulkActionNotFound
        steps = tuple(map(_to_step, document["steps"]))
        return BulkAction(action_id, tenant_id, operator_id, document["action"], document["at"], steps)


def _step_document(step: UndoStep) -> Document:
    assignment = step.assignment
    return {
        "conversation_id": step.conversation_id,
        "generation": step.generation,
        "assignment": assignment
        and {
            "mode": assignment.mode,
            "operator": operator_ref_document(assignment.operator),
            "waiting_since": assignment.waiting_since,
            "snoozed_until": assignment.snoozed_until,
            "team_id": assignment.team_id,
        },
        "added_labels": list(step.added_labels),
        "removed_labels": list(step.removed_labels),
        "snoozed_until": step.snoozed_until,
        "snoozed_until_before": step.snoozed_until_before,
    }


def _to_step(document: Document) -> UndoStep:
    stored = document["assignment"]
    assignment = stored and Assignment(
        stored["mode"],
        to_operator_ref(stored["operator"]),
        stored["waiting_since"],
        stored["snoozed_until"],
        stored["team_id"],
    )
    return UndoStep(
        document["conversation_id"],
        document["generation"],
        assignment,
        tuple(document["added_labels"]),
        tuple(document["removed_labels"]),
        document["snoozed_until"],
        document["snoozed_until_before"],
    )
