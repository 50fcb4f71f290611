"""New members, and changes of members."""

from __future__ import annotations

from dataclasses import dataclass

from parley.common.auth.identity import Permission


@dataclass(frozen=True, slots=True)
class MemberDraft:
    """A new member. Without a password, the member is invited."""

    email: str
    name: str
    password: str | None
    site_ids: frozenset[int]
    permissions: frozenset[Permission]
    owner: bool
    language: str


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A change of a member; None leaves a field unchanged."""

    name: str | None = None
    suspended: bool | None = None
    owner: bool | None = None
    site_ids: frozenset[int] | None = None
    permissions: frozenset[Permission] | None = None
    capacity: int | None = None
    """0 for the default of the site."""

    @property
    def changes_account(self) -> bool:
        """Whether it changes the account itself, not only its permissions on sites."""
        return (
            self.name is not None or self.suspended is not None or self.owner is not None or self.capacity is not None
        )
