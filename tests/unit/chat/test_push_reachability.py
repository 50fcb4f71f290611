"""Operators whom a push would reach count as reachable for a visitor who asks for a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from parley.chat.conversations.away_notice import find_away_notice
from parley.chat.conversations.ports import TeamMember
from parley.chat.presence.push_reachability import PushReachability
from parley.chat.presence.service import PresenceService
from parley.chat.sites.business_hours import BusinessHours
from parley.chat.sites.chatbot import ChatbotSettings
from parley.chat.sites.model import Site
from parley.chat.system_messages import LOCALES
from parley.common.auth.identity import Permission

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SITE = Site(3, 7, "Shop", "pk", NOW).settings
CHAT, VIEW = frozenset({Permission.CHAT}), frozenset({Permission.VIEW})


class Team:
    async def member(self, tenant_id: int, operator_id: int) -> TeamMember | None:
        return None

    async def on_site(self, tenant_id: int, site_id: int) -> Sequence[TeamMember]:
        assert (tenant_id, site_id) == (7, 3)
        return [TeamMember(1, 7, "Alex", {3: CHAT}), TeamMember(2, 7, "Sam", {3: VIEW})]


@dataclass
class Devices:
    """Operators with a device, as notify answers; None while it is away."""

    with_device: Collection[int] | None = ()
    asked: list[Sequence[int]] = field(default_factory=list)

    async def __call__(self, operator_ids: Sequence[int], /) -> Collection[int] | None:
        self.asked.append(operator_ids)
        if self.with_device is None:
            return None
        return [operator_id for operator_id in operator_ids if operator_id in self.with_device]


class Online:
    def __init__(self, *operator_ids: int) -> None:
        self._operator_ids = frozenset(operator_ids)

    async def list_online(self, site_id: int) -> frozenset[int]:
        return self._operator_ids

    async def record(self, site_id: int, operator_id: int, at: datetime, *, online: bool) -> None: ...


async def ask_presence(method: str, **body: Any) -> dict[str, Any] | None:
    return None


def presence(devices: Devices, *online: int) -> PresenceService:
    return PresenceService(Online(*online), ask_presence, PushReachability(Team(), devices))


async def test_a_visitor_whose_request_makes_a_phone_ring_is_not_told_that_nobody_is_there() -> None:
    assert await find_away_notice(SITE, "en", presence(Devices({1})), NOW) is None
    assert await find_away_notice(SITE, "en", presence(Devices()), NOW) == LOCALES["en"].team_offline


@pytest.mark.parametrize("devices", [Devices({2}), Devices(None)], ids=["may-not-chat", "notify-is-away"])
async def test_a_device_that_does_not_ring_counts_for_nothing(devices: Devices) -> None:
    assert await find_away_notice(SITE, "en", presence(devices), NOW) == LOCALES["en"].team_offline
    assert devices.asked == [[1]]


async def test_with_manual_routing_no_phone_rings() -> None:
    site = Site(3, 7, "Shop", "pk", NOW, chatbot=ChatbotSettings(routing="manual")).settings
    assert await find_away_notice(site, "en", presence(Devices({1})), NOW) == LOCALES["en"].team_offline


async def test_outside_business_hours_the_notice_says_so_in_any_case() -> None:
    closed = replace(SITE, hours=BusinessHours("UTC", (), (date(2026, 11, 21),)))
    notice = await find_away_notice(closed, "en", presence(Devices({1}), 1), NOW)
    assert notice is not None
    assert notice.startswith(LOCALES["en"].outside_hours)


async def test_notify_is_not_asked_while_somebody_is_online() -> None:
    devices = Devices({1})
    assert await find_away_notice(SITE, "en", presence(devices, 1), NOW) is None
    assert devices.asked == []
