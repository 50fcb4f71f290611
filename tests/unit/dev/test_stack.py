"""The stack: ports and environment of each service."""

import sys
from pathlib import Path

import pytest

from parley_dev.stack import SERVICES, Stack


def stack(tmp_path: Path, **options: object) -> Stack:
    return Stack(mongodb_uri="mongodb://m", amqp_url="amqp://r", directory=tmp_path, **options)  # type: ignore[arg-type]


def test_each_replica_has_an_address_of_its_own_except_the_gateways(tmp_path: Path) -> None:
    replicas = stack(tmp_path, replicas=2).all_processes()
    assert len(replicas) == 2 * len(SERVICES)
    own = [replica.internal_url for replica in replicas]
    own += [replica.url for replica in replicas if replica.service != "gateway"]
    assert len(set(own)) == len(own)
    gateways = [replica for replica in replicas if replica.service == "gateway"]
    assert gateways[0].url == gateways[1].url


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 on loopback")
def test_the_gateway_finds_the_replicas_of_a_service_behind_one_name(tmp_path: Path) -> None:
    created = stack(tmp_path, replicas=2, gateway_port=8080)
    env = created.environment("gateway")
    assert env["PARLEY_PORT"] == "8080"
    assert env["PARLEY_REUSE_PORT"] == "true"
    first, second = created.processes("chat")
    assert first.port == second.port
    assert env["PARLEY_CHAT_URLS"] == f"http://chat:{first.port}"
    created.write_hosts({"notify": 1})
    hosts = Path(env["PARLEY_HOSTS_FILE"]).read_text().splitlines()
    assert [line for line in hosts if line.endswith(" chat")] == [f"{first.host} chat", f"{second.host} chat"]
    assert len([line for line in hosts if line.endswith(" notify")]) == 1
    assert len(env["PARLEY_JWT_SECRET"]) == 64


def test_a_single_gateway_does_not_share_its_port(tmp_path: Path) -> None:
    assert "PARLEY_REUSE_PORT" not in stack(tmp_path).environment("gateway")


def test_only_the_gateway_gets_the_jwt_secret(tmp_path: Path) -> None:
    created = stack(tmp_path)
    with_secret = [service for service in SERVICES if "PARLEY_JWT_SECRET" in created.environment(service)]
    assert with_secret == ["gateway"]


def test_variables_can_be_added_for_one_service_or_for_all(tmp_path: Path) -> None:
    created = stack(tmp_path, env={"*": {"PARLEY_LOG_LEVEL": "debug"}, "chat": {"PARLEY_X": "1"}}, database_prefix="t1")
    assert created.environment("chat")["PARLEY_X"] == "1"
    assert "PARLEY_X" not in created.environment("notify")
    assert created.environment("notify")["PARLEY_LOG_LEVEL"] == "debug"
    assert created.environment("notify")["PARLEY_DATABASE_PREFIX"] == "t1"


@pytest.mark.parametrize("service", SERVICES)
def test_replicas_can_be_set_for_one_service(tmp_path: Path, service: str) -> None:
    created = stack(tmp_path, replicas={service: 3})
    assert len(created.processes(service)) == 3
    assert len(created.all_processes()) == len(SERVICES) + 2


def test_a_stack_can_be_opened_from_its_description(tmp_path: Path) -> None:
    created = stack(tmp_path, replicas=2, env={"chat": {"PARLEY_X": "1"}}, database_prefix="t1")
    opened = Stack.from_json(created.to_json())
    for service in SERVICES:
        assert opened.environment(service, 1) == created.environment(service, 1)
    assert opened.gateway_url == created.gateway_url
    assert opened.logs == created.logs


def test_children_may_write_bytecode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in stack(tmp_path).environment("chat")
