"""Chat's settings, validated before the first socket is opened."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self, get_args

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode

from parley.chat.accounts.password_policy import find_weakness
from parley.chat.ai import timeouts
from parley.common.events.schemas import FileKind
from parley.common.runtime.settings import (
    DEFAULT_FILES_MAX_BYTES,
    FILES_MAX_BYTES_DESCRIPTION,
    MAX_FILES_MAX_BYTES,
    SILENT_VISITOR_DAYS_DESCRIPTION,
    SMTP_HOST_DESCRIPTION,
    CommaSeparated,
    DatabaseSettings,
    split_commas,
)


class ChatSettings(DatabaseSettings):
    """Environment of chat, in addition to that of every service with a database."""

    public_url: str = Field("http://127.0.0.1:8080", description="URL at which browsers reach this deployment.")
    uploads_url: str | None = Field(
        None, description="URL of images without their name, e.g. of a CDN; the default is <public_url>/uploads."
    )
    storage_dir: Path = Field(Path("uploads"), description="Directory for images, if no S3 is configured.")
    s3_endpoint: str | None = Field(None, description="host:port of S3 or a compatible server, to store images there.")
    s3_bucket: str = "parley"
    s3_access_key: str | None = None
    s3_secret_key: SecretStr | None = None
    s3_secure: bool = Field(True, description="Use TLS to S3.")
    files_url: str | None = Field(
        None,
        description="URL of files without id and name, e.g. of a host of their own; the default is <public_url>/files.",
    )
    files_max_bytes: int = Field(
        DEFAULT_FILES_MAX_BYTES, ge=1, le=MAX_FILES_MAX_BYTES, description=FILES_MAX_BYTES_DESCRIPTION
    )
    files_kinds: Annotated[tuple[FileKind, ...], NoDecode] = Field(
        get_args(FileKind),
        description="Kinds of files that sites may accept, comma-separated: pdf, document, text, audio, video.",
    )
    clamd_address: str | None = Field(
        None,
        description="host:port or unix:/path of clamd, which scans files before they are stored. If it does not answer,"
        " no file is accepted.",
    )
    openai_url: str | None = Field(
        None, description="Base URL of a chat completions endpoint; the default is OpenAI's own."
    )
    openai_api_key: SecretStr | None = Field(None, description="API key of the endpoint; enables the engine `openai`.")
    openai_model: str = Field("gpt-4o-mini", description="Model of sites that name none.")
    openai_temperature: float = Field(0.2, ge=0, le=2)
    openai_seconds: float = Field(
        timeouts.ENGINE_IDLE_TIMEOUT_SECONDS,
        gt=0,
        le=timeouts.REPLY_TIMEOUT_SECONDS,
        description="Timeout until a reply begins, and between two parts of it.",
    )
    openai_answer_tokens: int = Field(700, ge=1, le=8000, description="Maximum length of a reply in tokens.")
    ai_daily_tokens: int = Field(
        500_000,
        ge=0,
        description="Maximum tokens of a site per day (UTC); its settings say what happens after that. 0: no limit.",
    )
    ai_session_share: float = Field(
        0.1, gt=0, le=1, description="Share of a site's daily tokens that one visitor's session may use."
    )
    ai_address_share: float = Field(
        0.25, gt=0, le=1, description="Share of a site's daily tokens that one IP address (IPv6: /64 network) may use."
    )
    encryption_secret: str | None = Field(
        None,
        description="Encrypts the keys of sites' own AI endpoints, and identity secrets; 32+ bytes. Without it,"
        " PARLEY_IDENTITY_SECRET does, which then has two uses.",
    )
    ai_private_hosts: CommaSeparated = Field(
        (),
        description="Hosts that sites may use as AI endpoints although they are not on the public internet or have no "
        "TLS: host or host:port, comma-separated.",
    )
    knowledge_private_hosts: CommaSeparated = Field(
        (),
        description="Hosts whose pages sites may read as knowledge although they are not on the public internet: host"
        " or host:port, comma-separated.",
    )
    tool_private_hosts: CommaSeparated = Field(
        (),
        description="Hosts at which sites may have tools and MCP servers although they are not on the public internet"
        " or have no TLS: host or host:port, comma-separated.",
    )
    smtp_host: str | None = Field(None, description=SMTP_HOST_DESCRIPTION)
    silent_visitor_days: int = Field(1, ge=1, le=365, description=SILENT_VISITOR_DAYS_DESCRIPTION)
    owner_email: str | None = Field(None, description="E-mail address of the first owner, who is created once.")
    owner_password: SecretStr | None = Field(
        None, description="Password of the first owner: at least 10 characters, not easy to guess, not the address."
    )

    _split = field_validator(
        "ai_private_hosts", "knowledge_private_hosts", "tool_private_hosts", "files_kinds", mode="before"
    )(split_commas)

    @field_validator("clamd_address")
    @classmethod
    def _check_clamd_address(cls, value: str | None) -> str | None:
        if not value:
            return None
        host, _, port = value.rpartition(":")
        is_port = port.isascii() and port.isdecimal() and 0 < int(port) < 65_536
        if not (value.startswith("unix:/") or (host and is_port)):
            raise ValueError("must be host:port or unix:/path")
        return value

    @field_validator("encryption_secret", "smtp_host", mode="before")
    @classmethod
    def _read_empty_as_unset(cls, value: object) -> object:
        return value or None  # Docker Compose sets the variable also where an older .env does not have it.

    @field_validator("owner_password")
    @classmethod
    def _check_owner_password(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None:
            weakness = find_weakness(value.get_secret_value(), info.data.get("owner_email"))
            if weakness is not None:
                raise ValueError(weakness)
        return value

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.s3_endpoint and not (self.s3_access_key and self.s3_secret_key):
            raise ValueError("PARLEY_S3_ENDPOINT needs PARLEY_S3_ACCESS_KEY and PARLEY_S3_SECRET_KEY")
        if bool(self.owner_email) != bool(self.owner_password):
            raise ValueError("PARLEY_OWNER_EMAIL and PARLEY_OWNER_PASSWORD must be set together")
        return self

    @property
    def mail_is_on(self) -> bool:
        """Whether the installation sends mail, which notify does."""
        return self.smtp_host is not None

    @property
    def silent_visitor_lifetime(self) -> timedelta:
        return timedelta(days=self.silent_visitor_days)

    @property
    def files_base(self) -> str:
        """What precedes the id in a file's URL, ending in a slash."""
        base = self.files_url or f"{self.public_url.rstrip('/')}/files"
        return base.rstrip("/") + "/"

    @property
    def image_base(self) -> str:
        """What precedes the name in an image's URL, ending in a slash."""
        base = self.uploads_url or f"{self.public_url.rstrip('/')}/uploads"
        return base.rstrip("/") + "/"
