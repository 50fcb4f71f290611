"""A conversation as a text file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from parley.chat.messages.model import Message
from parley.chat.system_messages import get_locale_strings
from parley.chat.transcripts.rendering import MAX_MAIL_LENGTH, to_mail, to_transcript
from parley.common.events.schemas import MessageTranslation, OperatorRef


def _message(seq: int, role: Any, content: str, **fields: Any) -> Message:
    at = datetime(2026, 11, 29, 9, seq, tzinfo=UTC)
    return Message(seq, 1, 1, 50, "sess_1", seq, role, content, at, **fields)


def test_transcript_is_what_the_visitor_reads() -> None:
    translation = MessageTranslation(status="done", content="Gern", lang="de")
    messages = [
        _message(1, "visitor", "Haben Sie\nTee?", image_url="https://chat.test/a.png"),
        _message(2, "ai", "Ja."),
        _message(3, "operator", "Sure", sender=OperatorRef(id=7, name="Alex"), translation=translation),
        _message(4, "system", "Ende"),
    ]
    assert to_transcript("Laden", messages, get_locale_strings("de-AT")) == (
        "Laden\n\n"
        "2026-11-29 09:01 UTC  Sie\nHaben Sie\nTee?\nhttps://chat.test/a.png\n\n"
        "2026-11-29 09:02 UTC  KI-Assistent\nJa.\n\n"
        "2026-11-29 09:03 UTC  Alex\nGern\n\n"
        "2026-11-29 09:04 UTC\nEnde\n"
    )


def test_a_long_conversation_is_cut_at_its_beginning_and_names_add_no_header() -> None:
    messages = [_message(seq, "visitor", f"{seq} " + "x" * 8000) for seq in range(1, 50)]
    mail = to_mail("jane@example.com", "Shop\r\nBcc: joe@example.com", messages, "de")
    assert mail.subject == "Ihr Chat mit Shop Bcc: joe@example.com"
    assert len(mail.text) < MAX_MAIL_LENGTH + 1000
    assert "\n\n…\n\n" in mail.text
    assert "\n49 x" in mail.text
    assert "\n1 x" not in mail.text
