"""The session ids of identified people."""

from __future__ import annotations

import re
import string
from dataclasses import replace

from parley.common.auth.visitor_session import (
    SESSION_HANDLE_PATTERN,
    SESSION_ID_PATTERN,
    IdentifiedSession,
    IdentifiedSessions,
    session_handle,
)

SESSIONS = IdentifiedSessions("s" * 32)
ALPHABET = string.ascii_letters + string.digits + "-_"


def test_an_issued_session_is_read_on_its_own_site_with_the_same_secret_only() -> None:
    """A21: nobody but the installation makes the session id of an identified person."""
    handle = SESSIONS.derive_handle(3, "customer-42")
    assert re.match(SESSION_HANDLE_PATTERN, handle)
    session = IdentifiedSession(handle, 10, 2_000_000_000)
    session_id = SESSIONS.issue(3, session)
    assert re.match(SESSION_ID_PATTERN, session_id)
    assert SESSIONS.issue(3, session) != session_id, "each device has its own"
    assert SESSIONS.read(3, session_id) == session
    assert SESSIONS.read(4, session_id) is None
    assert IdentifiedSessions("t" * 32).read(3, session_id) is None
    for position in range(len("identified-"), len(session_id)):
        other = "A" if session_id[position] != "A" else "B"
        assert SESSIONS.read(3, session_id[:position] + other + session_id[position + 1 :]) is None
    for text in ("identified-", "identified-" + "A" * 80, "identified-é", session_id[:-4], session_id + "AAAA"):
        assert SESSIONS.read(3, text) is None


def test_an_ended_session_has_no_second_spelling() -> None:
    """A session ends by the hash of its id. The last character has bits that encode nothing: they are not free."""
    session_id = SESSIONS.issue(3, IdentifiedSession(SESSIONS.derive_handle(3, "customer-42"), 10, 2_000_000_000))
    spellings = [session_id[:-1] + last for last in ALPHABET]
    assert [text for text in spellings if SESSIONS.read(3, text) is not None] == [session_id]


def test_a_persons_handle_differs_by_site_and_secret_and_from_that_of_any_session_id() -> None:
    handle = SESSIONS.derive_handle(3, "42")
    others = [
        SESSIONS.derive_handle(4, "42"),
        SESSIONS.derive_handle(3, "43"),
        IdentifiedSessions("t" * 32).derive_handle(3, "42"),
        session_handle(3, "42"),
        session_handle(3, "person:3:42"),
    ]
    assert handle not in others
    session = replace(IdentifiedSession(handle, 1, 1))
    assert session_handle(3, SESSIONS.issue(3, session)) != handle
