"""Everything chat reads from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from parley.common.runtime.settings import CommaSeparated, StoreSettings, split_commas


class ChatSettings(StoreSettings):
    """Beside what every service with a store reads."""

    public_url: str = Field("http://127.0.0.1:8080", description="Where browsers reach this deployment.")
    uploads_url: str | None = Field(
        None, description="What comes before an image's name, e.g. a CDN's address; <public_url>/uploads by default."
    )
    storage_dir: Path = Field(Path("uploads"), description="Folder for images, where no S3 is configured.")
    s3_endpoint: str | None = Field(None, description="host:port of S3 or MinIO; set, images are kept there.")
    s3_bucket: str = "parley"
    s3_access_key: str | None = None
    s3_secret_key: SecretStr | None = None
    s3_secure: bool = Field(True, description="TLS towards S3.")
    openai_url: str | None = Field(None, description="Base URL of a chat completions endpoint; OpenAI's own if unset.")
    openai_api_key: SecretStr | None = Field(None, description="Its key; sets the engine `openai` up.")
    openai_model: str = Field("gpt-4o-mini", description="The model, where a site names none.")
    openai_temperature: float = Field(0.2, ge=0, le=2)
    openai_seconds: float = Field(
        20.0, gt=0, le=60, description="For an answer to begin, and between two pieces of it."
    )
    openai_answer_tokens: int = Field(700, ge=1, le=8000, description="Tokens of the longest answer.")
    ai_daily_tokens: int = Field(
        500_000, ge=0, description="Tokens a site may spend a day (UTC); then the built-in engine answers. 0: no limit."
    )
    ai_private_hosts: CommaSeparated = Field(
        (),
        description="Hosts that sites may name as AI endpoints of their own though they are not on the public "
        "internet, or have no TLS: host or host:port, comma-separated.",
    )
    owner_email: str | None = Field(None, description="Makes the first owner at start, once.")
    owner_password: SecretStr | None = Field(None, description="The first owner's password, at least 10 characters.")

    _commas = field_validator("ai_private_hosts", mode="before")(split_commas)

    @model_validator(mode="after")
    def _s3_is_whole(self) -> Self:
        if self.s3_endpoint and not (self.s3_access_key and self.s3_secret_key):
            raise ValueError("PARLEY_S3_ENDPOINT needs PARLEY_S3_ACCESS_KEY and PARLEY_S3_SECRET_KEY")
        if bool(self.owner_email) != bool(self.owner_password):
            raise ValueError("PARLEY_OWNER_EMAIL and PARLEY_OWNER_PASSWORD go together")
        return self

    @property
    def image_base(self) -> str:
        """What comes before an image's name."""
        base = self.uploads_url or f"{self.public_url.rstrip('/')}/uploads"
        return base.rstrip("/") + "/"
