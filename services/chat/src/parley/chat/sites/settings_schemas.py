"""What a site chooses beside its assistant's looks: working hours, translation, its own AI; each checked and shown."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from parley.chat.sites.business_hours import DAY_MINUTES, Hours, Span
from parley.chat.sites.chatbot import AiChoice, TranslationChoice
from parley.common.http import RequestBody
from parley.common.translation import TranslationEngine

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)

_ENDPOINT = re.compile(
    r"https?://(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9_.~%/-]*)?\Z"
)
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("is not a time zone of the IANA database, like Europe/Berlin")
    return name


def _real_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date, like 2026-12-25") from None
    return text


def _endpoint(url: str) -> str:
    """An address without anything in it that does not belong to the endpoint. Raises ValueError."""
    try:
        fits = not url or (_ENDPOINT.match(url) and urlsplit(url).hostname and urlsplit(url).port != 0)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError("must be an address like https://ai.example.com/v1, with nothing behind it and nobody in it")
    return url.rstrip("/")


TimeOfDay = Annotated[str, StringConstraints(pattern=_TIME, max_length=5)]
ZoneName = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(_known_zone)]
ClosedDate = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10), AfterValidator(_real_date)
]
Term = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
BaseUrl = Annotated[str, StringConstraints(max_length=300), AfterValidator(_endpoint)]
ApiKey = Annotated[str, StringConstraints(max_length=500, pattern=r"^[!-~]*$")]


class SpanBody(RequestBody):
    """One stretch of a weekday. One that goes on past midnight is two: until 24:00, and from 00:00."""

    day: Day
    from_: TimeOfDay = Field(alias="from", description="In the site's time zone, like 09:00.")
    to: TimeOfDay = Field(description="When it ends, later than it begins; 24:00 is the midnight at the day's end.")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> SpanBody:
        if self.span.end <= self.span.start:
            raise ValueError("must end later than it begins; 24:00 is the midnight at the day's end")
        return self

    @property
    def span(self) -> Span:
        return Span(DAYS.index(self.day), _minutes(self.from_), _minutes(self.to))


class HoursBody(RequestBody):
    """When the team is there. Outside of it visitors who ask for a person are told so, and asked for an address."""

    time_zone: ZoneName = Field(description="A name of the IANA time zone database, like Europe/Berlin.")
    weekly: Annotated[list[SpanBody], Field(max_length=70)] = Field(
        default_factory=list, description="Several for a day, if need be. None at all: every day, all day."
    )
    closed: Annotated[list[ClosedDate], Field(max_length=366)] = Field(
        default_factory=list, description="Dates, in the site's time zone, on which nobody is there: holidays."
    )

    @model_validator(mode="after")
    def _spans_are_apart(self) -> HoursBody:
        spans = sorted((body.span for body in self.weekly), key=lambda span: (span.day, span.start))
        for before, after in pairwise(spans):
            if before.day == after.day and after.start < before.end:
                raise ValueError(f"weekly: two of {DAYS[after.day]} overlap")
        return self

    @property
    def hours(self) -> Hours:
        """As the domain has them: spans and dates in order."""
        spans = sorted((body.span for body in self.weekly), key=lambda span: (span.day, span.start))
        return Hours(self.time_zone, tuple(spans), tuple(map(date.fromisoformat, sorted(set(self.closed)))))


class TranslationBody(RequestBody):
    """How the site's conversations are translated; what is left out is as the installation has it."""

    engines: Annotated[list[TranslationEngine], Field(max_length=10)] = Field(
        default_factory=list,
        description="Which engines, first to last; ones that the installation has not set up are passed over.",
    )
    glossary: Annotated[list[Term], Field(max_length=200)] = Field(
        default_factory=list, description="Names and terms that are never translated."
    )
    daily_characters: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Characters translated by paid engines a day (UTC), where less than the installation allows."
    )

    @property
    def choice(self) -> TranslationChoice:
        engines, glossary = tuple(dict.fromkeys(self.engines)), tuple(dict.fromkeys(self.glossary))
        return TranslationChoice(engines, glossary, self.daily_characters)


class AiBody(RequestBody):
    """How the engine `openai` answers on this site. What is left out stays; null is as the installation has it."""

    base_url: BaseUrl | None = Field(
        None,
        description="A chat completions endpoint of the site's own, https and on the public internet. Changing it "
        "forgets the key that was set for the one before.",
    )
    api_key: ApiKey | None = Field(
        None, description="Its key. Kept encrypted and never shown again: answers say `api_key_set`.", repr=False
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seconds: Annotated[float, Field(ge=1, le=60)] | None = Field(
        None, description="For an answer to begin, and between two pieces of it."
    )
    answer_tokens: Annotated[int, Field(ge=1, le=8000)] | None = Field(None, description="Of the longest answer.")
    daily_tokens: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None, description="Tokens a day (UTC), where less than the installation allows; then the built-in one answers."
    )

    @property
    def changes(self) -> dict[str, Any]:
        """What was named; an empty text is none."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: None if value == "" else value for name, value in named.items()}


class SpanView(BaseModel):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    day: Day
    from_: str = Field(alias="from")
    to: str


class HoursView(BaseModel):
    time_zone: str
    weekly: list[SpanView]
    closed: list[date]


class TranslationChoiceView(BaseModel):
    engines: list[str]
    glossary: list[str]
    daily_characters: int | None


class AiView(BaseModel):
    """How the engine `openai` answers on this site; null is as the installation has it."""

    base_url: str | None
    api_key_set: bool
    temperature: float | None
    seconds: float | None
    answer_tokens: int | None
    daily_tokens: int | None


def hours_view(hours: Hours | None) -> HoursView | None:
    """Hours as they were set."""
    if hours is None:
        return None
    weekly = [SpanView(day=DAYS[span.day], from_=_clock(span.start), to=_clock(span.end)) for span in hours.weekly]
    return HoursView(time_zone=hours.time_zone, weekly=weekly, closed=list(hours.closed))


def ai_view(ai: AiChoice) -> AiView:
    """The choice, and of its key nothing but that there is one."""
    return AiView(
        base_url=ai.base_url,
        api_key_set=ai.sealed_key is not None,
        temperature=ai.temperature,
        seconds=ai.seconds,
        answer_tokens=ai.answer_tokens,
        daily_tokens=ai.daily_tokens,
    )


def _minutes(time: str) -> int:
    hour, minute = map(int, time.split(":"))
    return hour * 60 + minute


def _clock(minutes: int) -> str:
    return "24:00" if minutes == DAY_MINUTES else f"{minutes // 60:02}:{minutes % 60:02}"
