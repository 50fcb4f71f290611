"""The gateway's settings, validated before the first socket is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode

from parley.common.runtime.settings import (
    DEFAULT_FILES_MAX_BYTES,
    FILES_MAX_BYTES_DESCRIPTION,
    MAX_FILES_MAX_BYTES,
    CommaSeparated,
    ServiceSettings,
    split_commas,
)
from parley.gateway.rate_limit.limits import DEFAULT_LIMITS, RateLimit, RateLimitScope, parse_limits
from parley.gateway.server.client_ip import IpNetwork

ScopeLimits = Annotated[dict[str, RateLimit], NoDecode]


class GatewaySettings(ServiceSettings):
    """Environment of the gateway. Limits are `class=per_second/burst`, comma-separated, or `off` for a whole scope."""

    jwt_secret: str | None = Field(None, description="Signs and checks the operators' tokens with HS256; 32+ bytes.")
    jwks_url: str | None = Field(None, description="Keys of an external identity provider, instead of jwt_secret.")
    jwt_algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = Field(
        "HS256", description="The one algorithm that tokens may use; never taken from the token."
    )
    jwt_issuer: str = Field("parley", min_length=1, max_length=255)
    jwt_audience: str = Field("parley", min_length=1, max_length=255)
    token_seconds: int = Field(3600, ge=30, le=86400, description="Lifetime of an issued token.")

    chat_urls: CommaSeparated = Field(
        description="Base URLs of chat, comma-separated. Every address of a URL's host is a replica."
    )
    presence_urls: CommaSeparated = Field(description="Base URLs of presence.")
    notify_urls: CommaSeparated = Field(description="Base URLs of notify.")
    translate_urls: CommaSeparated = Field(description="Base URLs of translate.")
    hosts_file: Path | None = Field(
        None,
        description="File in the format of /etc/hosts with the addresses of services, for an installation without DNS."
        " It is read again every two seconds; hosts that it does not name are looked up as usual.",
    )

    trusted_proxies: Annotated[tuple[IpNetwork, ...], NoDecode] = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is trusted, comma-separated."
    )
    limits_address: ScopeLimits = Field(
        DEFAULT_LIMITS[RateLimitScope.ADDRESS],
        description="Per client address; `session` counts new visitors' sessions.",
    )
    limits_session: ScopeLimits = Field(DEFAULT_LIMITS[RateLimitScope.SESSION], description="Per visitor session.")
    limits_operator: ScopeLimits = Field(DEFAULT_LIMITS[RateLimitScope.OPERATOR], description="Per operator.")
    limits_site: ScopeLimits = Field(
        DEFAULT_LIMITS[RateLimitScope.SITE], description="Per site, for all of its visitors together."
    )
    streams_per_address: int = Field(1000, ge=1, description="Event streams open at the same time from one address.")
    connections_per_address: int = Field(
        4000,
        ge=1,
        description="Connections open at the same time from one address; behind a trusted proxy, requests in flight.",
    )
    hsts_seconds: int = Field(
        31_536_000,
        ge=0,
        description="max-age of Strict-Transport-Security, sent to clients that use TLS: by X-Forwarded-Proto of a"
        " trusted proxy. 0 for none.",
    )
    trust_traceparent: bool = Field(
        False,
        description="Continue the traces of callers with their sampling decision: only behind your own proxy that sets"
        " or strips `traceparent`. Otherwise a new trace starts here, with a link to the caller's.",
    )
    files_max_bytes: int = Field(
        DEFAULT_FILES_MAX_BYTES, ge=1, le=MAX_FILES_MAX_BYTES, description=FILES_MAX_BYTES_DESCRIPTION
    )
    access_log: bool = Field(True, description="Log one line per response.")
    web_dir: Path | None = Field(None, description="Directory of the built panel, widget and demo page, to serve them.")

    _split = field_validator(
        "chat_urls", "presence_urls", "notify_urls", "translate_urls", "trusted_proxies", mode="before"
    )(split_commas)

    @field_validator("limits_address", "limits_session", "limits_operator", "limits_site", mode="before")
    @classmethod
    def _parse_limits(cls, value: object) -> object:
        return parse_limits(value) if isinstance(value, str) else value

    @field_validator("limits_address", "limits_session", "limits_operator", "limits_site")
    @classmethod
    def _add_defaults(cls, value: dict[str, RateLimit], info: ValidationInfo) -> dict[str, RateLimit]:
        scope = RateLimitScope(str(info.field_name).removeprefix("limits_"))
        return {**DEFAULT_LIMITS[scope], **value} if value else {}

    @field_validator("chat_urls", "presence_urls", "notify_urls", "translate_urls")
    @classmethod
    def _check_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("must contain at least one base URL")
        for url in value:
            if not url.startswith(("http://", "https://")) or "@" in url:
                raise ValueError("must be base URLs like http://chat:8080")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _check_jwks_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("must start with https:// (or http:// in development)")
        return value

    @model_validator(mode="after")
    def _check_token_source(self) -> Self:
        if (self.jwt_secret is None) == (self.jwks_url is None):
            raise ValueError("set either PARLEY_JWT_SECRET, or PARLEY_JWKS_URL with PARLEY_JWT_ALGORITHM")
        if (self.jwks_url is None) != (self.jwt_algorithm == "HS256"):
            raise ValueError("PARLEY_JWT_ALGORITHM: HS256 requires PARLEY_JWT_SECRET, the others PARLEY_JWKS_URL")
        if self.jwks_url is not None and self.jwks_url.startswith("http://") and self.env == "production":
            raise ValueError("PARLEY_JWKS_URL must be https:// in production")
        return self

    def limits(self) -> dict[RateLimitScope, dict[str, RateLimit]]:
        """Return the limits of every scope."""
        return {
            RateLimitScope.ADDRESS: self.limits_address,
            RateLimitScope.SESSION: self.limits_session,
            RateLimitScope.OPERATOR: self.limits_operator,
            RateLimitScope.SITE: self.limits_site,
        }

    def upstream_urls(self) -> dict[str, tuple[str, ...]]:
        """Return the base URLs of each service."""
        return {
            "chat": self.chat_urls,
            "presence": self.presence_urls,
            "notify": self.notify_urls,
            "translate": self.translate_urls,
        }
