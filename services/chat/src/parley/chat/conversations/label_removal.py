"""Takes labels that were deleted off the conversations that have them.

The deleted label stays stored until no conversation has it, so a replica that stops in between is continued by any
other. Each step changes only conversations that still have the label.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from parley.chat.conversations import transitions
from parley.chat.conversations.ports import ConversationRepository
from parley.chat.labels.model import DeletedLabel
from parley.chat.labels.ports import LabelRepository
from parley.chat.timeouts import LABEL_REMOVAL_GRACE
from parley.common.runtime.clock import Clock

_LABELS_PER_RUN = 20
_BATCH_SIZE = 50


@dataclass(frozen=True, slots=True)
class LabelRemoval:
    labels: LabelRepository
    conversations: ConversationRepository
    clock: Clock

    async def remove_deleted(self) -> int:
        """Take deleted labels off their conversations. Returns how many conversations this replica changed."""
        changed = 0
        for label in await self.labels.list_deleted(_LABELS_PER_RUN):
            changed += await self._remove(label)
            if label.deleted_at <= self.clock() - LABEL_REMOVAL_GRACE:
                await self.labels.forget(label.id)
        return changed

    async def _remove(self, label: DeletedLabel) -> int:
        changed = 0
        while batch := await self.conversations.list_labeled(label.tenant_id, label.id, _BATCH_SIZE):
            for conversation_id in batch:
                remove = partial(transitions.remove_deleted_label, label_id=label.id, at=self.clock())
                if await self.conversations.change(label.tenant_id, conversation_id, remove) is not None:
                    changed += 1
        return changed
