"""Who caused an event: the actors and operator references that all features build the same way."""

from __future__ import annotations

from parley.common.auth.identity import OperatorCaller
from parley.common.events import Actor
from parley.common.events.schemas import OperatorRef

AI_ACTOR = Actor(kind="ai")
SYSTEM_ACTOR = Actor(kind="system")


def operator_ref(caller: OperatorCaller) -> OperatorRef:
    """The calling operator as conversations and messages name them."""
    return OperatorRef(id=caller.operator_id, name=caller.name)


def operator_actor(operator: OperatorCaller | OperatorRef) -> Actor:
    operator_id = operator.operator_id if isinstance(operator, OperatorCaller) else operator.id
    return Actor(kind="operator", id=operator_id, name=operator.name)


def visitor_actor(name: str | None) -> Actor:
    return Actor(kind="visitor", name=name)
