"""A conversation as a text file, for its visitor."""

from __future__ import annotations

from collections.abc import Iterable

from parley.chat.messages.model import Message
from parley.chat.system_messages import LocaleStrings


def to_transcript(title: str, messages: Iterable[Message], strings: LocaleStrings) -> str:
    """The title and the messages, a paragraph each, with times in UTC. As the visitor reads them: translated."""
    return "\n\n".join([title, *(_to_paragraph(message, strings) for message in messages)]) + "\n"


def _to_paragraph(message: Message, strings: LocaleStrings) -> str:
    name = message.sender.name if message.sender else ""
    authors = {"visitor": strings.visitor, "ai": strings.assistant, "operator": name, "system": ""}
    head = f"{message.created_at:%Y-%m-%d %H:%M} UTC  {authors[message.role]}".rstrip()
    translation = message.translation
    is_translated = message.role == "operator" and translation is not None and translation.status == "done"
    text = (translation.content if is_translated and translation else None) or message.content
    attached = [message.image_url, message.file.name if message.file else None]
    return "\n".join([head, *(part for part in (text, *attached) if part)])
