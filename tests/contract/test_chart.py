"""Helm chart: written from the kustomize tree, renders the same, and its values reach their places."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from parley_dev import chart
from support.external_tools import find_helm
from support.manifests import COMPONENTS, KUBERNETES, OPTIONAL, SERVICES, Document, get_container

CHART = KUBERNETES / "chart"
DIGEST = "sha256:" + "0f" * 32

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("cached_schemas")]

VALUES: dict[str, dict[str, Any]] = {
    "schema-jobs": {"schemaJobs": {"enabled": True}},
    "network-policies": {"networkPolicies": {"enabled": True}},
    "autoscaling": {"autoscaling": {"enabled": True}},
    "disruption-budgets": {"disruptionBudgets": {"enabled": True}},
    "monitoring": {"monitoring": {"enabled": True}},
    "tracing": {"tracing": {"enabled": True}},
    "ingress": {"ingress": {"enabled": True}},
    "gateway-api": {"httpRoute": {"enabled": True}},
    "backup": {"backup": {"enabled": True}},
    "in-cluster-backends": {"mongodb": {"inCluster": True}, "rabbitmq": {"inCluster": True}},
}
"""The values that stand for each component."""


@pytest.fixture(scope="module")
def helm() -> str:
    executable = find_helm()
    if executable is None:
        pytest.skip("helm is neither installed nor available for this platform")
    return str(executable)


def _template(helm: str, values: dict[str, Any], scratch: Path, namespace: str = "parley") -> list[Document]:
    path = scratch / "values.yaml"
    path.write_text(json.dumps(values))
    command = [helm, "template", "parley", str(CHART), "--namespace", namespace, "--values", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return [document for document in yaml.load_all(result.stdout, yaml.CSafeLoader) if document]


def _by_name(documents: list[Document]) -> dict[str, Document]:
    return {f"{one['kind']} {one['metadata']['name']}": one for one in documents}


def test_the_templates_are_those_of_the_kustomize_tree(kubectl: Path) -> None:
    written = {path.name: path.read_text() for path in chart.TEMPLATES.glob("*.yaml")}
    built = chart.build_templates(str(kubectl))
    assert set(written) == set(built)
    for name, text in built.items():
        assert written[name] == text, f"{name} is old: run `make chart`"


@pytest.mark.parametrize(
    "components",
    [
        ("disruption-budgets",),
        (),
        ("schema-jobs", "autoscaling"),
        ("network-policies", "monitoring", "ingress"),
        ("schema-jobs", "network-policies", "tracing", "gateway-api", "in-cluster-backends"),
        ("autoscaling", "in-cluster-backends"),
        ("network-policies", "backup"),
        (*COMPONENTS[:-1], *OPTIONAL, COMPONENTS[-1]),
    ],
    ids=lambda components: "+".join(components) or "none",
)
def test_the_chart_renders_as_kustomize_does(
    components: tuple[str, ...], kubectl: Path, helm: str, tmp_path: Path
) -> None:
    values = {} if components == ("disruption-budgets",) else {"disruptionBudgets": {"enabled": False}}
    for name in components:
        values |= VALUES[name]
    rendered = _by_name(_template(helm, values, tmp_path))
    for service in SERVICES:
        annotations = rendered[f"Deployment parley-{service}"]["spec"]["template"]["metadata"].pop("annotations")
        assert set(annotations) == {"checksum/config"}, "a change of configuration causes a rollout"
    expected = _by_name([one for one in chart.render(str(kubectl), components) if one["kind"] != "Namespace"])
    assert set(rendered) == set(expected)
    for name, document in expected.items():
        assert rendered[name] == document, name


def test_values_reach_their_places(helm: str, tmp_path: Path) -> None:
    peer = {"ipBlock": {"cidr": "10.1.0.0/16"}}
    documents = _template(
        helm,
        {
            "publicUrl": "https://chat.example.org",
            "trustedProxies": "10.2.0.0/16",
            "image": {"registry": "registry.example:5000", "tag": "0.2.0", "pullPolicy": "Always"},
            "imagePullSecrets": [{"name": "registry"}],
            "chat": {"replicas": 4, "resources": {"limits": {"memory": "1Gi"}}, "digest": DIGEST},
            "config": {"chat": {"PARLEY_LOG_LEVEL": "debug"}},
            "existingSecrets": {"mongodb": "my-mongodb", "rabbitmq": "my-rabbitmq", "jwt": "my-jwt"},
            "s3": {"endpoint": "s3.example.org", "bucket": "chat"},
            "schemaJobs": {"enabled": True},
            "networkPolicies": {"enabled": True, "peers": {"mongodb": [peer], "rabbitmq": [peer]}},
            "autoscaling": {"enabled": False},
            "ingress": {"enabled": True, "className": "traefik", "tlsSecret": "my-tls"},
            "httpRoute": {"enabled": True, "parentRefs": [{"name": "mine"}]},
        },
        tmp_path,
        "talk",
    )
    for document in documents:
        assert document["metadata"]["namespace"] == "talk"
        if not document["apiVersion"].startswith("gateway."):
            kubernetes_validate.validate(document, "1.37", strict=True)
    built = _by_name(documents)
    deployment = built["Deployment parley-chat"]["spec"]
    container = get_container(deployment["template"])
    assert deployment["replicas"] == 4
    assert container["image"] == f"registry.example:5000/parley/chat:0.2.0@{DIGEST}"
    assert container["imagePullPolicy"] == "Always"
    assert container["resources"] == {"limits": {"memory": "1Gi"}}
    assert deployment["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    secrets = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"]}
    assert secrets["MONGODB_URI"] == {"name": "my-mongodb", "key": "chat"}
    assert secrets["AMQP_URL"] == {"name": "my-rabbitmq", "key": "url"}
    gateway = get_container(built["Deployment parley-gateway"]["spec"]["template"])
    assert gateway["image"] == "registry.example:5000/parley/gateway:0.2.0"
    assert {"name": "my-jwt", "key": "secret"} in [one["valueFrom"]["secretKeyRef"] for one in gateway["env"]]
    config = built["ConfigMap parley-chat"]["data"]
    assert config["PARLEY_PUBLIC_URL"] == "https://chat.example.org"
    assert (config["PARLEY_S3_ENDPOINT"], config["PARLEY_S3_BUCKET"]) == ("s3.example.org", "chat")
    assert config["PARLEY_LOG_LEVEL"] == "debug"
    assert built["ConfigMap parley-gateway"]["data"]["PARLEY_TRUSTED_PROXIES"] == "10.2.0.0/16"
    job = built[f"Job parley-chat-schema-0.2.0-{DIGEST[7:15]}"]["spec"]["template"]
    assert get_container(job)["image"] == container["image"]
    assert "Job parley-notify-schema-0.2.0" in built
    ingress = built["Ingress parley"]["spec"]
    assert (ingress["ingressClassName"], ingress["rules"][0]["host"]) == ("traefik", "chat.example.org")
    assert ingress["tls"] == [{"hosts": ["chat.example.org"], "secretName": "my-tls"}]
    route = built["HTTPRoute parley"]["spec"]
    assert (route["hostnames"], route["parentRefs"]) == (["chat.example.org"], [{"name": "mine"}])
    egress = built["NetworkPolicy parley-chat"]["spec"]["egress"]
    assert [rule["ports"][0]["port"] for rule in egress if rule["to"] == [peer]] == [5672, 27017]


def test_one_backend_can_be_in_the_cluster_and_the_other_outside(helm: str, tmp_path: Path) -> None:
    values = {"mongodb": {"inCluster": True}, "existingSecrets": {"rabbitmq": "my-rabbitmq"}}
    documents = _template(helm, values, tmp_path)
    built = _by_name(documents)
    assert "MongoDBCommunity parley-mongodb" in built
    assert not [one for one in documents if one["kind"] in {"RabbitmqCluster", "CronJob"}]
    for service in SERVICES[1:]:
        container = get_container(built[f"Deployment parley-{service}"]["spec"]["template"])
        secrets = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"]}
        assert secrets["AMQP_URL"] == {"name": "my-rabbitmq", "key": "url"}
        assert secrets["MONGODB_URI"] == {"name": f"parley-mongodb-{service}", "key": "connectionString.standard"}


def test_job_names_of_long_tags_and_digests_fit(helm: str, tmp_path: Path) -> None:
    services = {service: {"digest": DIGEST} for service in ("chat", "translate")}
    values = {"schemaJobs": {"enabled": True}, "image": {"tag": "Release_" + "7" * 100}, **services}
    names = [one["metadata"]["name"] for one in _template(helm, values, tmp_path) if one["kind"] == "Job"]
    assert len(set(names)) == len(SERVICES) - 1
    for name in names:
        assert len(name) <= 63, name
        assert name == name.lower(), name


def test_queries_use_the_releases_namespace(helm: str, tmp_path: Path) -> None:
    documents = _template(helm, {"autoscaling": {"enabled": True}}, tmp_path, "talk")
    queries = [
        trigger["metadata"]["query"]
        for document in documents
        if document["kind"] == "ScaledObject"
        for trigger in document["spec"]["triggers"]
        if trigger["type"] == "prometheus"
    ]
    assert len(queries) == 3
    for query in queries:
        assert 'namespace="talk"' in query


def test_unknown_and_malformed_values_are_refused(helm: str, tmp_path: Path) -> None:
    for values, field in (
        ({"replica": 3}, "replica"),
        ({"chat": {"replicas": -1}}, "replicas"),
        ({"chat": {"digest": "0f0f"}}, "digest"),
        ({"config": {"chat": {"PARLEY_DRAIN_SECONDS": 5}}}, "PARLEY_DRAIN_SECONDS"),
        ({"publicUrl": "chat.example.org"}, "publicUrl"),
    ):
        path = tmp_path / "values.yaml"
        path.write_text(json.dumps(values))
        command = [helm, "template", "parley", str(CHART), "--values", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode, f"{values} is accepted"
        assert field in result.stderr, result.stderr
