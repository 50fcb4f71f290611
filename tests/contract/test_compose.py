"""The compose file: valid environment, the same restrictions as in a cluster, and start order."""

from __future__ import annotations

import re
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from parley_dev.environment import settings_class, variables
from support.manifests import ROOT, SERVICES

DEPLOY = ROOT / "deploy"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return document


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return _create_env_file(tmp_path_factory.mktemp("deploy") / ".env")


def _create_env_file(file: Path) -> dict[str, str]:
    subprocess.run([str(DEPLOY / "make-env.sh"), str(file)], check=True, capture_output=True)
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def _substitute(value: str, secrets: dict[str, str]) -> str:
    def substitution(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        assert default is not None or secrets.get(name), f"{name} is set nowhere"
        return secrets.get(name) or default or ""

    return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)\}", substitution, value)


def test_services_get_variables_they_read_and_accept(
    compose: dict[str, Any], secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in SERVICES:
        read = variables(settings_class(service))
        given = {
            name: _substitute(value, secrets) for name, value in compose["services"][service]["environment"].items()
        }
        assert set(given) <= set(read), f"{service} does not read {set(given) - set(read)}"
        with monkeypatch.context() as patched:
            for name in read:
                patched.delenv(name, raising=False)
            for name, value in given.items():
                patched.setenv(name, value)
            settings_class(service)()


def test_every_variable_in_the_file_is_generated_or_has_a_default(
    compose: dict[str, Any], secrets: dict[str, str]
) -> None:
    _substitute(yaml.safe_dump(compose, width=10_000), secrets)


def test_existing_secrets_are_kept_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    first = _create_env_file(tmp_path / ".env")
    assert _create_env_file(tmp_path / ".env") == first
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    other = _create_env_file(tmp_path / "other")
    for name in (name for name in first if "SECRET" in name or "PASSWORD" in name or "KEY" in name):
        assert first[name] != other[name], name
    assert [path.name for path in tmp_path.iterdir() if path.name not in {".env", "other"}] == []


def test_services_are_unprivileged_with_a_read_only_root(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        container = compose["services"][service]
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]


def test_only_the_gateway_is_reachable_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, container in compose["services"].items() if "ports" in container] == ["gateway"]
    assert compose["networks"]["backends"] == {"internal": True}
    for name, container in compose["services"].items():
        assert (name in SERVICES) == ("services" in container["networks"]), name


def test_services_start_after_their_dependencies_are_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services["gateway"]["depends_on"]) == set(SERVICES) - {"gateway"}
    for name in SERVICES[1:]:
        assert {"mongodb-init", "rabbitmq"} <= set(services[name]["depends_on"]), name
    for name, container in services.items():
        for dependency, requirement in container.get("depends_on", {}).items():
            once = dependency.endswith("-init")
            assert requirement["condition"] == ("service_completed_successfully" if once else "service_healthy"), name
            assert once or "healthcheck" in services[dependency], f"{dependency} has no health check"


def test_the_stop_grace_period_exceeds_the_services_own_timeouts(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        read = variables(settings_class(service))
        given = compose["services"][service]["environment"]
        seconds = [
            float(given.get(name, read[name].default)) for name in ("PARLEY_DRAIN_SECONDS", "PARLEY_STOP_SECONDS")
        ]
        assert int(compose["services"][service]["stop_grace_period"].removesuffix("s")) >= sum(seconds) + 10


def test_the_build_context_contains_only_what_the_dockerfile_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored, "everything is excluded except what is listed"
    included = {line.removeprefix("!").partition("/")[0] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert {source.partition("/")[0] for sources in copied for source in sources.split()} == included
