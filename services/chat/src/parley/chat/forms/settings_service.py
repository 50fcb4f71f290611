"""Changes a site's forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from parley.chat.conversations.ports import LabelLookup
from parley.chat.forms.model import Department, FormField, OfflineForm, PrechatForm, SiteForms
from parley.chat.sites.service import SiteService
from parley.chat.teams.ports import TeamLookup
from parley.common.auth.identity import OperatorCaller
from parley.common.errors import ValidationFailed
from parley.common.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ConsentDraft:
    """A consent as a manager writes it; its version follows from its text."""

    text: str
    required: bool


@dataclass(frozen=True, slots=True)
class FormsDraft:
    """What a manager writes of a site's forms."""

    consent: ConsentDraft | None
    departments: tuple[Department, ...]
    prechat: PrechatForm
    offline: OfflineForm


@dataclass(frozen=True, slots=True)
class FormSettingsService:
    sites: SiteService
    teams: TeamLookup
    labels: LabelLookup
    clock: Clock

    async def get(self, caller: OperatorCaller, site_id: int) -> SiteForms:
        """Raises SiteNotFound, Forbidden."""
        return (await self.sites.get(caller, site_id)).forms

    async def replace(self, caller: OperatorCaller, site_id: int, draft: FormsDraft) -> SiteForms:
        """Replace a site's forms.

        Raises SiteNotFound, Forbidden, EditConflict, and ValidationFailed for teams and labels of other sites.
        """
        await self.sites.get(caller, site_id)
        await self._require_teams(caller, site_id, draft.departments)
        label_id = draft.offline.label_id
        if label_id is not None and not await self.labels.find_names(caller.tenant_id, site_id, [label_id]):
            raise ValidationFailed({"offline.label_id": "is not a label of this site"})
        at = self.clock()

        def change(before: SiteForms) -> SiteForms:
            after = replace(
                before,
                consent=None,
                departments=draft.departments,
                prechat=draft.prechat,
                offline=replace(draft.offline, fields=_with_email(draft.offline.fields)),
            )
            if draft.consent is None:
                return after
            return after.with_consent(draft.consent.text, required=draft.consent.required, at=at)

        return (await self.sites.update_forms(caller, site_id, change)).forms

    async def _require_teams(self, caller: OperatorCaller, site_id: int, departments: Sequence[Department]) -> None:
        known = {team.id for team in await self.teams.list_on_site(caller.tenant_id, site_id)}
        for index, department in enumerate(departments):
            if department.team_id is not None and department.team_id not in known:
                raise ValidationFailed({f"departments.{index}.team_id": "is not a team of this site"})


def _with_email(fields: Sequence[FormField]) -> tuple[FormField, ...]:
    """The fields with a required e-mail address: without one, nobody could write back."""
    if any(field.type == "email" for field in fields):
        return tuple(replace(field, required=True) if field.type == "email" else field for field in fields)
    return (FormField("email", "email", required=True), *fields)
