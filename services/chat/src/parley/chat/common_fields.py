"""Fields that the administration's bodies share, each with its bounds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from parley.chat.accounts.service import Access
from parley.common.auth.identity import Permission
from parley.common.http import Page, Query, RequestBody, decode_cursor, encode_cursor

Name = Annotated[
    str,
    # A line of text with something on it.
    StringConstraints(
        strip_whitespace=True, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"
    ),
]
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f<>\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"),
    AfterValidator(str.lower),
]
NewPassword = Annotated[str, StringConstraints(min_length=10, max_length=256)]
Language = Annotated[str, StringConstraints(max_length=35, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
Token = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class PageQuery(Query):
    """Where a list by id goes on."""

    limit: Page = 50
    cursor: Cursor | None = None

    @property
    def after(self) -> int:
        """The last id that was shown. Raises Invalid."""
        if self.cursor is None:
            return 0
        last: int = decode_cursor(self.cursor, int)[0]
        return last


class Permissions(RequestBody):
    """What an operator may do on a site."""

    can_chat: bool = False
    can_view_conversations: bool = False
    can_manage: bool = False

    @property
    def granted(self) -> frozenset[Permission]:
        """As the domain has it."""
        return frozenset(permission for permission in Permission if getattr(self, permission.value))


def next_cursor(ids: list[int], limit: int) -> str | None:
    """The cursor of the page after this, where a list by id was asked for one more than its limit."""
    return encode_cursor(ids[limit - 1]) if len(ids) > limit else None


def shown(access: Access) -> dict[str, list[Permission]]:
    """An access as it is answered: permissions by site, in their own order."""
    return {str(site_id): [one for one in Permission if one in granted] for site_id, granted in access.items()}
