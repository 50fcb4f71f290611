"""Environment variables of the translate service, validated before the first socket opens."""

from __future__ import annotations

from typing import Self

from pydantic import Field, field_validator, model_validator

from parley.common.runtime.settings import CommaSeparated, DatabaseSettings, split_commas
from parley.translate.engines.registry import ENGINES, UnknownEngine


class TranslateSettings(DatabaseSettings):
    """Settings of translate, in addition to those of every service with a database."""

    translate_engines: CommaSeparated = Field(
        (),
        description="Engines in order of preference: google, libretranslate, local. Empty: all that are configured.",
    )
    translate_glossary: CommaSeparated = Field((), description="Terms that are never translated, on every site.")
    translate_daily_characters: int = Field(
        500_000, ge=0, description="Quota of a site for paid engines, in characters per day (UTC); 0: no limit."
    )
    translate_longest: int = Field(
        10_000, ge=100, le=50_000, description="Maximum length of a text to translate, in characters."
    )
    translate_call_seconds: float = Field(5.0, gt=0, le=60, description="Timeout of one call to one engine.")
    translate_seconds: float = Field(12.0, gt=0, le=120, description="Timeout of a text, over all engines tried.")
    translate_answer_seconds: float = Field(
        1.8, gt=0, le=30, description="Timeout of a text that chat waits for; less than chat's own timeout."
    )
    translate_cache_days: int = Field(30, ge=1, le=365, description="Retention of cached translations in MongoDB.")
    translate_cache_bytes: int = Field(
        32_000_000, ge=0, le=4_000_000_000, description="Maximum size of the translation cache in memory."
    )
    translate_at_once: int = Field(
        32, ge=1, le=256, description="Maximum number of conversations translated concurrently."
    )
    google_project: str | None = Field(None, description="Google Cloud project; configures the engine google.")
    google_location: str = Field("global", description="Google Cloud location; a glossary needs one like us-central1.")
    google_endpoint: str = Field("translate.googleapis.com", description="Host, with :port if it is not 443.")
    google_glossary: str | None = Field(None, description="Id of a glossary in that location.")
    google_model: str | None = Field(None, description="Model, like general/nmt; by default Google's.")
    google_plaintext: bool = Field(
        False, description="No TLS and no credentials: for a test server, in development only."
    )
    libretranslate_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="URL of a LibreTranslate server; configures libretranslate."
    )
    libretranslate_api_key: str | None = Field(None, description="API key of that server, if it requires one.")

    _split_commas = field_validator("translate_engines", "translate_glossary", mode="before")(split_commas)

    @model_validator(mode="after")
    def _validate_engines(self) -> Self:
        unknown = [name for name in self.translate_engines if name not in ENGINES]
        if unknown:
            raise ValueError(f"PARLEY_TRANSLATE_ENGINES: {UnknownEngine(', '.join(unknown))}")
        unconfigured = [name for name in self.translate_engines if name not in self.configured_engines]
        if unconfigured:
            raise ValueError(f"PARLEY_TRANSLATE_ENGINES: {', '.join(unconfigured)} is not configured")
        if self.google_plaintext and self.env != "development":
            raise ValueError("PARLEY_GOOGLE_PLAINTEXT is for development only")
        return self

    @property
    def configured_engines(self) -> tuple[str, ...]:
        """The names of all configured engines, in the default order."""
        return tuple(name for name, spec in ENGINES.items() if spec.is_configured(self))

    @property
    def engine_names(self) -> tuple[str, ...]:
        """The names of the engines to use, in order of preference."""
        return self.translate_engines or self.configured_engines
