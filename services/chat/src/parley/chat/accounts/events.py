"""Events of operators' accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parley.chat.accounts.model import Operator
from parley.chat.audit.model import AuditActor, AuditedEvent
from parley.chat.audit.service import AuditService
from parley.common.auth.identity import OperatorCaller
from parley.common.events import new_event
from parley.common.events.team import OperatorAccessChanged


async def access_changed_event(
    audit: AuditService,
    caller: OperatorCaller | AuditActor,
    after: Operator,
    action: str,
    details: Mapping[str, Any] | None = None,
    *,
    site_id: int | None = None,
    sessions_ended: bool = False,
) -> AuditedEvent:
    """Build `operator.access_changed`, which invalidates caches of the operator, and the audit entry of the change.

    `sessions_ended`: the change ended all login sessions of the operator but the retained one.
    """
    entry = await audit.entry(caller, action, f"operator:{after.id}", site_id, details)
    data = OperatorAccessChanged(
        operator_id=after.id,
        version=after.version,
        suspended=not after.active,
        sessions_ended=sessions_ended,
        kept_session_id=after.retained_session_id if sessions_ended else None,
    )
    event = new_event(data, tenant_id=after.tenant_id, site_id=0, actor=entry.event_actor, at=entry.at)
    return AuditedEvent(event, entry)
