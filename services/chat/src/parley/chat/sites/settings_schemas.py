"""Request and response bodies of business hours, translation settings and AI settings of a site."""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

from parley.chat.ai.engines.registry import ENGINES
from parley.chat.ai.timeouts import REPLY_TIMEOUT_SECONDS
from parley.chat.common_fields import TimeZoneName
from parley.chat.sites.business_hours import MINUTES_PER_DAY, BusinessHours, TimeRange
from parley.chat.sites.chatbot import (
    AiCaps,
    AiPrices,
    AiSettings,
    EmbeddingChoice,
    FilesSettings,
    TranslationSettings,
    WhenCapReached,
)
from parley.chat.sites.engine_check_schemas import EngineCheckSchema, serialize_check
from parley.chat.sites.site_settings import SiteSettings
from parley.common.events.schemas import FileKind
from parley.common.http import RequestBody
from parley.common.translation import TranslationEngine

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = get_args(Day)

_ENDPOINT = re.compile(
    r"https?://(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9_.~%/-]*)?\Z"
)
_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"


def _validate_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("is not a date, for example 2026-12-25") from None
    return text


def _validate_endpoint(url: str) -> str:
    """Return a URL that has no credentials, query or fragment, without its last slash. Raises ValueError."""
    try:
        valid = not url or (_ENDPOINT.match(url) and urlsplit(url).hostname and urlsplit(url).port != 0)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("must be a URL like https://ai.example.com/v1, without credentials, query or fragment")
    return url.rstrip("/")


TimeOfDay = Annotated[str, StringConstraints(pattern=_TIME, max_length=5)]
ClosedDate = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10), AfterValidator(_validate_date)
]
GlossaryTerm = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
BaseUrl = Annotated[str, StringConstraints(max_length=300), AfterValidator(_validate_endpoint)]
ModelName = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9._:/-]*$")]
FallbackId = Annotated[str, StringConstraints(max_length=16, pattern=r"^[a-z0-9]+$")]
MAX_FALLBACKS = 3


def _check_engine(name: str) -> str:
    if name not in ENGINES:
        raise ValueError(f"Input should be {' or '.join(map(repr, ENGINES))}")
    return name


EngineName = Annotated[str, AfterValidator(_check_engine), WithJsonSchema({"type": "string", "enum": list(ENGINES)})]
ApiKeyText = Annotated[str, StringConstraints(max_length=500, pattern=r"^[!-~]*$")]


class TimeRangeBody(RequestBody):
    """Part of a weekday. Hours past midnight need two: one until 24:00, one from 00:00 of the next day."""

    day: Day
    from_: TimeOfDay = Field(alias="from", description="In the site's time zone, for example 09:00.")
    to: TimeOfDay = Field(description="Later than `from`; 24:00 is midnight at the end of the day.")

    @model_validator(mode="after")
    def _check_order(self) -> TimeRangeBody:
        time_range = self.to_time_range()
        if time_range.end <= time_range.start:
            raise ValueError("must end later than it begins; 24:00 is midnight at the end of the day")
        return self

    def to_time_range(self) -> TimeRange:
        return TimeRange(DAYS.index(self.day), _parse_minutes(self.from_), _parse_minutes(self.to))


class BusinessHoursBody(RequestBody):
    """Business hours. Outside of them, visitors who ask for a person get a notice that asks for an e-mail address."""

    time_zone: TimeZoneName = Field(description="A name of the IANA time zone database, for example Europe/Berlin.")
    weekly: Annotated[list[TimeRangeBody], Field(max_length=70)] = Field(
        default_factory=list, description="A day may have several. An empty list means all day, every day."
    )
    closed: Annotated[list[ClosedDate], Field(max_length=366)] = Field(
        default_factory=list, description="Dates, in the site's time zone, on which the site is closed."
    )

    @model_validator(mode="after")
    def _check_overlap(self) -> BusinessHoursBody:
        for before, after in pairwise(self._sorted_ranges()):
            if before.day == after.day and after.start < before.end:
                raise ValueError(f"weekly: two ranges of {DAYS[after.day]} overlap")
        return self

    def to_business_hours(self) -> BusinessHours:
        """Convert to the domain model, with ranges and dates in order."""
        closed = tuple(map(date.fromisoformat, sorted(set(self.closed))))
        return BusinessHours(self.time_zone, tuple(self._sorted_ranges()), closed)

    def _sorted_ranges(self) -> list[TimeRange]:
        ranges = [body.to_time_range() for body in self.weekly]
        return sorted(ranges, key=lambda time_range: (time_range.day, time_range.start))


class TranslationSettingsBody(RequestBody):
    """How the site's conversations are translated. The installation's settings apply where a field is absent."""

    engines: Annotated[list[TranslationEngine], Field(max_length=10)] = Field(
        default_factory=list,
        description="Engines in order of preference; engines that the installation does not offer are skipped.",
    )
    glossary: Annotated[list[GlossaryTerm], Field(max_length=200)] = Field(
        default_factory=list, description="Names and terms that are never translated."
    )
    daily_characters: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None,
        description="Maximum characters per day (UTC) for paid engines, where that is less than the installation's "
        "limit.",
    )

    def to_settings(self) -> TranslationSettings:
        engines, glossary = tuple(dict.fromkeys(self.engines)), tuple(dict.fromkeys(self.glossary))
        return TranslationSettings(engines, glossary, self.daily_characters)


class FilesSettingsBody(RequestBody):
    """What may be sent besides text and images. The installation's limits apply as well."""

    enabled_for_visitors: bool = Field(True, description="Whether visitors may send files. Operators always may.")
    kinds: Annotated[list[FileKind], Field(max_length=10)] = Field(
        default_factory=lambda: list(get_args(FileKind)), description="The kinds of files that are accepted."
    )
    max_bytes: Annotated[int, Field(ge=1, le=1_073_741_824)] | None = Field(
        None, description="Maximum size of one file, where that is less than the installation's limit."
    )
    expire_days: Annotated[int, Field(ge=1, le=3650)] | None = Field(
        None,
        description="Days after which the content of a file is deleted, for files that are sent from now on; null for"
        " never.",
    )

    def to_settings(self) -> FilesSettings:
        return FilesSettings(
            self.enabled_for_visitors, tuple(dict.fromkeys(self.kinds)), self.max_bytes, self.expire_days
        )


class AiSettingsBody(RequestBody):
    """Settings of the engine `openai` on this site.

    Fields that are absent stay unchanged; null is the installation's setting.
    """

    base_url: BaseUrl | None = Field(
        None,
        description="The site's own chat completions endpoint: https, on the public internet. A change deletes the "
        "API key that was set for the previous endpoint.",
    )
    api_key: ApiKeyText | None = Field(
        None,
        description="API key of the endpoint. Stored encrypted and never shown; responses say `api_key_set`.",
        repr=False,
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seconds: Annotated[float, Field(ge=1, le=REPLY_TIMEOUT_SECONDS)] | None = Field(
        None, description="Timeout until the reply begins, and between two parts of it."
    )
    answer_tokens: Annotated[int, Field(ge=1, le=8000)] | None = Field(None, description="Maximum length of a reply.")
    daily_tokens: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = Field(
        None,
        description="Maximum tokens per day (UTC), where that is less than the installation's limit: of replies, "
        "embeddings, drafts, checks and answer tests. `caps.when_reached` says what happens after that.",
    )
    embeddings: EmbeddingChoice | None = Field(
        None,
        description="What compares the meaning of questions and knowledge: the model that comes with Parley (local, "
        "also null), the embeddings of the AI endpoint, or nothing, so that only words are compared.",
    )
    embedding_model: Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9._:/-]*$")] | None = Field(
        None, description="The endpoint's name of its model for embeddings; needed for `embeddings: endpoint`."
    )

    images: bool | None = Field(
        None,
        description="Whether images that visitors send are shown to models of which the last check has found that they "
        "see images.",
    )

    def to_fields(self) -> dict[str, Any]:
        """Return the fields that were given; an empty text becomes None."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: None if value == "" else value for name, value in given.items()}


_DEFAULT_CAPS = AiCaps()
ReplyCap = Annotated[int, Field(ge=1, le=10_000_000)]


class AiCapsBody(RequestBody):
    """The most replies of engines with costs per day (UTC). Each is reserved before the engine is called.

    A field that is absent has its default, null is no cap. What the built-in engine replies is not counted.
    """

    site: ReplyCap | None = None
    address: ReplyCap | None = Field(
        _DEFAULT_CAPS.address, description="To one IP address; an IPv6 network of 64 bits counts as one."
    )
    session: ReplyCap | None = Field(_DEFAULT_CAPS.session, description="To one visitor.")
    conversation: ReplyCap | None = _DEFAULT_CAPS.conversation
    when_reached: WhenCapReached = Field(
        "handoff",
        description="What happens when a cap or the tokens of the day (`ai.daily_tokens`) are used up: a person is"
        " asked for, or the built-in engine replies. It also replies where nobody may be asked for.",
    )

    def to_caps(self) -> AiCaps:
        return AiCaps(**self.model_dump())


Price = Annotated[float, Field(ge=0, le=1_000_000)]


class AiPricesBody(RequestBody):
    """Prices of a million tokens. What was used before they are changed keeps its cost."""

    currency: Annotated[str, StringConstraints(pattern=r"^([A-Z]{3})?$", max_length=3)] = Field(
        "", description="ISO 4217, such as EUR; empty: costs are not shown."
    )
    input: Price | None = Field(None, description="Of the first engine's prompts; null: not known.")
    output: Price | None = Field(None, description="Of the first engine's replies.")
    embedding: Price | None = Field(None, description="Of the endpoint's embeddings.")

    def to_prices(self) -> AiPrices:
        return AiPrices(**self.model_dump())


class FallbackBody(RequestBody):
    """An engine that answers when those before it fail."""

    id: FallbackId | None = Field(None, description="Of a fallback that the site has; absent for a new one.")
    engine: EngineName
    model: ModelName | None = Field(None, description="The engine's name of a model; null or empty for the default.")
    base_url: BaseUrl | None = Field(
        None, description="The endpoint: https, on the public internet; null or empty for the installation's."
    )
    input_price: Price | None = Field(None, description="Of a million tokens of prompts; null: not known.")
    output_price: Price | None = Field(None, description="Of a million tokens of replies.")
    api_key: ApiKeyText | None = Field(
        None,
        description="API key of the endpoint. Absent or null: that of the fallback with this id, if its endpoint is the"
        " same. Empty: none.",
        repr=False,
    )


class AiCapsSchema(BaseModel):
    site: int | None
    address: int | None
    session: int | None
    conversation: int | None
    when_reached: WhenCapReached


class AiPricesSchema(BaseModel):
    currency: str
    input: float | None
    output: float | None
    embedding: float | None


class FallbackSchema(BaseModel):
    id: str
    engine: str
    model: str | None
    base_url: str | None
    input_price: float | None
    output_price: float | None
    api_key_set: bool
    check: EngineCheckSchema | None = Field(description="What the last check of the endpoint has found.")


class AiErrorSchema(BaseModel):
    message: str
    code: str
    at: datetime


class EngineStateSchema(BaseModel):
    """An engine that fails: it is left alone, and those after it answer."""

    engine: str = Field(description="The id of a fallback, or `primary`.")
    since: datetime
    retry_at: datetime | None
    error: AiErrorSchema


class TimeRangeSchema(BaseModel):
    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    day: Day
    from_: str = Field(alias="from")
    to: str


class BusinessHoursSchema(BaseModel):
    time_zone: str
    weekly: list[TimeRangeSchema]
    closed: list[date]


class TranslationSettingsSchema(BaseModel):
    engines: list[str]
    glossary: list[str]
    daily_characters: int | None


class FilesSettingsSchema(BaseModel):
    enabled_for_visitors: bool
    kinds: list[FileKind]
    max_bytes: int | None
    expire_days: int | None


class AiSettingsSchema(BaseModel):
    """Settings of the engine `openai` on this site; null is the installation's setting."""

    base_url: str | None
    api_key_set: bool
    temperature: float | None
    seconds: float | None
    answer_tokens: int | None
    daily_tokens: int | None
    embeddings: EmbeddingChoice
    embedding_model: str | None
    images: bool


def serialize_business_hours(hours: BusinessHours | None) -> BusinessHoursSchema | None:
    if hours is None:
        return None
    weekly = [
        TimeRangeSchema(
            day=DAYS[time_range.day],
            from_=_format_minutes(time_range.start),
            to=_format_minutes(time_range.end),
        )
        for time_range in hours.weekly
    ]
    return BusinessHoursSchema(time_zone=hours.time_zone, weekly=weekly, closed=list(hours.closed))


def serialize_ai_settings(ai: AiSettings) -> AiSettingsSchema:
    """Convert AI settings; of the API key, only whether it is set."""
    return AiSettingsSchema(
        base_url=ai.base_url,
        api_key_set=ai.encrypted_key is not None,
        temperature=ai.temperature,
        seconds=ai.seconds,
        answer_tokens=ai.answer_tokens,
        daily_tokens=ai.daily_tokens,
        embeddings=ai.embedding_choice,
        embedding_model=ai.embedding_model,
        images=bool(ai.images),
    )


def serialize_fallbacks(site: SiteSettings) -> list[FallbackSchema]:
    """The engines after the first one; of API keys, only whether they are set."""
    return [
        FallbackSchema(
            id=one.id,
            engine=one.engine,
            model=one.model,
            base_url=one.base_url,
            input_price=one.input_price,
            output_price=one.output_price,
            api_key_set=one.encrypted_key is not None,
            check=serialize_check(check) if (check := site.engine_checks.get(one.id)) else None,
        )
        for one in site.fallbacks
    ]


def serialize_failing_engines(site: SiteSettings) -> list[EngineStateSchema]:
    return [
        EngineStateSchema(
            engine=name,
            since=state.since,
            retry_at=state.retry_at,
            error=AiErrorSchema(message=state.error.message, code=state.error.code, at=state.error.at),
        )
        for name, state in site.engine_states.items()
        if state.since is not None
    ]


def _parse_minutes(time: str) -> int:
    hour, minute = map(int, time.split(":"))
    return hour * 60 + minute


def _format_minutes(minutes: int) -> str:
    return "24:00" if minutes == MINUTES_PER_DAY else f"{minutes // 60:02}:{minutes % 60:02}"
