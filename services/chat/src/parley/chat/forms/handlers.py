"""HTTP handlers of a site's forms, for its managers and for visitors."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.forms.schemas import FormsBody, FormsResponse, serialize_forms
from parley.chat.forms.service import FormService
from parley.chat.forms.settings_service import FormSettingsService
from parley.chat.forms.visitor_schemas import FormAnswersBody, OfflineMessageBody, OfflineMessageResponse
from parley.chat.identification.late_writes import LateWrites
from parley.chat.schemas import OkResponse
from parley.common.auth.identity import OperatorCaller, VisitorCaller
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class FormSettingsHandlers:
    settings: FormSettingsService

    async def show(self, context: RequestContext[OperatorCaller, None, None]) -> FormsResponse:
        return serialize_forms(await self.settings.get(context.caller, context.path["site_id"]))

    async def replace(self, context: RequestContext[OperatorCaller, FormsBody, None]) -> FormsResponse:
        forms = await self.settings.replace(context.caller, context.path["site_id"], context.body.to_draft())
        return serialize_forms(forms)


@dataclass(frozen=True, slots=True)
class FormHandlers:
    forms: FormService
    late_writes: LateWrites

    async def answer_prechat(self, context: RequestContext[VisitorCaller, FormAnswersBody, None]) -> OkResponse:
        submission = context.body.to_submission()
        await self.late_writes.run(context.caller, lambda caller: self.forms.answer_prechat(caller, submission))
        return OkResponse()

    async def leave_offline_message(
        self, context: RequestContext[VisitorCaller, OfflineMessageBody, None]
    ) -> OfflineMessageResponse:
        body = context.body
        conversation, confirmation = await self.late_writes.run(
            context.caller,
            lambda caller: self.forms.leave_offline_message(
                caller, body.to_submission(), body.message, body.message_id
            ),
        )
        return OfflineMessageResponse(
            conversation_id=conversation.id, mode=conversation.mode, confirmation=confirmation
        )
