"""Sites as the rest of chat and the other services look them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from parley.chat.sites.errors import SiteNotFound
from parley.chat.sites.model import Site
from parley.chat.sites.ports import SiteRepository
from parley.chat.sites.site_settings import SiteSettings


@dataclass(frozen=True, slots=True)
class SiteDirectory:
    """Implements the port SiteSettingsReader of conversations, the RPC method `site`, and the gateway's lookups."""

    sites: SiteRepository

    async def get(self, tenant_id: int, site_id: int) -> SiteSettings:
        """Raises SiteNotFound."""
        return (await self.sites.get(tenant_id, site_id)).settings

    async def get_by_key(self, site_key: str) -> Site:
        """Return the site with a public key. Raises SiteNotFound."""
        site = await self.sites.find_by_key(site_key)
        if site is None:
            raise SiteNotFound
        return site

    async def is_origin_allowed(self, origin: str) -> bool:
        """Whether any site allows requests from an origin, given as browsers send it."""
        return await self.sites.any_lists_domain(matching_domains(origin))

    async def rpc_site(self, params: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the result of the RPC method `site`; None if there is no such site."""
        site = await self.sites.find(int(params["site_id"]))
        return None if site is None else _serialize_for_services(site)


def matching_domains(origin: str) -> list[str]:
    """Return the entries of a site's `domains` that cover an origin: its host, and `*.` with each parent domain."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        return []
    if not host or parts.scheme not in ("http", "https"):
        return []
    labels = host.split(".")
    return [host, *("*." + ".".join(labels[first:]) for first in range(1, len(labels)))]


def _serialize_for_services(site: Site) -> dict[str, Any]:
    """Return what the other services need of a site. Settings of its AI never leave chat."""
    bot = site.chatbot
    result = {"tenant_id": site.tenant_id, "name": site.name, "routing": bot.routing, "private_push": bot.private_push}
    translation = {name: value for name, value in asdict(bot.translation).items() if value}
    return {**result, "translation": translation} if translation else result
