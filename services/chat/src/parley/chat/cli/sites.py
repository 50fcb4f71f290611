"""`parley site`: the websites whose visitors are talked to."""

from __future__ import annotations

import argparse

from pydantic import ValidationError

from parley.chat.cli.context import opened
from parley.chat.settings import ChatSettings
from parley.chat.sites.handlers import NewSiteBody
from parley.chat.sites.service import Site, SiteDraft
from parley.common.cli.main import Answer, Command, Refused, read_settings, table
from parley.common.runtime.clock import rfc3339


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--owner", required=True, metavar="EMAIL", help="the owner on whose behalf it is made")
    parser.add_argument("--name", required=True)
    parser.add_argument(
        "--domain",
        action="append",
        default=[],
        metavar="HOST",
        help="a host name where the widget may run, or *.example.com; may be repeated",
    )
    parser.add_argument("--any-origin", action="store_true", help="let the widget run everywhere")
    parser.add_argument("--language", default="en", help="of its texts (en)")


async def create(wanted: argparse.Namespace) -> Answer:
    try:
        body = NewSiteBody.model_validate(
            {
                "name": wanted.name,
                "domains": wanted.domain,
                "any_origin": wanted.any_origin,
                "language": wanted.language,
            }
        )
    except ValidationError as exc:
        names = sorted({str(fault["loc"][0]) for fault in exc.errors()})
        raise Refused(f"not as it has to be: {', '.join(names)}") from None
    draft = SiteDraft(body.name, tuple(body.domains), body.any_origin, body.language)
    async with opened(read_settings(ChatSettings)) as office:
        owner = await office.acting_as(wanted.owner)
        if not owner.owner:
            raise Refused(f"{wanted.owner} is not an owner")
        site = await office.administration.site_use.create(owner, draft)
    return Answer(_data(site), f"Made site {site.id}, {site.name}. Its key for the widget: {site.site_key}")


async def show(_: argparse.Namespace) -> Answer:
    async with opened(read_settings(ChatSettings)) as office:
        sites = await office.administration.every_site()
    rows = [(site.id, site.tenant_id, site.name, site.site_key, " ".join(site.domains), _state(site)) for site in sites]
    return Answer(
        [_data(site) for site in sites], table(("site", "tenant", "name", "site key", "domains", "state"), rows)
    )


def _state(site: Site) -> str:
    return "deleted" if site.deleted else ""


def _data(site: Site) -> dict[str, object]:
    return {
        "id": site.id,
        "tenant_id": site.tenant_id,
        "name": site.name,
        "site_key": site.site_key,
        "domains": list(site.domains),
        "any_origin": site.any_origin,
        "language": site.language,
        "created_at": rfc3339(site.created_at),
        "deleted": site.deleted,
    }


COMMANDS = (
    Command("site create", "make a site", create, _arguments),
    Command("site list", "list the sites of all tenants, deleted ones too", show),
)
