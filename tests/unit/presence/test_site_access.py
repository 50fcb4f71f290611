"""Which sites a caller may use, and which error they get for the others."""

from __future__ import annotations

import pytest

from parley.common.auth.identity import OperatorCaller, Permission
from parley.common.errors import Forbidden, NotFound, Unavailable
from parley.presence.site_access import SiteAccess

OWN, UNASSIGNED, FOREIGN, UNKNOWN = 1, 2, 3, 4
TENANT, OTHER_TENANT = 10, 20


class FakeSiteDirectory:
    """Sites of two tenants."""

    def __init__(self) -> None:
        self.requested: list[int] = []
        self.unavailable = False

    async def get_tenant_id(self, site_id: int) -> int | None:
        self.requested.append(site_id)
        if self.unavailable:
            raise Unavailable
        return {OWN: TENANT, UNASSIGNED: TENANT, FOREIGN: OTHER_TENANT}.get(site_id)

    async def chat_operators(self, site_id: int) -> frozenset[int]:
        raise NotImplementedError


def caller(*granted: Permission, required: Permission | None = Permission.CHAT) -> OperatorCaller:
    return OperatorCaller(7, TENANT, "Alex", {OWN: frozenset(granted)}, required_permission=required)


@pytest.mark.parametrize(
    ("sites", "error"),
    [
        ([UNASSIGNED], Forbidden),
        ([FOREIGN], NotFound),
        ([UNKNOWN], NotFound),
        ([OWN, UNASSIGNED], Forbidden),
        ([OWN, FOREIGN], NotFound),
        ([UNASSIGNED, UNKNOWN], NotFound),
    ],
)
async def test_foreign_and_unassigned_sites_are_refused(sites: list[int], error: type[Exception]) -> None:
    with pytest.raises(error):
        await SiteAccess(FakeSiteDirectory()).check(caller(Permission.CHAT), sites)


async def test_own_sites_are_allowed_without_asking_chat() -> None:
    directory = FakeSiteDirectory()
    directory.unavailable = True
    await SiteAccess(directory).check(caller(Permission.CHAT), [OWN])
    assert directory.requested == []


async def test_own_site_without_the_permission_is_forbidden() -> None:
    access = SiteAccess(FakeSiteDirectory())
    with pytest.raises(Forbidden):
        await access.check(caller(Permission.VIEW), [OWN])
    await access.check(caller(Permission.VIEW, required=None), [OWN])


async def test_check_is_unavailable_while_chat_cannot_be_reached() -> None:
    directory = FakeSiteDirectory()
    directory.unavailable = True
    with pytest.raises(Unavailable):
        await SiteAccess(directory).check(caller(Permission.CHAT), [UNASSIGNED])
