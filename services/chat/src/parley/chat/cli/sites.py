"""`parley site`: the websites on which the widget runs."""

from __future__ import annotations

import click
from pydantic import ValidationError

from parley.chat.cli.context import open_context
from parley.chat.settings import ChatSettings
from parley.chat.sites.model import Site, SiteDraft
from parley.chat.sites.schemas import CreateSiteBody
from parley.common.cli import CommandError, CommandResult, async_command, format_table, read_settings
from parley.common.runtime.clock import to_rfc3339
from parley.common.texts import clean_text


@async_command("site create", "create a site")
@click.option("--owner", required=True, metavar="EMAIL|ID", help="The owner on whose behalf it is created.")
@click.option("--name", required=True)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    metavar="HOST",
    help="A host name where the widget may run, or *.example.com; may be repeated.",
)
@click.option("--any-origin", is_flag=True, help="Let the widget run everywhere.")
@click.option("--language", default="en", show_default=True, help="The language of its texts.")
async def create(owner: str, name: str, domains: tuple[str, ...], any_origin: bool, language: str) -> CommandResult:
    try:
        body = CreateSiteBody.model_validate(
            {"name": clean_text(name), "domains": list(domains), "any_origin": any_origin, "language": language}
        )
    except ValidationError as exc:
        names = sorted({str(error["loc"][0]) for error in exc.errors()})
        raise CommandError(f"not valid: {', '.join(names)}") from None
    draft = SiteDraft(body.name, tuple(body.domains), body.any_origin, body.language)
    async with open_context(read_settings(ChatSettings)) as context:
        caller = await context.impersonate(owner)
        if not caller.owner:
            raise CommandError(f"{owner} is not an owner")
        site = await context.admin.site_service.create(caller, draft)
    return CommandResult(
        _serialize_site(site), f"Created site {site.id}, {site.name}. Its key for the widget: {site.site_key}"
    )


@async_command("site list", "list the sites of all tenants, deleted ones too")
async def list_sites() -> CommandResult:
    async with open_context(read_settings(ChatSettings)) as context:
        sites = await context.admin.site_service.list_all()
    rows = [
        (site.id, site.tenant_id, site.name, site.site_key, " ".join(site.domains), "deleted" if site.deleted else "")
        for site in sites
    ]
    table = format_table(("site", "tenant", "name", "site key", "domains", "state"), rows)
    return CommandResult([_serialize_site(site) for site in sites], table)


def _serialize_site(site: Site) -> dict[str, object]:
    return {
        "id": site.id,
        "tenant_id": site.tenant_id,
        "name": site.name,
        "site_key": site.site_key,
        "domains": list(site.domains),
        "any_origin": site.any_origin,
        "language": site.language,
        "created_at": to_rfc3339(site.created_at),
        "deleted": site.deleted,
    }


COMMANDS = (create, list_sites)
