"""A conversation as a text file and as a mail, for its visitor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from parley.chat.messages.model import Message
from parley.chat.system_messages import LOCALES, LocaleStrings
from parley.chat.transcripts.model import TranscriptMail
from parley.common.languages import match_language
from parley.common.texts import without_directions

MAX_MAIL_LENGTH = 300_000
"""Characters of the messages in a mail; with more, the oldest ones are left out. Mail servers limit the size."""
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he"})
_HTML = """\
<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family: sans-serif; line-height: 1.4; max-width: 40em">
<h1 style="font-size: 1.2em" dir="auto">{title}</h1>
{paragraphs}
<p style="color: #666; font-size: 0.85em">{footer}</p>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """A message: when and by whom, and its lines."""

    head: str
    body: str

    @property
    def text(self) -> str:
        return f"{self.head}\n{self.body}" if self.body else self.head

    @property
    def html(self) -> str:
        body = escape(self.body).replace("\n", "<br>\n")
        return f'<p><span style="color: #666">{escape(self.head)}</span></p>\n<p dir="auto">{body}</p>'


def to_transcript(title: str, messages: Iterable[Message], strings: LocaleStrings) -> str:
    """The title and the messages, a paragraph each, with times in UTC. As the visitor reads them: translated."""
    return "\n\n".join([title, *(_to_paragraph(message, strings).text for message in messages)]) + "\n"


def to_mail(to: str, title: str, messages: Iterable[Message], language: str | None) -> TranscriptMail:
    """The same as a mail. Nothing in it is of the recipient's or a visitor's choice besides the messages."""
    shown = match_language(language, LOCALES) or "en"
    strings = LOCALES[shown]
    title = " ".join(without_directions(title).split())
    paragraphs = _newest([_to_paragraph(message, strings) for message in messages])
    footer = strings.transcript_footer
    return TranscriptMail(
        to=to,
        subject=strings.transcript_subject.format(name=title),
        text="\n\n".join([title, *(paragraph.text for paragraph in paragraphs), f"-- \n{footer}"]) + "\n",
        html=_HTML.format(
            language=shown,
            direction="rtl" if shown in _RIGHT_TO_LEFT else "ltr",
            title=escape(title),
            paragraphs="\n".join(paragraph.html for paragraph in paragraphs),
            footer=escape(footer),
        ),
        language=shown,
    )


def _newest(paragraphs: Sequence[_Paragraph]) -> Sequence[_Paragraph]:
    """The last paragraphs that a mail has room for, after an ellipsis if there were more."""
    length = 0
    for index in range(len(paragraphs) - 1, -1, -1):
        length += len(paragraphs[index].text)
        if length > MAX_MAIL_LENGTH:
            return [_Paragraph("…", ""), *paragraphs[index + 1 :]]
    return paragraphs


def _to_paragraph(message: Message, strings: LocaleStrings) -> _Paragraph:
    name = message.sender.name if message.sender else ""
    authors = {"visitor": strings.visitor, "ai": strings.assistant, "operator": name, "system": ""}
    head = f"{message.created_at:%Y-%m-%d %H:%M} UTC  {authors[message.role]}".rstrip()
    translation = message.translation
    is_translated = message.role == "operator" and translation is not None and translation.status == "done"
    text = (translation.content if is_translated and translation else None) or message.content
    attached = [message.image_url, message.file.name if message.file else None]
    return _Paragraph(head, "\n".join(part for part in (text, *attached) if part))
