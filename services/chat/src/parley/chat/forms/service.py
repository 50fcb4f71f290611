"""What visitors answer in a site's forms: before the chat, and while nobody is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from parley.chat import metrics
from parley.chat.conversations.model import Conversation
from parley.chat.conversations.ports import LabelLookup
from parley.chat.forms.answers import CheckedAnswers, Value, check_answers
from parley.chat.forms.errors import FormIsOff
from parley.chat.forms.model import (
    Consent,
    GivenConsent,
    Questions,
    SiteForms,
    VisitorForm,
    offline_questions,
    prechat_questions,
    unproved,
)
from parley.chat.messages.visitor_conversations import chosen_team
from parley.chat.messages.visitor_service import VisitorMessageService
from parley.chat.sites.site_settings import SiteSettings, SiteSettingsReader
from parley.chat.visitors.errors import VisitorIsBlocked
from parley.chat.visitors.model import Visitor
from parley.chat.visitors.ports import VisitorRepository
from parley.chat.visitors.service import VisitorService, require_not_blocked
from parley.common.auth.identity import VisitorCaller
from parley.common.errors import ValidationFailed
from parley.common.events.schemas import TeamRef
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class AnsweredConsent:
    """What a visitor says to the text of the consent that they were shown, in its version."""

    given: bool
    version: int


@dataclass(frozen=True, slots=True)
class Submission:
    """What a visitor sends in a form. `language` is the one that they were asked in."""

    answers: Mapping[str, Value] = field(default_factory=dict)
    consent: AnsweredConsent | None = None
    team_id: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class FormService:
    sites: SiteSettingsReader
    visitors: VisitorRepository
    visitor_service: VisitorService
    messages: VisitorMessageService
    labels: LabelLookup
    clock: Clock

    async def answer_prechat(self, caller: VisitorCaller, submission: Submission) -> Visitor:
        """Store the answers to the form before the chat. Answered again, it replaces what it names.

        Raises FormIsOff, ValidationFailed, VisitorIsBlocked, VisitorBeingErased.
        """
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        if not site.forms.prechat.enabled:
            raise FormIsOff
        visitor = await self._get_visitor(caller, submission)
        questions = prechat_questions(site.forms, visitor.form, visitor.proved)
        fields = unproved(site.forms.prechat.fields, visitor.proved)
        checked = check_answers(fields, submission.answers, complete=bool(questions.fields))
        form = self._build_form(site.forms, visitor, questions, submission, checked)
        answered = await self.visitor_service.save_form(visitor, checked.contact, replace(form, prechat=True))
        metrics.FORMS.labels("prechat").inc()
        return answered

    async def leave_offline_message(
        self, caller: VisitorCaller, submission: Submission, message: str, message_id: str | None
    ) -> tuple[Conversation, str]:
        """Store the answers to the offline form, and put its message into the queue.

        Returns the conversation, and the site's text that confirms it. Raises FormIsOff, ValidationFailed,
        VisitorIsBlocked, VisitorBeingErased, ConcurrentModification.
        """
        site = await self.sites.get(caller.tenant_id, caller.site_id)
        if not site.forms.offline.enabled:
            raise FormIsOff
        visitor = await self._get_visitor(caller, submission)
        if visitor.blocked == "operator":
            raise VisitorIsBlocked
        questions = offline_questions(site.forms, visitor.proved)
        checked = check_answers(questions.fields, submission.answers, complete=True)
        form = self._build_form(site.forms, visitor, questions, submission, checked)
        answered = await self.visitor_service.save_form(visitor, checked.contact, form)
        received = await self.messages.receive_offline(
            answered,
            message,
            message_id=message_id,
            confirmation=site.forms.offline.confirmation or None,
            label_id=await self._find_label(site),
            # Of these answers: those of a person whose session is being joined are not theirs yet.
            team_id=chosen_team(answered, site.forms),
        )
        if not received.duplicate:
            metrics.FORMS.labels("offline").inc()
        return received.conversation, site.forms.offline.confirmation

    async def _get_visitor(self, caller: VisitorCaller, submission: Submission) -> Visitor:
        visitor = await self.visitors.get_or_create(
            caller.tenant_id, caller.site_id, caller.session, submission.language
        )
        require_not_blocked(visitor)
        return visitor

    def _build_form(
        self, forms: SiteForms, visitor: Visitor, questions: Questions, submission: Submission, checked: CheckedAnswers
    ) -> VisitorForm:
        """Raises ValidationFailed for what concerns the consent or the department."""
        at = self.clock()
        department = visitor.form.department if visitor.form is not None else None
        if questions.departments or submission.team_id is not None:
            department = _choose_department(forms, submission.team_id)
        return VisitorForm(
            answered_at=at,
            language=submission.language or visitor.language,
            answers=tuple(checked.answers),
            consent=_check_consent(forms.consent, questions.consent, submission, at),
            department=department,
        )

    async def _find_label(self, site: SiteSettings) -> int | None:
        """The label of the offline form; None if there is none, or if it was deleted."""
        label_id = site.forms.offline.label_id
        if label_id is None:
            return None
        return label_id if await self.labels.find_names(site.tenant_id, site.id, [label_id]) else None


def _choose_department(forms: SiteForms, team_id: int | None) -> TeamRef | None:
    """The team that the visitor chose, with the label that they saw. Raises ValidationFailed."""
    for department in forms.departments:
        if department.team_id == team_id:
            return None if team_id is None else TeamRef(id=team_id, name=department.label)
    raise ValidationFailed({"team_id": "must be one of the departments"})


def _check_consent(
    consent: Consent | None, asked: Consent | None, submission: Submission, at: datetime
) -> GivenConsent | None:
    """What the visitor said to the present text; None if they said nothing. Raises ValidationFailed."""
    answer = submission.consent
    if consent is None or answer is None:
        if asked is not None and asked.required:
            raise ValidationFailed({"consent": "must be given"})
        return None
    if answer.version != consent.version:
        raise ValidationFailed({"consent.version": f"is not the present one, which is {consent.version}"})
    if consent.required and not answer.given:
        raise ValidationFailed({"consent": "must be given"})
    return GivenConsent(answer.given, answer.version, at, submission.language)
