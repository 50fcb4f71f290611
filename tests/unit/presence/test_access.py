"""Whose sites a caller may name, and what they hear otherwise."""

from __future__ import annotations

import pytest

from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Forbidden, NotFound, Unavailable
from parley.presence.access import Access

MINE, OWN_TENANTS, FOREIGN, UNKNOWN = 1, 2, 3, 4


class Register:
    """Who has which site."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.away = False

    async def tenant_of(self, site_id: int) -> int | None:
        self.asked.append(site_id)
        if self.away:
            raise Unavailable
        return {MINE: 10, OWN_TENANTS: 10, FOREIGN: 20}.get(site_id)

    async def chatters_on(self, site_id: int) -> frozenset[int]:
        raise NotImplementedError


def caller(*granted: Permission, needs: Permission | None = Permission.CHAT) -> OperatorCaller:
    return OperatorCaller(7, 10, "Alex", {MINE: frozenset(granted)}, needs=needs)


@pytest.mark.parametrize(
    ("sites", "refusal"),
    [
        ([OWN_TENANTS], Forbidden),
        ([FOREIGN], NotFound),
        ([UNKNOWN], NotFound),
        ([MINE, OWN_TENANTS], Forbidden),
        ([MINE, FOREIGN], NotFound),
        ([OWN_TENANTS, UNKNOWN], NotFound),
    ],
)
async def test_sites_of_others_are_refused(sites: list[int], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        await Access(Register()).check(caller(Permission.CHAT), sites)


async def test_own_sites_pass_and_chat_is_not_asked() -> None:
    register = Register()
    register.away = True
    await Access(register).check(caller(Permission.CHAT), [MINE])
    assert register.asked == []


async def test_an_own_site_without_the_permission_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        await Access(Register()).check(caller(Permission.VIEW), [MINE])
    await Access(Register()).check(caller(Permission.VIEW, needs=None), [MINE])


async def test_while_chat_cannot_be_asked_nobody_is_told_a_falsehood() -> None:
    register = Register()
    register.away = True
    with pytest.raises(Unavailable):
        await Access(register).check(caller(Permission.CHAT), [OWN_TENANTS])
