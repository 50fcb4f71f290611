"""Settings from the environment: one frozen class per service, all faults told at once, before any socket."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

WEAK_SECRETS = frozenset({"secret", "changeme", "change-me", "password", "parley", "development", "dev-secret"})
"""Secrets that everybody knows, in any repetition: refused outside development."""


def env_alias(name: str) -> Any:
    """The environment variable a field is read from."""
    return AliasChoices(name)


class ServiceSettings(BaseSettings):
    """What every service reads. Units stand in the names or in the descriptions."""

    model_config = SettingsConfigDict(env_prefix="PARLEY_", frozen=True, extra="ignore", populate_by_name=True)

    env: Literal["development", "production"] = Field("production", description="Relaxes the checks of secrets.")
    host: str = Field("0.0.0.0", description="Address that both ports listen on.")  # noqa: S104 - a container's door
    port: int = Field(8080, ge=1, le=65535, description="Public port.")
    internal_port: int = Field(9090, ge=1, le=65535, description="Health and metrics.")
    reuse_port: bool = Field(False, description="Share the public port with other processes (SO_REUSEPORT).")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    identity_secret: str = Field(description="Signs the caller's identity between gateway and services; 32+ bytes.")
    amqp_url: str = Field(
        validation_alias=env_alias("AMQP_URL"), description="amqp:// or amqps:// address of RabbitMQ."
    )
    drain_seconds: float = Field(
        0.0, ge=0, le=300, description="Between failing readiness and closing the door, so that balancers notice."
    )
    stop_seconds: float = Field(15.0, gt=0, le=300, description="For requests under way to end when stopping.")

    # Traces. OpenTelemetry's library reads these itself, and more of its kind; here they are checked, and listed.
    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Base URL of a collector that takes OTLP over HTTP, like http://collector:4318: traces are on.",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        description="The same for traces alone, taken as it is, path and all.",
    )
    otel_exporter_otlp_protocol: Literal["http/protobuf"] = Field(
        "http/protobuf", validation_alias=env_alias("OTEL_EXPORTER_OTLP_PROTOCOL")
    )
    otel_exporter_otlp_headers: SecretStr | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_HEADERS"),
        description="Sent to the collector, as name=value, comma-separated; for a key, say.",
    )
    otel_exporter_otlp_timeout: float = Field(
        10.0,
        gt=0,
        le=60,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_TIMEOUT"),
        description="For one batch, with its retries.",
    )
    otel_exporter_otlp_certificate: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_EXPORTER_OTLP_CERTIFICATE"),
        description="File with the certificates that the collector's is checked against.",
    )
    otel_service_name: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_SERVICE_NAME"),
        description="Instead of parley-<service>; leave it where one environment is shared.",
    )
    otel_resource_attributes: str | None = Field(
        None,
        validation_alias=env_alias("OTEL_RESOURCE_ATTRIBUTES"),
        description="Of every span, as name=value, comma-separated.",
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
        description="Which traces are recorded; the gateway decides, the others follow it.",
    )
    otel_traces_sampler_arg: float = Field(
        1.0,
        ge=0,
        le=1,
        validation_alias=env_alias("OTEL_TRACES_SAMPLER_ARG"),
        description="Share of traces, for the samplers by ratio.",
    )
    otel_bsp_max_queue_size: int = Field(
        2048,
        ge=512,
        le=100_000,
        validation_alias=env_alias("OTEL_BSP_MAX_QUEUE_SIZE"),
        description="Spans that wait to be sent; what is more is dropped.",
    )
    otel_sdk_disabled: bool = Field(
        False, validation_alias=env_alias("OTEL_SDK_DISABLED"), description="Turns traces off whatever else is set."
    )

    @property
    def tracing_enabled(self) -> bool:
        """Whether spans are recorded and sent somewhere."""
        named = self.otel_exporter_otlp_traces_endpoint or self.otel_exporter_otlp_endpoint
        return named is not None and not self.otel_sdk_disabled

    @field_validator("otel_exporter_otlp_endpoint", "otel_exporter_otlp_traces_endpoint")
    @classmethod
    def _is_a_collector(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value or None  # Set to nothing is not set, as OpenTelemetry has it.

    @field_validator("amqp_url")
    @classmethod
    def _is_amqp(cls, value: str) -> str:
        if not value.startswith(("amqp://", "amqps://")):
            raise ValueError("must start with amqp:// or amqps://")
        return value

    @field_validator("*")
    @classmethod
    def _secrets_are_strong(cls, value: Any, info: ValidationInfo) -> Any:
        # One by one, so that a weak secret is told together with whatever else is wrong.
        if info.field_name is not None and info.field_name.endswith("_secret"):
            check_secret(value, development=info.data.get("env") == "development")
        return value


class DatabaseSettings(ServiceSettings):
    """What a service with collections of its own reads besides."""

    mongodb_uri: str = Field(
        validation_alias=env_alias("MONGODB_URI"), description="mongodb:// address of a replica set."
    )
    database_prefix: str = Field(
        "parley", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Each service's database is <prefix>_<service>."
    )
    schema_mode: Literal["migrate", "wait"] = Field(
        "migrate",
        validation_alias=env_alias("PARLEY_SCHEMA"),
        description="Who brings the database's schema up: this service at its start (one replica does, the others wait)"
        " or `parley schema migrate` in a job, which the service waits for.",
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _is_mongodb(cls, value: str) -> str:
        if not value.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return value


SettingsT = TypeVar("SettingsT", bound="ServiceSettings")


def split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


CommaSeparated = Annotated[tuple[str, ...], NoDecode]
"""A list in one variable, comma-separated; read with `field_validator(..., mode="before")(split_commas)`."""


def check_secret(value: str | None, *, development: bool) -> None:
    """Refuse a secret that is short or known to everybody. Raises ValueError; `None` means not set."""
    if value is None:
        return
    if len(value.encode()) < 32:
        raise ValueError("must be at least 32 bytes")
    lowered = value.lower()
    weak = len(set(lowered)) < 6 or any(
        lowered.replace(word, "").strip("-_ .0123456789") == "" for word in WEAK_SECRETS
    )
    if weak and not development:
        raise ValueError("is a known or trivial value; make one with: openssl rand -hex 32")


def load_settings(kind: type[SettingsT]) -> SettingsT:
    """Read and check the environment; on faults print every one of them and leave with status 78 (EX_CONFIG)."""
    try:
        return kind()
    except ValidationError as exc:
        exit_with_errors(kind, exc)


def exit_with_errors(kind: type[ServiceSettings], problem: ValidationError) -> NoReturn:
    """Say what is wrong with the configuration, one line a fault, and stop."""
    print(f"The configuration has {problem.error_count()} fault(s):", file=sys.stderr)
    for name, sentence in format_errors(kind, problem):
        print(f"  {name}: {sentence}", file=sys.stderr)
    raise SystemExit(78)


def format_errors(kind: type[ServiceSettings], problem: ValidationError) -> list[tuple[str, str]]:
    """Each fault as the variable's name and what is wrong with it; never the value."""
    return [
        (
            env_var_name(kind, fault["loc"]),
            "is not set" if fault["type"] == "missing" else fault["msg"].removeprefix("Value error, "),
        )
        for fault in problem.errors()
    ]


def env_var_name(kind: type[ServiceSettings], location: tuple[int | str, ...]) -> str:
    """The environment variable behind a field, as an operator writes it."""
    if not location:
        return "settings"
    name = str(location[0])
    field = kind.model_fields.get(name)
    if field is None:
        return name
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"PARLEY_{name.upper()}"
