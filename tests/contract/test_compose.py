"""The compose file gives each service what it reads, holds it to a cluster's rules, and starts all in order."""

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
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return _made(tmp_path_factory.mktemp("deploy") / ".env")


def _made(file: Path) -> dict[str, str]:
    subprocess.run([str(DEPLOY / "make-env.sh"), str(file)], check=True, capture_output=True)
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def _filled(value: str, secrets: dict[str, str]) -> str:
    def known(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        assert default is not None or secrets.get(name), f"{name} is made by nobody"
        return secrets.get(name) or default or ""

    return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*)|:\?[^}]*)\}", known, value)


def test_services_are_given_what_they_read_and_accept_it(
    compose: dict[str, Any], secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in SERVICES:
        read = variables(settings_class(service))
        given = {name: _filled(value, secrets) for name, value in compose["services"][service]["environment"].items()}
        assert set(given) <= set(read), f"{service} does not read {set(given) - set(read)}"
        with monkeypatch.context() as patched:
            for name in read:
                patched.delenv(name, raising=False)
            for name, value in given.items():
                patched.setenv(name, value)
            settings_class(service)()


def test_every_variable_in_the_file_is_made_or_has_a_default(compose: dict[str, Any], secrets: dict[str, str]) -> None:
    _filled(yaml.safe_dump(compose, width=10_000), secrets)


def test_secrets_in_use_are_never_changed_and_are_the_owners_alone(tmp_path: Path) -> None:
    first = _made(tmp_path / ".env")
    assert _made(tmp_path / ".env") == first
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    other = _made(tmp_path / "other")
    for name in (name for name in first if "SECRET" in name or "PASSWORD" in name or "KEY" in name):
        assert first[name] != other[name], name
    assert [path.name for path in tmp_path.iterdir() if path.name not in {".env", "other"}] == []


def test_services_are_unprivileged_and_cannot_write(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        container = compose["services"][service]
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]


def test_only_the_gateway_is_reached_from_outside(compose: dict[str, Any]) -> None:
    assert [name for name, container in compose["services"].items() if "ports" in container] == ["gateway"]
    assert compose["networks"]["backends"] == {"internal": True}
    for name, container in compose["services"].items():
        assert (name in SERVICES) == ("services" in container["networks"]), name


def test_everything_starts_after_what_it_needs_is_healthy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services["gateway"]["depends_on"]) == set(SERVICES) - {"gateway"}
    for name in SERVICES[1:]:
        assert {"mongodb-init", "rabbitmq"} <= set(services[name]["depends_on"]), name
    for name, container in services.items():
        for needed, how in container.get("depends_on", {}).items():
            once = needed.endswith("-init")
            assert how["condition"] == ("service_completed_successfully" if once else "service_healthy"), name
            assert once or "healthcheck" in services[needed], f"{needed} never says that it is healthy"


def test_containers_are_given_longer_to_stop_than_the_service_takes(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        read = variables(settings_class(service))
        given = compose["services"][service]["environment"]
        seconds = [
            float(given.get(name, read[name].default)) for name in ("PARLEY_DRAIN_SECONDS", "PARLEY_STOP_SECONDS")
        ]
        assert int(compose["services"][service]["stop_grace_period"].removesuffix("s")) >= sum(seconds) + 10


def test_images_carry_only_what_the_dockerfile_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignored, "everything is left out but what is let in"
    let_in = {line.removeprefix("!").partition("/")[0] for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert {source.partition("/")[0] for sources in copied for source in sources.split()} == let_in
