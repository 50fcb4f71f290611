"""A tour through every endpoint of the API, each response of which is validated against the OpenAPI document."""

from __future__ import annotations

from support.api_tour.accounts import accounts, removals, team
from support.api_tour.client import ApiTour
from support.api_tour.operators import conversations, devices, lists, status, translation
from support.api_tour.sites import sites
from support.api_tour.visitors import visitors

__all__ = ("ApiTour", "call_every_endpoint")


async def call_every_endpoint(tour: ApiTour) -> None:
    """Call each operation of the document once or more."""
    await accounts(tour)
    site_id = await sites(tour)
    await team(tour, site_id)
    await visitors(tour)
    await conversations(tour)
    await translation(tour)
    await lists(tour)
    await status(tour)
    await devices(tour)
    await removals(tour, site_id)
