"""Settings from the environment: one frozen class per service. Errors are reported together, before a socket opens."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from parley.common.log_partitions import DEFAULT_PARTITIONS, MAX_PARTITIONS

WEAK_SECRETS = frozenset({"secret", "changeme", "change-me", "password", "parley", "development", "dev-secret"})
"""Well-known secrets, also repeated: rejected outside development."""


def env_alias(name: str) -> Any:
    """Name the environment variable that a field is read from, instead of `PARLEY_` and the field's name."""
    return AliasChoices(name)


class ServiceSettings(BaseSettings):
    """The settings of every service. Units are in the names or in the descriptions."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", frozen=True, extra="ignore", populate_by_name=True)

    env: Literal["development", "production"] = Field("production", description="Relaxes the checks of secrets.")
    host: str = Field("0.0.0.0", description="Address that both ports listen on.")  # noqa: S104 - inside a container
    port: int = Field(8080, ge=1, le=65535, description="Public port.")
    internal_port: int = Field(9090, ge=1, le=65535, description="Health and metrics.")
    reuse_port: bool = Field(False, description="Share the public port with other processes (SO_REUSEPORT).")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    identity_secret: str = Field(description="Signs the caller's identity between gateway and services; 32+ bytes.")
    amqp_url: str = Field(
        validation_alias=env_alias("AMQP_URL"), description="amqp:// or amqps:// address of RabbitMQ."
    )
    drain_seconds: float = Field(
        0.0,
        ge=0,
        le=300,
        description="Between failing readiness and closing the public port, for load balancers to notice.",
    )
    stop_seconds: float = Field(15.0, gt=0, le=300, description="For requests in flight to end when stopping.")
    log_partitions: int = Field(
        DEFAULT_PARTITIONS,
        ge=1,
        le=MAX_PARTITIONS,
        description="Streams of the event log; a tenant's events are in one. The same for every service of an"
        " installation; to change it, stop all of them first.",
    )

    # Tracing. OpenTelemetry's library reads these itself, and others; here they are validated and documented.
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Base URL of a collector for OTLP over HTTP, like http://collector:4318. Turns tracing on.",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        description="The same for traces only, as a full URL with its path.",
    )
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = Field(
        "http/protobuf", validation_alias=env_alias("OTEL_EXPORTER_OTLP_PROTOCOL")
    )
    otel_exporter_otlp_headers: SecretStr | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_HEADERS"),
        description="Headers for the collector, as name=value, comma-separated; for example an API key.",
    )
    otel_exporter_otlp_timeout: float = Field(
        10.0,
        gt=0,
        le=60,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_TIMEOUT"),
        description="Timeout for one batch, with its retries.",
    )
    otel_exporter_otlp_certificate: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_CERTIFICATE"),
        description="File with the CA certificates to verify the collector.",
    )
    otel_service_name: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_SERVICE_NAME"),
        description="Instead of parley-<service>; leave it unset if services share an environment.",
    )
    otel_resource_attributes: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_RESOURCE_ATTRIBUTES"),
        description="Attributes of every span, as name=value, comma-separated.",
    )
    otel_traces_sampler: Literal[
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
        "always_on",
        "always_off",
        "traceidratio",
    ] = Field(
        "parentbased_always_on",
        validation_alias=env_alias("OTEL_TRACES_SAMPLER"),
        description="Which traces are recorded; the gateway decides, and the other services follow.",
    )
    otel_traces_sampler_arg: float = Field(
        1.0,
        ge=0,
        le=1,
        validation_alias=env_alias("OTEL_TRACES_SAMPLER_ARG"),
        description="Share of traces, for the ratio samplers.",
    )
    otel_bsp_max_queue_size: int = Field(
        2048,
        ge=512,
        le=100_000,
        validation_alias=env_alias("OTEL_BSP_MAX_QUEUE_SIZE"),
        description="Spans that wait to be exported; further ones are dropped.",
    )
    otel_sdk_disabled: bool = Field(
        False, validation_alias=env_alias("OTEL_SDK_DISABLED"), description="Turns tracing off, whatever else is set."
    )

    @property
    def tracing_enabled(self) -> bool:
        """Whether spans are recorded and exported."""
        endpoint = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return endpoint is not None and not self.otel_sdk_disabled

    @field_validator("otel_exporter_otlp_endpoint", "otel_exporter_otlp_traces_endpoint")
    @classmethod
    def _validate_collector_url(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value or None  # OpenTelemetry treats an empty variable as not set.

    @field_validator("amqp_url")
    @classmethod
    def _validate_amqp_url(cls, value: str) -> str:
        if not value.startswith(("amqp://", "amqps://")):
            raise ValueError("must start with amqp:// or amqps://")
        return value

    @field_validator("*")
    @classmethod
    def _validate_secret(cls, value: Any, info: ValidationInfo) -> Any:
        # Per field, so that a weak secret is reported together with the other errors.
        if info.field_name is not None and info.field_name.endswith("_secret"):
            check_secret(value, development=info.data.get("env") == "development")
        return value


class DatabaseSettings(ServiceSettings):
    """The settings of a service with a database."""

    mongodb_uri: str = Field(
        validation_alias=env_alias("MONGODB_URI"), description="mongodb:// address of a replica set."
    )
    database_prefix: str = Field(
        "parley", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Each service's database is <prefix>_<service>."
    )
    schema_mode: Literal["migrate", "wait"] = Field(
        "migrate",
        validation_alias=env_alias("PARLEY_SCHEMA"),
        description="How the database's schema is migrated: `migrate` by this service at its start (one replica does,"
        " the others wait), `wait` by a job that runs `parley schema migrate`.",
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _validate_mongodb_uri(cls, value: str) -> str:
        if not value.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return value


SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


def split_commas(value: object) -> object:
    """Split a comma-separated string; pass any other value through."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


DEFAULT_FILES_MAX_BYTES = 25 * 1024 * 1024
MAX_FILES_MAX_BYTES = 1024 * 1024 * 1024

# Descriptions of settings that several services have.
FILES_MAX_BYTES_DESCRIPTION = "Maximum size of a file that is not an image. Set it alike for gateway and chat."
SILENT_VISITOR_DAYS_DESCRIPTION = (
    "Days after which a visitor who never wrote, left no address and was not blocked is removed, with images that were"
    " uploaded and not sent. Set it alike for chat and presence."
)
SMTP_HOST_DESCRIPTION = "The mail server. Without it no mail is sent. Set it alike for chat and notify."

CommaSeparated = Annotated[tuple[str, ...], NoDecode]
"""A comma-separated list in one variable; parse it with `field_validator(..., mode="before")(split_commas)`."""


def check_secret(value: str | None, *, development: bool) -> None:
    """Validate a secret; None means not set. Raises ValueError if it is short or well known."""
    if value is None:
        return
    if len(value.encode()) < 32:
        raise ValueError("must be at least 32 bytes")
    lowered = value.lower()
    weak = len(set(lowered)) < 6 or any(
        lowered.replace(word, "").strip("-_ .0123456789") == "" for word in WEAK_SECRETS
    )
    if weak and not development:
        raise ValueError("is a known or trivial value; generate one with: openssl rand -hex 32")


def load_settings(settings_type: type[SettingsT]) -> SettingsT:
    """Read and validate the environment. On errors, print all of them and exit with status 78 (EX_CONFIG)."""
    try:
        return settings_type()
    except ValidationError as exc:
        exit_with_errors(settings_type, exc)


def exit_with_errors(settings_type: type[ServiceSettings], exc: ValidationError) -> NoReturn:
    """Print the errors of the configuration, one per line, and exit with status 78 (EX_CONFIG)."""
    print(f"The configuration has {exc.error_count()} error(s):", file=sys.stderr)
    for name, reason in format_errors(settings_type, exc):
        print(f"  {name}: {reason}", file=sys.stderr)
    raise SystemExit(78)


def format_errors(settings_type: type[ServiceSettings], exc: ValidationError) -> list[tuple[str, str]]:
    """Return each error as the variable's name and the reason, which never contains the value."""
    return [
        (
            env_var_name(settings_type, error["loc"]),
            "is not set" if error["type"] == "missing" else error["msg"].removeprefix("Value error, "),
        )
        for error in exc.errors()
    ]


def env_var_name(settings_type: type[ServiceSettings], location: tuple[int | str, ...]) -> str:
    """Return the environment variable for a field's location in an error; "settings" for the whole class."""
    if not location:
        return "settings"
    name = str(location[0])
    field = settings_type.model_fields.get(name)
    if field is None:
        return name
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"PARLEY_{name.upper()}"
