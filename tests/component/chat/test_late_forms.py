"""Forms that arrive when what they were for has passed: the conversation has begun, operators are back, or a login."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from parley.chat.conversations.model import Conversation
from parley.chat.forms.service import Submission
from parley.chat.identification.late_writes import LateWrites
from parley.chat.presence.repository import MongoOnlineOperatorRepository
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from support.admin_app import AdminTestApp
from support.identity import sign_token

ORDER = {"key": "order", "type": "text", "label": "Order", "required": True}
OFFLINE = {"enabled": True, "confirmation": "We will write to you."}
ANSWERS = {"order": "4711", "email": "jane@shop.test"}


class Shop:
    def __init__(self, app: AdminTestApp, owner: OperatorCaller, site_id: int) -> None:
        self.app, self.owner, self.site_id = app, owner, site_id
        self.module = app.conversations
        self.visitor = VisitorCaller(owner.tenant_id, site_id, f"sess_{secrets.token_hex(16)}")

    async def call(self, method: str, path: str, body: Any, status: int = 200) -> dict[str, Any]:
        return (await self.app.call(method, f"/api/v1{path}", self.owner, body)).ok(status)

    async def set_forms(self, **forms: Any) -> None:
        await self.call("PUT", f"/sites/{self.site_id}/forms", forms)

    async def add_department(self) -> int:
        team = {"name": "Sales", "site_ids": [self.site_id], "operator_ids": [self.owner.operator_id]}
        team_id: int = (await self.call("POST", "/teams", team, 201))["team"]["id"]
        return team_id

    async def leave_offline(self, caller: VisitorCaller, message: str, team_id: int | None = None) -> Conversation:
        """Send the offline form as the handler does."""
        late_writes: LateWrites = self.module.late_writes
        submission = Submission(ANSWERS, team_id=team_id)
        conversation, _ = await late_writes.run(
            caller, lambda caller: self.module.forms.leave_offline_message(caller, submission, message, "offline-1")
        )
        return conversation

    async def roles(self, conversation: Conversation) -> list[tuple[str, str]]:
        messages = await self.module.message_repository.list_for_conversation(conversation, limit=50)
        return [(message.role, message.content) for message in messages]


@pytest.fixture
async def shop(app: AdminTestApp) -> Shop:
    owner = await app.create_tenant()
    site = await app.create_site(owner)
    return Shop(app, await app.get_caller(owner.operator_id), site["id"])


async def test_answers_reach_the_operators_of_a_conversation_that_has_begun_elsewhere(shop: Shop) -> None:
    """What the visitor chose for its beginning no longer moves it."""
    begun = (await shop.module.visitor_messages.receive(shop.visitor, "Hello")).conversation
    team_id = await shop.add_department()
    departments = [{"team_id": team_id, "label": "Buying"}]
    await shop.set_forms(departments=departments, prechat={"enabled": True, "fields": [ORDER]})
    await shop.module.forms.answer_prechat(shop.visitor, Submission({"order": "4711"}, team_id=team_id))
    received = await shop.module.visitor_messages.receive(shop.visitor, "About my order")
    conversation = received.conversation
    assert (conversation.id, conversation.mode, conversation.team_id) == (begun.id, "ai", None)
    form = conversation.visitor.form
    assert form is not None
    assert ([answer.value for answer in form.answers], form.department and form.department.id) == (["4711"], team_id)


async def test_an_offline_message_joins_the_conversation_that_somebody_has_by_then(shop: Shop) -> None:
    """Nobody is promised a reply by mail who is being answered."""
    await shop.set_forms(offline={**OFFLINE, "fields": [ORDER]})
    begun = (await shop.module.visitor_messages.receive(shop.visitor, "Hello")).conversation
    await shop.module.conversations.accept(shop.owner, begun.id)
    left = await shop.leave_offline(shop.visitor, "Are you there?")
    assert (left.id, left.mode) == (begun.id, "operator")
    roles = await shop.roles(left)
    assert roles[-1] == ("visitor", "Are you there?")
    assert ("system", "We will write to you.") not in roles
    assert left.visitor.email == "jane@shop.test"


async def test_an_offline_message_arrives_also_when_operators_are_back(shop: Shop) -> None:
    await shop.set_forms(offline={**OFFLINE, "fields": [ORDER]})
    online = MongoOnlineOperatorRepository(shop.app.mongo)
    await online.record(shop.site_id, shop.owner.operator_id, shop.app.clock(), online=True)
    left = await shop.leave_offline(shop.visitor, "When does it arrive?")
    assert left.mode == "pending"
    assert await shop.roles(left) == [("visitor", "When does it arrive?"), ("system", "We will write to you.")]


async def test_an_offline_message_of_a_session_that_was_identified_meanwhile_is_the_persons(shop: Shop) -> None:
    team_id = await shop.add_department()
    await shop.set_forms(
        departments=[{"team_id": team_id, "label": "Buying"}, {"team_id": None, "label": "Anything"}],
        offline={**OFFLINE, "fields": [ORDER]},
    )
    secret = (await shop.call("POST", f"/sites/{shop.site_id}/identity-secrets", {"name": "Shop"}, 201))["secret"]
    identified = await shop.module.identification.identify(shop.visitor, sign_token(secret, {"sub": "customer-1"}))
    left = await shop.leave_offline(shop.visitor, "When does it arrive?", team_id)
    assert (left.visitor.session, left.team_id) == (identified.person.session, team_id)
    person = await shop.module.visitors.get(VisitorCaller(shop.owner.tenant_id, shop.site_id, left.visitor.session))
    assert person.form is not None
    assert [answer.value for answer in person.form.answers] == ["4711"]
    assert person.email == "jane@shop.test"
