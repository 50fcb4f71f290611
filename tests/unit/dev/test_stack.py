"""The stack: what each service is told of itself and of the others."""

from pathlib import Path

import pytest

from parley_dev.stack import SERVICES, Stack


def stack(tmp_path: Path, **options: object) -> Stack:
    return Stack(mongodb_uri="mongodb://m", amqp_url="amqp://r", directory=tmp_path, **options)  # type: ignore[arg-type]


def test_no_two_processes_share_a_port_but_the_gateways(tmp_path: Path) -> None:
    replicas = stack(tmp_path, replicas=2).all_processes()
    assert len(replicas) == 2 * len(SERVICES)
    own = [replica.internal_port for replica in replicas]
    own += [replica.port for replica in replicas if replica.service != "gateway"]
    assert len(set(own)) == len(own)
    gateways = [replica for replica in replicas if replica.service == "gateway"]
    assert gateways[0].port == gateways[1].port


def test_the_gateway_is_told_where_every_replica_is(tmp_path: Path) -> None:
    made = stack(tmp_path, replicas=2, gateway_port=8080)
    env = made.environment("gateway")
    assert env["PARLEY_PORT"] == "8080"
    assert env["PARLEY_REUSE_PORT"] == "true"
    assert env["PARLEY_CHAT_URLS"] == ",".join(replica.url for replica in made.processes("chat"))
    assert len(env["PARLEY_JWT_SECRET"]) == 64


def test_one_gateway_does_not_share_its_port(tmp_path: Path) -> None:
    assert "PARLEY_REUSE_PORT" not in stack(tmp_path).environment("gateway")


def test_only_the_gateway_knows_the_secret_of_tokens(tmp_path: Path) -> None:
    made = stack(tmp_path)
    knowing = [service for service in SERVICES if "PARLEY_JWT_SECRET" in made.environment(service)]
    assert knowing == ["gateway"]


def test_a_test_may_add_to_the_environment_of_one_service_or_of_all(tmp_path: Path) -> None:
    made = stack(tmp_path, env={"*": {"PARLEY_LOG_LEVEL": "debug"}, "chat": {"PARLEY_X": "1"}}, database_prefix="t1")
    assert made.environment("chat")["PARLEY_X"] == "1"
    assert "PARLEY_X" not in made.environment("notify")
    assert made.environment("notify")["PARLEY_LOG_LEVEL"] == "debug"
    assert made.environment("notify")["PARLEY_DATABASE_PREFIX"] == "t1"


@pytest.mark.parametrize("service", SERVICES)
def test_replicas_can_be_given_for_one_service_alone(tmp_path: Path, service: str) -> None:
    made = stack(tmp_path, replicas={service: 3})
    assert len(made.processes(service)) == 3
    assert len(made.all_processes()) == len(SERVICES) + 2
