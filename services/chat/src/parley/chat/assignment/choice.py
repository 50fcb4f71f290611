"""Whom to give a waiting conversation: pure functions from what is known of the operators to an order of preference."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from parley.chat.conversations.model import AssignmentCandidate, CandidateStatus
from parley.chat.sites.routing import RoutingMode, SiteRouting
from parley.common.events.schemas import OperatorRef

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operator who may chat on the site. `capacity` is the highest number of `active_chats` they may have."""

    id: int
    name: str
    online: bool
    active_chats: int
    capacity: int
    last_assigned_at: datetime | None = None

    @property
    def ref(self) -> OperatorRef:
        return OperatorRef(id=self.id, name=self.name)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Operators to try, the best first, and the status of all who were considered."""

    available: tuple[Candidate, ...]
    considered: tuple[AssignmentCandidate, ...]


def rank(mode: RoutingMode, candidates: Sequence[Candidate], excluded: Collection[int] = ()) -> Ranking:
    """Order the candidates who are online and have room.

    `round_robin` prefers who was assigned a conversation longest ago, `least_busy` who has fewest. `excluded` are
    operators who have just let the conversation time out.
    """
    statuses = {candidate.id: _status(candidate, excluded) for candidate in candidates}
    available = [candidate for candidate in candidates if statuses[candidate.id] == "available"]
    available.sort(key=_by_last_assignment if mode == "round_robin" else _by_load)
    others = sorted(
        (candidate for candidate in candidates if statuses[candidate.id] != "available"),
        # Who is away matters least to those who ask why a conversation went to somebody.
        key=lambda candidate: (statuses[candidate.id] == "away", candidate.id),
    )
    considered = (AssignmentCandidate(one.ref, statuses[one.id]) for one in (*available, *others))
    return Ranking(tuple(available), tuple(considered))


def audiences(
    routing: SiteRouting, team_id: int | None, members: Mapping[int, Collection[int]], waited: timedelta
) -> Iterator[Collection[int] | None]:
    """Yield the groups of operators to try, in order: each as operator ids, or None for anyone.

    First the team that the conversation was transferred to, or else that of the site's routing, then the fallbacks
    whose time has come. `members` are those of the site's teams; another team is one that was deleted, or left the
    site, and counts as anyone.
    """
    first = team_id if team_id in members else routing.team_id
    yield members.get(first) if first is not None else None
    for fallback in routing.fallbacks:
        if fallback.after <= waited:
            yield members.get(fallback.team_id) if fallback.team_id is not None else None


def recently_missed(missed_by: Mapping[int, datetime], at: datetime, pause: timedelta) -> frozenset[int]:
    """Operators who let the conversation time out less than `pause` ago."""
    return frozenset(operator_id for operator_id, missed_at in missed_by.items() if at - missed_at < pause)


def _status(candidate: Candidate, excluded: Collection[int]) -> CandidateStatus:
    if not candidate.online:
        return "away"
    if candidate.id in excluded:
        return "missed"
    return "available" if candidate.active_chats < candidate.capacity else "full"


def _by_last_assignment(candidate: Candidate) -> tuple[datetime, int, int]:
    return candidate.last_assigned_at or _NEVER, candidate.active_chats, candidate.id


def _by_load(candidate: Candidate) -> tuple[int, datetime, int]:
    return candidate.active_chats, candidate.last_assigned_at or _NEVER, candidate.id
