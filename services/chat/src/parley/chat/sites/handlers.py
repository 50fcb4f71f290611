"""HTTP handlers of sites."""

from __future__ import annotations

import html
from dataclasses import dataclass

from parley.chat.paging.schemas import PageQuery, decode_id, encode_id
from parley.chat.schemas import OkResponse
from parley.chat.sites.model import Site
from parley.chat.sites.schemas import (
    CreateSiteBody,
    MyAccessResponse,
    SiteListResponse,
    SiteResponse,
    SiteSchema,
    UpdateSiteBody,
    WidgetCodeResponse,
    serialize_site,
)
from parley.chat.sites.service import SiteService
from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.http import RequestContext


@dataclass(frozen=True, slots=True)
class SiteHandlers:
    sites: SiteService
    public_url: str
    """URL of the deployment, without a slash at its end."""
    sends_mail: bool
    """Whether the installation sends mail."""

    async def list_page(self, context: RequestContext[OperatorCaller, None, PageQuery]) -> SiteListResponse:
        limit = context.query.limit
        sites = await self.sites.list_page(context.caller, decode_id(context.query.cursor), limit)
        return SiteListResponse(
            sites=[self._serialize(site) for site in sites[:limit]],
            next_cursor=encode_id([site.id for site in sites], limit),
        )

    async def create(self, context: RequestContext[OperatorCaller, CreateSiteBody, None]) -> SiteResponse:
        site = await self.sites.create(context.caller, context.body.to_draft())
        return SiteResponse(site=self._serialize(site))

    async def show(self, context: RequestContext[OperatorCaller, None, None]) -> SiteResponse:
        site = await self.sites.get(context.caller, context.path["site_id"])
        return SiteResponse(site=self._serialize(site))

    async def update(self, context: RequestContext[OperatorCaller, UpdateSiteBody, None]) -> SiteResponse:
        site = await self.sites.update(context.caller, context.path["site_id"], context.body.to_fields())
        return SiteResponse(site=self._serialize(site))

    async def rotate_key(self, context: RequestContext[OperatorCaller, None, None]) -> SiteResponse:
        site = await self.sites.rotate_key(context.caller, context.path["site_id"])
        return SiteResponse(site=self._serialize(site))

    def _serialize(self, site: Site) -> SiteSchema:
        return serialize_site(site, sends_mail=self.sends_mail)

    async def delete(self, context: RequestContext[OperatorCaller, None, None]) -> OkResponse:
        await self.sites.delete(context.caller, context.path["site_id"])
        return OkResponse()

    async def widget_code(self, context: RequestContext[OperatorCaller, None, None]) -> WidgetCodeResponse:
        site = await self.sites.get(context.caller, context.path["site_id"])
        source, colour = f"{self.public_url}/widget.js", site.chatbot.colours.primary
        attributes = f'src="{html.escape(source)}" data-site-key="{site.site_key}" data-colour="{colour}"'
        code = f"<script async {attributes}></script>"
        tag_manager_code = (
            f"<script>(function () {{ var s = document.createElement('script'); s.async = true; "
            f"s.src = '{source}?site_key={site.site_key}'; document.head.appendChild(s); }})();</script>"
        )
        return WidgetCodeResponse(code=code, tag_manager_code=tag_manager_code)

    async def my_access(self, context: RequestContext[OperatorCaller, None, None]) -> MyAccessResponse:
        permissions = await self.sites.get_permissions(context.caller, context.path["site_id"])
        in_order = [permission for permission in Permission if permission in permissions]
        return MyAccessResponse(permissions=in_order, owner=context.caller.owner)
