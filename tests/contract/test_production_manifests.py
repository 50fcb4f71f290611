"""The production overlay: its backends, scalers, scraping, ingress, jobs and backups."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import click
import pytest
import yaml

from parley.common.cli import load_plugins
from parley.common.cli.main import build_cli
from parley.gateway.server.request_body import MAX_UPLOAD_BYTES
from parley.translate.consumers import message_consumer
from support.manifests import (
    COMPONENTS,
    KUBERNETES,
    OPTIONAL,
    OVERLAYS,
    SERVICES,
    RenderedManifests,
    Variant,
    build,
    get_container,
    matches,
    peers,
    render_overlay,
    schema_jobs,
    stream_paths,
)

pytestmark = pytest.mark.timeout(400)


def test_scalers_keep_two_replicas_and_use_existing_metrics(production: RenderedManifests) -> None:
    for scaler in production.of_kind("HorizontalPodAutoscaler"):
        assert 2 <= scaler["spec"]["minReplicas"] < scaler["spec"]["maxReplicas"]
    queries: defaultdict[str, list[str]] = defaultdict(list)
    for scaler in production.of_kind("ScaledObject"):
        assert 2 <= scaler["spec"]["minReplicaCount"] < scaler["spec"]["maxReplicaCount"]
        fallback = scaler["spec"]["fallback"]
        assert fallback["replicas"] >= 2, "the fallback when the metric is unavailable"
        assert fallback["behavior"] == "currentReplicasIfHigher", "it does not remove pods that run"
        for trigger in scaler["spec"]["triggers"]:
            assert trigger["type"] == "prometheus"
            queries[scaler["metadata"]["name"]].append(trigger["metadata"]["query"])
    for scaler in production.of_kind("HorizontalPodAutoscaler", "ScaledObject"):
        spec = scaler["spec"]
        behavior = spec.get("behavior") or spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        assert [policy["value"] for policy in behavior["scaleDown"]["policies"]] == [1], "pods leave one at a time"
    namespace = production.of_kind("Namespace")[0]["metadata"]["name"]
    queue = message_consumer(cast("Any", None), 1).name
    assert queries == {
        "parley-translate": [f'max(rabbitmq_detailed_queue_messages{{namespace="{namespace}",queue="{queue}"}})'],
        "parley-notify": [
            f'sum(parley_notify_streams{{namespace="{namespace}"}})',
            f'max(parley_notify_push_backlog{{namespace="{namespace}"}})',
        ],
    }


def test_job_commands_are_valid(production: RenderedManifests) -> None:
    for job in schema_jobs(production):
        program, *arguments = get_container(job["spec"]["template"])["command"]
        group, verb, *options = arguments
        schema = build_cli(load_plugins()).commands[group]
        assert isinstance(schema, click.Group)
        parsed = schema.commands[verb].make_context(verb, options).params
        assert (program, group, verb) == ("parley", "schema", "migrate")
        assert parsed["finish_within"] >= 600, "it waits until a rollout is complete"


def test_job_names_contain_the_version(production: RenderedManifests) -> None:
    for service in SERVICES[1:]:
        image = get_container(dict(production.service_pods())[service])["image"]
        job = production.one("Job", f"parley-{service}-schema-{image.rpartition(':')[2]}")
        text = json.dumps(job)
        assert not any(config["metadata"]["name"] in text for config in production.of_kind("ConfigMap")), (
            "a job is immutable, but its configuration changes without a new name"
        )


def test_job_names_of_images_with_digests_fit(kubectl: Path, tmp_path: Path) -> None:
    tree = tmp_path / "k8s"
    shutil.copytree(KUBERNETES, tree)
    path = tree / "overlays" / "production" / "kustomization.yaml"
    content = yaml.safe_load(path.read_text())
    for image in content["images"]:
        image.update(newName=f"registry.example/{image['name']}", digest=f"sha256:{'0f' * 32}")
    path.write_text(yaml.safe_dump(content))
    built = RenderedManifests(Variant("digests", ()), tuple(build(kubectl, path.parent)))
    names = {job["metadata"]["name"] for job in schema_jobs(built)}
    assert names == {f"parley-{service}-schema-0.1.0" for service in SERVICES[1:]}
    assert all(len(name) <= 63 for name in names)
    for _, template in built.service_pods():
        assert get_container(template)["image"].endswith(f":0.1.0@sha256:{'0f' * 32}")


def test_the_route_of_the_gateway_api_does_not_time_out_streams(production: RenderedManifests) -> None:
    route = yaml.safe_load((KUBERNETES / "components" / "gateway-api" / "route.yaml").read_text())
    streams, requests = route["spec"]["rules"]
    assert {match["path"]["value"] for match in streams["matches"]} == stream_paths()
    assert streams["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert requests["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    for rule in (streams, requests):
        (backend,) = rule["backendRefs"]
        ports = production.one("Service", backend["name"])["spec"]["ports"]
        assert backend["port"] in [port["port"] for port in ports]


def test_the_ingress_uses_the_public_host_and_allows_uploads(
    production: RenderedManifests,
) -> None:
    host = urlsplit(str(production.environment("chat")["PARLEY_PUBLIC_URL"])).hostname
    for ingress in production.of_kind("Ingress"):
        assert [rule["host"] for rule in ingress["spec"]["rules"]] == [host]
        assert [entry["hosts"] for entry in ingress["spec"]["tls"]] == [[host]]
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                assert path["backend"]["service"] == {"name": "parley-gateway", "port": {"name": "http"}}
    annotations = production.one("Ingress", "parley")["metadata"]["annotations"]
    size = annotations["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) * 1024 * 1024 > MAX_UPLOAD_BYTES


def test_in_cluster_backends_tolerate_the_loss_of_one_member(production: RenderedManifests) -> None:
    (rabbit,) = production.of_kind("RabbitmqCluster")
    assert rabbit["spec"]["replicas"] == 3
    (mongo,) = production.of_kind("MongoDBCommunity")
    assert mongo["spec"]["members"] == 3
    budgets = {budget["metadata"]["name"]: budget["spec"] for budget in production.of_kind("PodDisruptionBudget")}
    for name in ("parley-rabbitmq", "parley-mongodb"):
        assert budgets[name]["maxUnavailable"] == 1
    anti_affinities = [
        rabbit["spec"]["affinity"]["podAntiAffinity"],
        mongo["spec"]["statefulSet"]["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"],
    ]
    for anti_affinity in anti_affinities:
        (rule,) = anti_affinity["requiredDuringSchedulingIgnoredDuringExecution"]
        assert rule["topologyKey"] == "kubernetes.io/hostname"


def test_queues_grow_to_every_broker_node(production: RenderedManifests) -> None:
    (rabbit,) = production.of_kind("RabbitmqCluster")
    job = production.one("CronJob", "parley-queues")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert job["subdomain"] == f"{rabbit['metadata']['name']}-nodes", "the tools' name resolves as the nodes' names do"
    assert get_container({"spec": job})["image"] == rabbit["spec"]["image"]
    config = job["volumes"][0]["configMap"]["name"]
    assert production.one("ConfigMap", config)["data"]["grow-queues.sh"].startswith("#!/bin/sh\n")


def test_each_service_has_a_database_user_for_its_own_database_only(production: RenderedManifests) -> None:
    (mongo,) = production.of_kind("MongoDBCommunity")
    users = {user["name"]: user for user in mongo["spec"]["users"]}
    assert set(users) == {"parley-exporter", *(f"parley-{service}" for service in SERVICES[1:])}
    assert users["parley-exporter"]["roles"] == [{"name": "clusterMonitor", "db": "admin"}], "it reads no data"
    for service in SERVICES[1:]:
        prefix = production.environment(service)["PARLEY_DATABASE_PREFIX"]
        user = users[f"parley-{service}"]
        assert user["roles"] == [{"name": "readWrite", "db": f"{prefix}_{service}"}]
        reference = production.environment(service)["MONGODB_URI"]
        assert isinstance(reference, dict)
        assert reference["name"] == user["connectionStringSecretName"]


def test_scraped_ports_exist(production: RenderedManifests) -> None:
    (own,) = (monitor for monitor in production.of_kind("PodMonitor") if monitor["metadata"]["name"] == "parley")
    ports = {endpoint["port"] for endpoint in own["spec"]["podMetricsEndpoints"]}
    for service, template in production.service_pods():
        assert matches(own["spec"]["selector"], template["metadata"]["labels"]), service
        assert ports <= {port["name"] for port in get_container(template)["ports"]}, service


def test_mongodb_is_scraped_at_an_exporter_beside_each_member(production: RenderedManifests) -> None:
    (mongo,) = production.of_kind("MongoDBCommunity")
    pod = mongo["spec"]["statefulSet"]["spec"]["template"]["spec"]
    (exporter,) = (container for container in pod["containers"] if container["name"] == "exporter")
    environment = {entry["name"]: entry for entry in exporter["env"]}
    (user,) = (user for user in mongo["spec"]["users"] if user["name"] == environment["MONGODB_USER"]["value"])
    password = environment["MONGODB_PASSWORD"]["valueFrom"]["secretKeyRef"]
    assert password == {**user["passwordSecretRef"], "key": "password"}
    policy = production.one("NetworkPolicy", "parley-mongodb")["spec"]
    monitor = production.one("PodMonitor", "parley-mongodb")["spec"]
    assert monitor["selector"] == policy["podSelector"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    (port,) = (port["containerPort"] for port in exporter["ports"] if port["name"] == endpoint["port"])
    assert f"namespace monitoring:{port}" in {peer for rule in policy["ingress"] for peer in peers(rule, "from")}


def test_each_pod_is_scraped_once_though_two_services_select_it(production: RenderedManifests) -> None:
    assert not production.of_kind("ServiceMonitor"), "it would scrape a pod behind two Services twice"
    for service, template in production.service_pods():
        monitors = [
            monitor["metadata"]["name"]
            for monitor in production.of_kind("PodMonitor")
            if matches(monitor["spec"]["selector"], template["metadata"]["labels"])
        ]
        assert monitors == ["parley"], service


def test_pods_accept_what_the_gateway_sends_to_their_headless_service(production: RenderedManifests) -> None:
    policies = {policy["metadata"]["name"]: policy["spec"] for policy in production.of_kind("NetworkPolicy")}
    out = {peer for rule in policies["parley-gateway"]["egress"] for peer in peers(rule, "to")}
    for service in SERVICES[1:]:
        spec = production.one("Service", f"parley-{service}-replicas")["spec"]
        assert not spec.get("publishNotReadyAddresses"), "the gateway gets the addresses of ready pods"
        (port,) = (port["port"] for port in spec["ports"])
        assert f"{spec['selector']['app.kubernetes.io/name']}:{port}" in out
        into = {peer for rule in policies[f"parley-{service}"]["ingress"] for peer in peers(rule, "from")}
        assert f"parley-gateway:{port}" in into


def test_overlays_build_and_every_component_has_a_readme(kubectl: Path) -> None:
    for overlay in OVERLAYS:
        assert render_overlay(kubectl, overlay).of_kind("Deployment")
    assert render_overlay(kubectl, "production").variant.components == COMPONENTS
    folders = {path.name for path in (KUBERNETES / "components").iterdir()}
    assert folders == {*COMPONENTS, *OPTIONAL}
    for name in folders:
        assert (KUBERNETES / "components" / name / "README.md").read_text().startswith(f"# {name}\n")


def test_backups_run_as_chat_does_with_an_account_of_their_own(kubectl: Path, tmp_path: Path) -> None:
    tree = tmp_path / "k8s"
    shutil.copytree(KUBERNETES, tree)
    folder = tree / "overlays" / "backup"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(
        "resources: [../../base]\ncomponents: [../../components/network-policies, ../../components/backup]\n"
    )
    built = RenderedManifests(Variant("backup", ("network-policies", "backup")), tuple(build(kubectl, folder)))
    template = built.one("CronJob", "parley-backup")["spec"]["jobTemplate"]["spec"]["template"]
    container = get_container(template)
    chat = get_container(built.one("Deployment", "parley-chat")["spec"]["template"])
    assert container["image"] == chat["image"]
    assert container["envFrom"] == chat["envFrom"], "the same bucket"
    references = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in container["env"] if "valueFrom" in one}
    assert references["MONGODB_URI"] == {"name": "parley-backup", "key": "mongodb-uri"}
    assert template["spec"]["securityContext"]["runAsNonRoot"] is True
    policy = built.one("NetworkPolicy", "parley-backup")["spec"]
    assert matches(policy["podSelector"], template["metadata"]["labels"])
    out = {peer for rule in policy["egress"] for peer in peers(rule, "to")}
    assert out == {"parley-mongodb-svc:27017", "outside:443", "namespace kube-system:53"}
