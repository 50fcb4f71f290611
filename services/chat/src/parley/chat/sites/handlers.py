"""Sites: made, shown, changed, deleted; the widget's code; what the caller may do on one."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from parley.chat.common_fields import Language, Name, PageQuery, next_cursor
from parley.chat.schemas import Done
from parley.chat.sites.chatbot import Routing
from parley.chat.sites.service import Site, SiteDraft, Sites
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.events.schemas import Timestamp
from parley.common.http import Answer, Call, RequestBody


def _bare(domain: str) -> str:
    """The host name of what may have been pasted from a browser: a site's domains take in every port."""
    return domain.lower().removeprefix("https://").removeprefix("http://").rstrip("/").partition(":")[0]


Domain = Annotated[
    str,
    StringConstraints(max_length=262, pattern=r"^(https?://)?(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?/?$"),
    AfterValidator(_bare),
]
"""A host name, or `*.` and a parent for all names below it."""
Domains = Annotated[list[Domain], Field(max_length=50)]


class NewSiteBody(RequestBody):
    name: Name
    domains: Domains = Field(default_factory=list)
    any_origin: bool = False
    language: Language = "en"


class SiteBody(RequestBody):
    """What is left out stays as it is."""

    name: Name | None = None
    domains: Domains | None = None
    any_origin: bool | None = None
    language: Language | None = None


class SiteView(BaseModel):
    id: int
    name: str
    site_key: str
    domains: list[str]
    any_origin: bool
    language: str
    routing: Routing
    created_at: Timestamp


class SiteAnswer(Answer):
    site: SiteView


class SitesAnswer(Answer):
    sites: list[SiteView]
    next_cursor: str | None


class WidgetCodeAnswer(Answer):
    code: str


class MyAccessAnswer(Answer):
    permissions: list[Permission]
    owner: bool


@dataclass(frozen=True, slots=True)
class SiteHandlers:
    sites: Sites
    public_url: str

    async def page(self, call: Call[OperatorCaller, None, PageQuery]) -> SitesAnswer:
        limit = call.query.limit
        found = await self.sites.page(call.caller, call.query.after, limit)
        return SitesAnswer(
            sites=[_view(site) for site in found[:limit]], next_cursor=next_cursor([site.id for site in found], limit)
        )

    async def create(self, call: Call[OperatorCaller, NewSiteBody, None]) -> SiteAnswer:
        body = call.body
        draft = SiteDraft(body.name, _once(body.domains), body.any_origin, body.language)
        return SiteAnswer(site=_view(await self.sites.create(call.caller, draft)))

    async def show(self, call: Call[OperatorCaller, None, None]) -> SiteAnswer:
        return SiteAnswer(site=_view(await self.sites.get(call.caller, call.path["site_id"])))

    async def update(self, call: Call[OperatorCaller, SiteBody, None]) -> SiteAnswer:
        fields = call.body.model_dump(exclude_none=True)
        if "domains" in fields:
            fields["domains"] = _once(fields["domains"])
        return SiteAnswer(site=_view(await self.sites.update(call.caller, call.path["site_id"], fields)))

    async def rotate_key(self, call: Call[OperatorCaller, None, None]) -> SiteAnswer:
        return SiteAnswer(site=_view(await self.sites.rotate_key(call.caller, call.path["site_id"])))

    async def delete(self, call: Call[OperatorCaller, None, None]) -> Done:
        await self.sites.delete(call.caller, call.path["site_id"])
        return Done()

    async def widget_code(self, call: Call[OperatorCaller, None, None]) -> WidgetCodeAnswer:
        site = await self.sites.get(call.caller, call.path["site_id"])
        source = html.escape(f"{self.public_url}/widget.js")
        return WidgetCodeAnswer(code=f'<script async src="{source}" data-site-key="{site.site_key}"></script>')

    async def my_access(self, call: Call[OperatorCaller, None, None]) -> MyAccessAnswer:
        granted = await self.sites.permissions(call.caller, call.path["site_id"])
        return MyAccessAnswer(permissions=[one for one in Permission if one in granted], owner=call.caller.owner)


def _once(domains: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(domains))


def _view(site: Site) -> SiteView:
    return SiteView(
        id=site.id,
        name=site.name,
        site_key=site.site_key,
        domains=list(site.domains),
        any_origin=site.any_origin,
        language=site.language,
        routing=site.chatbot.routing,
        created_at=site.created_at,
    )
