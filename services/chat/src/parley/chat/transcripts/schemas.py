"""Request bodies and queries of transcripts."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from parley.chat.visitors.emails import to_ascii_email
from parley.chat.widget.schemas import Language, WidgetBody, WidgetQuery
from parley.common.http import RequestBody

MailAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254),
    AfterValidator(to_ascii_email),
    Field(json_schema_extra={"format": "email"}),
]


class TranscriptQuery(WidgetQuery):
    lang: Language | None = Field(None, description="The language of the text around the messages; by default yours.")


class SendTranscriptBody(WidgetBody):
    email: MailAddress
    lang: Language | None = Field(None, description="The language of the text around the messages; by default yours.")


class OperatorSendTranscriptBody(RequestBody):
    email: MailAddress
