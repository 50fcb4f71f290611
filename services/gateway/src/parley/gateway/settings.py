"""The gateway's settings: every environment name it reads, checked before the first socket."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode

from parley.common.runtime.settings import CommaSeparated, ServiceSettings, split_commas
from parley.gateway.middleware.client_ip import Network
from parley.gateway.rate_limit.limiter import DEFAULTS, Limit, Scope, read_limits

ScopeLimits = Annotated[dict[str, Limit], NoDecode]


class GatewaySettings(ServiceSettings):
    """What the gateway reads. Limits are `class=per_second/burst`, comma-separated, or `off` for a whole scope."""

    jwt_secret: str | None = Field(None, description="Signs and checks the operators' tokens with HS256; 32+ bytes.")
    jwks_url: str | None = Field(None, description="Keys of an external identity provider, instead of jwt_secret.")
    jwt_algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = Field(
        "HS256", description="The one algorithm that tokens may use; never taken from the token."
    )
    jwt_issuer: str = Field("parley", min_length=1, max_length=255)
    jwt_audience: str = Field("parley", min_length=1, max_length=255)
    token_seconds: int = Field(3600, ge=30, le=86400, description="How long a token of ours is good for.")

    chat_urls: CommaSeparated = Field(description="Base URLs of chat's replicas, comma-separated; round robin.")
    presence_urls: CommaSeparated = Field(description="Base URLs of presence's replicas.")
    notify_urls: CommaSeparated = Field(description="Base URLs of notify's replicas.")
    translate_urls: CommaSeparated = Field(description="Base URLs of translate's replicas.")

    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is believed, comma-separated."
    )
    limits_address: ScopeLimits = Field(DEFAULTS[Scope.ADDRESS], description="Per address of the client.")
    limits_session: ScopeLimits = Field(DEFAULTS[Scope.SESSION], description="Per visitor's session.")
    limits_operator: ScopeLimits = Field(DEFAULTS[Scope.OPERATOR], description="Per operator.")
    limits_site: ScopeLimits = Field(DEFAULTS[Scope.SITE], description="Per site, its visitors taken together.")
    streams_per_address: int = Field(200, ge=1, description="Event streams open at once from one address.")
    trust_traceparent: bool = Field(
        False,
        description="Continue the traces of whoever calls, and believe which are sampled: only behind a proxy of yours"
        " that sets or strips `traceparent`. Else a trace begins here, and links to the caller's.",
    )
    access_log: bool = Field(True, description="One line for every request answered.")
    web_dir: Path | None = Field(None, description="The built panel, widget and demo page, to serve them.")

    _split = field_validator(
        "chat_urls", "presence_urls", "notify_urls", "translate_urls", "trusted_proxies", mode="before"
    )(split_commas)

    @field_validator("limits_address", "limits_session", "limits_operator", "limits_site", mode="before")
    @classmethod
    def _are_limits(cls, value: object) -> object:
        return read_limits(value) if isinstance(value, str) else value

    @field_validator("limits_address", "limits_session", "limits_operator", "limits_site")
    @classmethod
    def _over_defaults(cls, value: dict[str, Limit], info: ValidationInfo) -> dict[str, Limit]:
        scope = Scope(str(info.field_name).removeprefix("limits_"))
        return {**DEFAULTS[scope], **value} if value else {}

    @field_validator("chat_urls", "presence_urls", "notify_urls", "translate_urls")
    @classmethod
    def _are_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("needs at least one base URL")
        for url in value:
            if not url.startswith(("http://", "https://")) or "@" in url:
                raise ValueError("must be base URLs like http://chat:8080")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _is_safe(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must start with https:// (or http:// in development)")
        return value

    @model_validator(mode="after")
    def _one_source_of_tokens(self) -> Self:
        if (self.jwt_secret is None) == (self.jwks_url is None):
            raise ValueError("set PARLEY_JWT_SECRET, or PARLEY_JWKS_URL with PARLEY_JWT_ALGORITHM; one of the two")
        if (self.jwks_url is None) != (self.jwt_algorithm == "HS256"):
            raise ValueError("PARLEY_JWT_ALGORITHM: HS256 goes with PARLEY_JWT_SECRET, the others with PARLEY_JWKS_URL")
        if self.jwks_url is not None and self.jwks_url.startswith("http://") and self.env == "production":
            raise ValueError("PARLEY_JWKS_URL must be https:// outside development")
        return self

    def limits(self) -> dict[Scope, dict[str, Limit]]:
        """The limits of every scope."""
        return {
            Scope.ADDRESS: self.limits_address,
            Scope.SESSION: self.limits_session,
            Scope.OPERATOR: self.limits_operator,
            Scope.SITE: self.limits_site,
        }
