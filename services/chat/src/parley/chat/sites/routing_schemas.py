"""Request and response bodies of a site's routing."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from parley.chat.sites.routing import DEFAULT_CAPACITY, Fallback, RoutingMode, SiteRouting
from parley.common.http import Id, RequestBody, SuccessResponse

Capacity = Annotated[int, Field(ge=1, le=100)]


class FallbackBody(RequestBody):
    """Who may get a conversation that has waited for some time, besides those before."""

    team_id: Id | None = Field(None, description="A team of the site; null is anyone.")
    after_seconds: Annotated[int, Field(ge=0, le=86_400)]


class RoutingBody(RequestBody):
    routing: RoutingMode = Field(
        description="`manual`: operators take conversations from the queue; `round_robin`: each goes to the operator "
        "who was assigned one longest ago; `least_busy`: to the one who has fewest."
    )
    capacity: Capacity = Field(
        DEFAULT_CAPACITY, description="Open conversations above which an operator is assigned no more, by default."
    )
    team_id: Id | None = Field(None, description="The team that gets conversations first; null is anyone.")
    fallbacks: Annotated[list[FallbackBody], Field(max_length=10)] = Field(default_factory=list)

    def to_routing(self) -> SiteRouting:
        fallbacks = [Fallback(body.team_id, timedelta(seconds=body.after_seconds)) for body in self.fallbacks]
        in_order = tuple(sorted(fallbacks, key=lambda fallback: fallback.after))
        return SiteRouting(self.routing, self.capacity, self.team_id, in_order)


class FallbackSchema(BaseModel):
    team_id: int | None
    after_seconds: int


class RoutingSchema(BaseModel):
    """How waiting conversations are given to operators."""

    routing: RoutingMode
    capacity: int
    team_id: int | None
    fallbacks: list[FallbackSchema]


class RoutingResponse(SuccessResponse):
    routing: RoutingSchema


def serialize_routing(routing: SiteRouting) -> RoutingSchema:
    return RoutingSchema(
        routing=routing.mode,
        capacity=routing.capacity,
        team_id=routing.team_id,
        fallbacks=[
            FallbackSchema(team_id=fallback.team_id, after_seconds=int(fallback.after.total_seconds()))
            for fallback in routing.fallbacks
        ],
    )
