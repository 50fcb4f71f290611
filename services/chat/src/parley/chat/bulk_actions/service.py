"""Use cases of bulk actions: do one thing to many conversations, each by itself, and undo it.

Each conversation has a result of its own: what one of them refuses does not keep the others from changing. What was
done is stored with what it changed, and undone only where nobody has changed the same since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from parley.chat.bulk_actions.changes import ConversationChanges
from parley.chat.bulk_actions.errors import UndoExpired
from parley.chat.bulk_actions.model import (
    BulkAction,
    BulkOutcome,
    BulkRequest,
    ConversationResult,
    UndoStep,
)
from parley.chat.bulk_actions.ports import BulkActionRepository
from parley.chat.conversations.service import Changed
from parley.chat.ids import NextId
from parley.chat.timeouts import UNDO_KEPT_FOR, UNDO_WINDOW
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import Forbidden, ParleyError, Unavailable, ValidationFailed
from parley.common.observability.logging import get_logger
from parley.common.runtime.clock import Clock

log = get_logger(__name__)

_CONCURRENT_CHANGES = 32


@dataclass(frozen=True, slots=True)
class BulkActionService:
    changes: ConversationChanges
    actions: BulkActionRepository
    next_id: NextId
    clock: Clock

    async def perform(self, caller: OperatorCaller, request: BulkRequest) -> BulkOutcome:
        """Do something to many conversations; each is authorized and answered by itself.

        Raises Forbidden without the permission on any site, ValidationFailed, and NotFound for an unknown operator.
        """
        if not caller.site_ids and not caller.owner:
            raise Forbidden
        change = await self._build_change(caller, request)
        steps: dict[int, UndoStep] = {}

        async def apply(conversation_id: int) -> None:
            changed = await change(conversation_id)
            if changed.anything:
                steps[conversation_id] = UndoStep.between(changed.before, changed.after)

        at = self.clock()
        ids = list(dict.fromkeys(request.conversation_ids))
        results = await _for_each(ids, apply)
        if not steps:
            return BulkOutcome(None, results)
        # In the order of the request, as the results are; they were done in any order.
        ordered = tuple(steps[conversation_id] for conversation_id in ids if conversation_id in steps)
        action = BulkAction(await self.next_id(), caller.tenant_id, caller.operator_id, request.action, at, ordered)
        await self.actions.add(action, self.clock() + UNDO_KEPT_FOR)
        return BulkOutcome(action.id, results)

    async def undo(self, caller: OperatorCaller, action_id: int) -> BulkOutcome:
        """Undo an action of the caller, within UNDO_WINDOW. May be repeated, for example after an error.

        A conversation that was changed in the same respect since is left as it is, with the error ChangedSince.
        Raises BulkActionNotFound, UndoExpired.
        """
        action = await self.actions.get(caller.tenant_id, caller.operator_id, action_id)
        if self.clock() > action.at + UNDO_WINDOW:
            raise UndoExpired
        steps = {step.conversation_id: step for step in action.steps}

        async def apply(conversation_id: int) -> None:
            await self.changes.undo(caller, steps[conversation_id])

        return BulkOutcome(None, await _for_each(list(steps), apply))

    async def _build_change(self, caller: OperatorCaller, request: BulkRequest) -> Callable[[int], Awaitable[Changed]]:
        """The change of one conversation, by its id."""
        changes = self.changes
        match request.action:
            case "close":
                return lambda conversation_id: changes.close(caller, conversation_id)
            case "assign":
                if request.team_id is not None and request.operator_id is None:
                    team = await changes.get_team(caller, request.team_id)
                    return lambda conversation_id: changes.assign_to_team(caller, conversation_id, team)
                if request.operator_id is None or request.team_id is not None:
                    raise ValidationFailed({"operator_id": "or team_id is required with this action"})
                to = await changes.get_assignee(caller, request.operator_id)
                return lambda conversation_id: changes.assign(caller, conversation_id, to)
            case "label":
                label_ids = _require_labels(request)
                return lambda conversation_id: changes.change_labels(caller, conversation_id, label_ids, ())
            case "unlabel":
                label_ids = _require_labels(request)
                return lambda conversation_id: changes.change_labels(caller, conversation_id, (), label_ids)
            case "snooze":
                if request.until is None:
                    raise ValidationFailed({"until": "is required with this action"})
                until: datetime = request.until
                return lambda conversation_id: changes.snooze(caller, conversation_id, until)
            case "unsnooze":
                return lambda conversation_id: changes.unsnooze(caller, conversation_id)


def _require_labels(request: BulkRequest) -> Sequence[int]:
    if not request.label_ids:
        raise ValidationFailed({"label_ids": "is required with this action"})
    return request.label_ids


async def _for_each(
    conversation_ids: Sequence[int], apply: Callable[[int], Awaitable[None]]
) -> Sequence[ConversationResult]:
    """Apply something to conversations, some at a time. The results are in the order of the ids.

    One that fails unexpectedly, such as by an error of the database, has the error Unavailable: the others are done,
    and their results are needed to undo them.
    """
    slots = asyncio.Semaphore(_CONCURRENT_CHANGES)

    async def run(conversation_id: int) -> ConversationResult:
        async with slots:
            try:
                await apply(conversation_id)
            except ParleyError as error:
                return ConversationResult(conversation_id, error)
            except Exception:
                log.exception("bulk_change_failed", conversation_id=conversation_id)
                return ConversationResult(conversation_id, Unavailable())
            return ConversationResult(conversation_id)

    return await asyncio.gather(*map(run, conversation_ids))
