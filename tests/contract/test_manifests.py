"""Kubernetes manifests: every variant builds, is valid, and follows the rules of a platform team.

What only the production overlay has is in `test_production_manifests.py`.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from parley_dev.environment import settings_class, variables
from support.manifests import (
    COMPONENTS,
    KUBERNETES,
    OVERLAYS,
    SERVICES,
    Document,
    RenderedManifests,
    build_all,
    get_container,
    matches,
    peers,
    schema_jobs,
    stream_paths,
)

OLDEST, NEWEST = "1.30", "1.37"
"""The versions of Kubernetes that the manifests are validated for; operations.md names the oldest."""

CUSTOM_RESOURCE_GROUPS = ("keda.sh/", "monitoring.coreos.com/", "rabbitmq.com/", "mongodbcommunity.mongodb.com/")
"""Custom resources of operators, for which Kubernetes itself has no schemas."""

# The first test waits until all variants are rendered.
pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("cached_schemas")]

SECRET_NAME = re.compile(r"SECRET|PASSWORD|CREDENTIALS|ACCESS_KEY|API_KEY|^AMQP_URL$|^MONGODB_URI$")


@pytest.fixture(scope="module")
def each(kubectl: Path, tmp_path_factory: pytest.TempPathFactory) -> list[RenderedManifests]:
    """Every variant, rendered."""
    return build_all(kubectl, tmp_path_factory.mktemp("manifests"))


def test_every_variant_is_valid_for_the_oldest_and_newest_kubernetes(each: list[RenderedManifests]) -> None:
    for three in combinations(COMPONENTS, 3):
        combinations_found = {tuple(name in built.variant.components for name in three) for built in each}
        assert len(combinations_found) == 8, f"not every combination of {three} is covered"
    different = {json.dumps(document, sort_keys=True): document for built in each for document in built.documents}
    for document in different.values():
        if not document["apiVersion"].startswith(CUSTOM_RESOURCE_GROUPS):
            for version in (OLDEST, NEWEST):
                kubernetes_validate.validate(document, version, strict=True)


def test_names_are_unique_and_everything_is_in_the_overlays_namespace(each: list[RenderedManifests]) -> None:
    for built in each:
        names = [(document["kind"], document["metadata"]["name"]) for document in built.documents]
        assert len(names) == len(set(names)), built.variant
        (namespace,) = (document["metadata"]["name"] for document in built.of_kind("Namespace"))
        for document in built.documents:
            if document["kind"] != "Namespace":
                assert document["metadata"]["namespace"] == namespace, (str(built.variant), document["kind"])


def test_every_pod_runs_as_an_unprivileged_numeric_user(each: list[RenderedManifests]) -> None:
    for built in each:
        for name, template in built.pods():
            pod = template["spec"]["securityContext"]
            assert pod["runAsNonRoot"] is True, name
            assert pod["runAsUser"] > 0, name
            assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, name
            for container in template["spec"]["containers"]:
                own = container["securityContext"]
                assert own["allowPrivilegeEscalation"] is False, name
                assert own["capabilities"] == {"drop": ["ALL"]}, name


def test_services_can_write_only_to_a_limited_tmp(each: list[RenderedManifests]) -> None:
    for built in each:
        for service, template in built.service_pods():
            container = get_container(template)
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, service
            assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}], service
            assert template["spec"]["volumes"][0]["emptyDir"]["sizeLimit"], service


def test_no_pod_has_an_api_server_token(each: list[RenderedManifests]) -> None:
    for built in each:
        accounts = {account["metadata"]["name"]: account for account in built.of_kind("ServiceAccount")}
        assert all(account["automountServiceAccountToken"] is False for account in accounts.values())
        for name, template in built.pods():
            assert template["spec"]["automountServiceAccountToken"] is False, name
        for service, template in built.service_pods():
            assert template["spec"]["serviceAccountName"] == f"parley-{service}"
            assert f"parley-{service}" in accounts


def test_service_links_are_disabled(each: list[RenderedManifests]) -> None:
    for built in each:
        for name, template in built.pods():
            assert template["spec"]["enableServiceLinks"] is False, name


def test_liveness_probes_ignore_dependencies_and_readiness_probes_check_them(each: list[RenderedManifests]) -> None:
    for built in each:
        for service, template in built.service_pods():
            container = get_container(template)
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            assert ports == {"http": 8080, "internal": 9090}, service
            assert container["startupProbe"]["httpGet"] == {"path": "/livez", "port": "internal"}
            assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "internal"}
            assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "internal"}
            liveness, readiness = container["livenessProbe"], container["readinessProbe"]
            assert _failure_seconds(readiness) < _failure_seconds(liveness), "unready before it is restarted"


def test_the_termination_grace_period_exceeds_the_drain(each: list[RenderedManifests]) -> None:
    for built in each:
        for service, template in built.service_pods():
            settings = {**_defaults(service), **built.environment(service)}
            pre_stop = get_container(template)["lifecycle"]["preStop"]["sleep"]["seconds"]
            drain, stop = (float(settings[f"PARLEY_{name}_SECONDS"]) for name in ("DRAIN", "STOP"))
            assert pre_stop >= 5, "endpoints are removed during the sleep"
            assert template["spec"]["terminationGracePeriodSeconds"] >= pre_stop + drain + stop + 15, service


def test_updates_never_reduce_the_number_of_replicas(each: list[RenderedManifests]) -> None:
    for built in each:
        for service in SERVICES:
            strategy = built.one("Deployment", f"parley-{service}")["spec"]["strategy"]
            assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_replicas_are_spread_over_zones_and_nodes(each: list[RenderedManifests]) -> None:
    for built in each:
        for service, template in built.service_pods():
            spread = template["spec"]["topologySpreadConstraints"]
            assert [rule["topologyKey"] for rule in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
            for rule in spread:
                assert matches(rule["labelSelector"], template["metadata"]["labels"]), service


def test_every_container_has_requests_and_limits(each: list[RenderedManifests]) -> None:
    for built in each:
        for name, template in built.pods():
            for container in template["spec"]["containers"]:
                for side in ("requests", "limits"):
                    assert set(container["resources"][side]) == {"cpu", "memory"}, name


def test_images_have_version_tags(each: list[RenderedManifests]) -> None:
    for built in each:
        for name, template in built.pods():
            for container in template["spec"]["containers"]:
                assert re.fullmatch(r"[a-z/]+:[\w.-]+", container["image"]), name
                assert not container["image"].endswith(":latest"), name


def test_services_select_their_pods(each: list[RenderedManifests]) -> None:
    for built in each:
        templates = dict(built.pods())
        for service in built.of_kind("Service"):
            name = service["metadata"]["name"]
            template = templates[name.removesuffix("-replicas")]
            assert matches({"matchLabels": service["spec"]["selector"]}, template["metadata"]["labels"]), name
            ports = {port["name"]: port["containerPort"] for port in get_container(template)["ports"]}
            for port in service["spec"]["ports"]:
                assert port.get("targetPort", port["name"]) in ports, name


def test_services_read_every_variable_that_is_set(each: list[RenderedManifests]) -> None:
    for built in each:
        for service in SERVICES:
            read = variables(settings_class(service))
            given = built.environment(service)
            assert set(given) <= set(read), f"{service} does not read {set(given) - set(read)}"
            required = {name for name, field in read.items() if field.is_required()}
            assert required <= set(given), f"{service} lacks {required - set(given)}"


def test_services_accept_their_configuration(each: list[RenderedManifests], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MONGODB_URI", "AMQP_URL"):
        monkeypatch.delenv(name, raising=False)
    seen: set[str] = set()
    for built in each:
        for service in SERVICES:
            given = {
                name: value if isinstance(value, str) else _sample_value(name)
                for name, value in built.environment(service).items()
                if isinstance(value, str) or not value.get("optional")
            }
            if (text := json.dumps([service, given], sort_keys=True)) in seen:
                continue
            seen.add(text)
            with monkeypatch.context() as patched:
                for name, value in given.items():
                    patched.setenv(name, value)
                settings = settings_class(service)()
            assert settings.model_fields_set, f"{service} reads what it is given"


def test_secrets_are_given_by_reference_only(each: list[RenderedManifests]) -> None:
    for built in each:
        assert not built.of_kind("Secret"), built.variant
        for document in built.of_kind("ConfigMap"):
            for name, value in document["data"].items():
                assert not SECRET_NAME.search(name), name
                assert not re.search(r"://[^/\s]+:[^/\s]+@", value), name
        for service in SERVICES:
            for name, value in built.environment(service).items():
                assert not SECRET_NAME.search(name) or isinstance(value, dict), f"{service}: {name} is in the manifest"
        for name, template in built.pods():
            for container in template["spec"]["containers"]:
                for entry in container.get("env", ()):
                    assert "value" not in entry or not SECRET_NAME.search(entry["name"]), name


def test_every_referenced_secret_is_created_by_the_script_or_an_operator(
    each: list[RenderedManifests], created: dict[str, dict[str, set[str]]]
) -> None:
    external = {"parley-mongodb": set(SERVICES) - {"gateway"}, "parley-rabbitmq": {"url"}}
    for built in each:
        known = dict(created[built.variant.overlay])
        if "in-cluster-backends" in built.variant.components:
            known |= _created_by_operators(built)
        elif built.variant.overlay == "production":
            known |= external
        for where, name, key in _references(built):
            assert key in known.get(name, ()), f"{built.variant}: nothing creates {key} of Secret {name} for {where}"


@pytest.fixture(scope="module")
def created() -> dict[str, dict[str, set[str]]]:
    return {overlay: {name: set(values) for name, values in _run_make_secrets(overlay).items()} for overlay in OVERLAYS}


def test_generated_secrets_are_strong_and_unique() -> None:
    for overlay in OVERLAYS:
        first, second = _run_make_secrets(overlay), _run_make_secrets(overlay)
        for name in ("parley-identity", "parley-jwt"):
            assert re.fullmatch("[0-9a-f]{64}", first[name]["secret"])
            assert first[name] != second[name]
        assert len(first["parley-owner"]["password"]) >= 10


def test_disruption_budgets_allow_one_unavailable_replica(each: list[RenderedManifests]) -> None:
    for built in each:
        budgets = {budget["metadata"]["name"]: budget["spec"] for budget in built.of_kind("PodDisruptionBudget")}
        if "disruption-budgets" not in built.variant.components:
            assert not set(budgets) & {f"parley-{service}" for service in SERVICES}
            continue
        for service, template in built.service_pods():
            budget = budgets[f"parley-{service}"]
            assert budget["maxUnavailable"] == 1
            assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow", "an unhealthy pod does not block a drain"
            assert matches(budget["selector"], template["metadata"]["labels"])


def test_every_scaled_service_has_one_scaler_and_no_replica_count(each: list[RenderedManifests]) -> None:
    for built in each:
        scaled = [
            scaler["spec"]["scaleTargetRef"]["name"]
            for scaler in built.of_kind("HorizontalPodAutoscaler", "ScaledObject")
        ]
        if "autoscaling" not in built.variant.components:
            assert not scaled
            for service in SERVICES:
                replicas = built.one("Deployment", f"parley-{service}")["spec"]["replicas"]
                assert replicas == (1 if built.variant.overlay == "dev" else 2)
            continue
        assert sorted(scaled) == sorted(f"parley-{service}" for service in SERVICES)
        for service in SERVICES:
            assert "replicas" not in built.one("Deployment", f"parley-{service}")["spec"], service


ALLOWED_DESTINATIONS = {
    "gateway": {
        "parley-rabbitmq:5672",
        "outside:443",
        *(f"parley-{service}:8080" for service in SERVICES if service != "gateway"),
    },
    # 80: pages of websites without TLS that a site learns from.
    "chat": {"parley-rabbitmq:5672", "parley-mongodb-svc:27017", "outside:443", "outside:80"},
    "presence": {"parley-rabbitmq:5672", "parley-mongodb-svc:27017"},
    "notify": {"parley-rabbitmq:5672", "parley-mongodb-svc:27017", "outside:443", "outside:465", "outside:587"},
    "translate": {"parley-rabbitmq:5672", "parley-mongodb-svc:27017", "outside:443"},
}
"""All destinations of each service, except DNS."""

ALLOWED_SOURCES = {
    "gateway": {"namespace ingress-nginx:8080", "namespace monitoring:9090"},
    **{service: {"parley-gateway:8080", "namespace monitoring:9090"} for service in SERVICES if service != "gateway"},
}


def test_network_policies_allow_only_the_listed_connections(each: list[RenderedManifests]) -> None:
    for built in each:
        policies = {policy["metadata"]["name"]: policy["spec"] for policy in built.of_kind("NetworkPolicy")}
        if "network-policies" not in built.variant.components:
            assert not policies, "a single policy would isolate the pods that it selects"
            continue
        assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
        for name, policy in policies.items():
            for rule in policy.get("egress", ()):
                assert rule.get("to"), f"{name} allows egress to everywhere"
                assert rule.get("ports"), f"{name} allows egress on every port"
            for rule in policy.get("ingress", ()):
                assert rule.get("from"), f"{name} allows ingress from everywhere"
                assert rule.get("ports"), f"{name} allows ingress on every port"
        for service, template in built.service_pods():
            selecting = [
                policy
                for name, policy in policies.items()
                if name != "default-deny" and matches(policy["podSelector"], template["metadata"]["labels"])
            ]
            out = {peer for policy in selecting for rule in policy["egress"] for peer in peers(rule, "to")}
            collector = {"namespace monitoring:4318"} if "tracing" in built.variant.components else set()
            assert out == ALLOWED_DESTINATIONS[service] | collector | {"namespace kube-system:53"}, service
            sources = {peer for policy in selecting for rule in policy["ingress"] for peer in peers(rule, "from")}
            assert sources == ALLOWED_SOURCES[service], service


def test_services_wait_for_schema_jobs_when_there_are_any(each: list[RenderedManifests]) -> None:
    for built in each:
        jobs = schema_jobs(built)
        has_jobs = "schema-jobs" in built.variant.components
        assert len(jobs) == (len(SERVICES) - 1 if has_jobs else 0)
        for service in SERVICES[1:]:
            mode = built.environment(service).get("PARLEY_SCHEMA")
            assert mode == ("wait" if has_jobs else None), f"{built.variant}: {service} waits for a Job"


def test_a_job_has_its_services_image_database_and_account(each: list[RenderedManifests]) -> None:
    for built in each:
        for job in schema_jobs(built):
            service = job["metadata"]["name"].split("-")[1]
            template, serving = job["spec"]["template"]["spec"], dict(built.service_pods())[service]
            container = get_container(job["spec"]["template"])
            assert container["image"] == get_container(serving)["image"], "the migrations of the new version"
            assert template["serviceAccountName"] == f"parley-{service}"
            assert template["restartPolicy"] == "Never", "the log of a failed run is kept"
            given = {entry["name"]: entry for entry in container["env"]}
            environment = built.environment(service)
            assert given["MONGODB_URI"]["valueFrom"]["secretKeyRef"] == environment["MONGODB_URI"]
            assert given["PARLEY_DATABASE_PREFIX"]["value"] == environment["PARLEY_DATABASE_PREFIX"]
            assert set(given) == {"MONGODB_URI", "PARLEY_DATABASE_PREFIX"}, "it gets no other secret"


def test_no_selector_matches_a_job(each: list[RenderedManifests]) -> None:
    for built in each:
        for job in schema_jobs(built):
            labels = job["spec"]["template"]["metadata"]["labels"]
            for service in built.of_kind("Service"):
                assert not matches({"matchLabels": service["spec"]["selector"]}, labels), service["metadata"]["name"]
            for owner in built.of_kind("PodDisruptionBudget", "Deployment"):
                assert not matches(owner["spec"]["selector"], labels), owner["metadata"]["name"]


def test_jobs_can_connect_to_the_database_only(each: list[RenderedManifests]) -> None:
    for built in each:
        for job in schema_jobs(built):
            labels = job["spec"]["template"]["metadata"]["labels"]
            policies = [
                policy["spec"]
                for policy in built.of_kind("NetworkPolicy")
                if policy["spec"]["podSelector"] and matches(policy["spec"]["podSelector"], labels)
            ]
            if "network-policies" not in built.variant.components:
                continue
            assert not any(policy.get("ingress") for policy in policies)
            out = {peer for policy in policies for rule in policy["egress"] for peer in peers(rule, "to")}
            assert out == {"parley-mongodb-svc:27017", "namespace kube-system:53"}


def test_traces_are_sent_to_the_allowed_collector_only_with_the_component(each: list[RenderedManifests]) -> None:
    for built in each:
        for service in SERVICES:
            given = built.environment(service)
            if "tracing" not in built.variant.components:
                assert not [name for name in given if name.startswith("OTEL_")], f"{built.variant}: {service}"
                continue
            address = urlsplit(str(given["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            assert (str(address.hostname).partition(".")[2], address.port) == ("monitoring", 4318), service
            assert given["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio", "the gateway samples"
            assert 0 < float(str(given["OTEL_TRACES_SAMPLER_ARG"])) <= 0.1, "a small share"
            assert "OTEL_SERVICE_NAME" not in given, "the environment is shared: every service has its own name"


def test_the_gateways_service_urls_exist(each: list[RenderedManifests]) -> None:
    for built in each:
        given = built.environment("gateway")
        for service in SERVICES[1:]:
            address = urlsplit(str(given[f"PARLEY_{service.upper()}_URLS"]))
            spec = built.one("Service", address.hostname or "")["spec"]
            assert address.port in [port["port"] for port in spec["ports"]], service
            assert spec["clusterIP"] == "None", "each pod's address is behind the name"
            # A headless Service has no port mapping: the gateway connects to the pod itself.
            (target,) = (port["targetPort"] for port in spec["ports"])
            ports = get_container(dict(built.service_pods())[service])["ports"]
            assert address.port in [port["containerPort"] for port in ports if port["name"] == target], service


def test_the_ingress_neither_buffers_nor_times_out_streams(each: list[RenderedManifests]) -> None:
    streams = stream_paths()
    comments = variables(settings_class("notify"))["PARLEY_STREAM_COMMENT_SECONDS"].default
    for built in each:
        if "ingress" not in built.variant.components:
            continue
        stream = built.one("Ingress", "parley-streams")
        annotations = {key.rpartition("/")[2]: value for key, value in stream["metadata"]["annotations"].items()}
        assert annotations["proxy-buffering"] == "off"
        assert int(annotations["proxy-read-timeout"]) > 60 * comments
        paths = stream["spec"]["rules"][0]["http"]["paths"]
        assert {path["path"] for path in paths} == streams
        assert all(path["pathType"] == "Exact" for path in paths)


def _failure_seconds(probe: Document) -> int:
    return int(probe["periodSeconds"]) * int(probe["failureThreshold"])


def _defaults(service: str) -> dict[str, Any]:
    return {name: field.default for name, field in variables(settings_class(service)).items()}


def _sample_value(name: str) -> str:
    known = {
        "MONGODB_URI": "mongodb://user:password@mongodb/?replicaSet=rs0",
        "AMQP_URL": "amqp://user:password@rabbitmq/",
    }
    return known.get(name, "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0")


def _run_make_secrets(overlay: str) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [str(KUBERNETES / "make-secrets.sh"), overlay],
        env={
            "PATH": "/usr/bin:/bin",
            "OWNER_EMAIL": "o'neill@example.com",
            "S3_ACCESS_KEY": "key",
            "S3_SECRET_KEY": "it's: #secret",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    secrets: dict[str, dict[str, str]] = {}
    for document in yaml.safe_load_all(done.stdout):
        if document:
            kubernetes_validate.validate(document, NEWEST, strict=True)
            secrets[document["metadata"]["name"]] = document["stringData"]
    assert secrets["parley-owner"]["email"] == "o'neill@example.com"
    assert secrets["parley-s3"]["secret-key"] == "it's: #secret"
    return secrets


def _created_by_operators(built: RenderedManifests) -> dict[str, set[str]]:
    # The names and keys that the operators document.
    (rabbit,) = built.of_kind("RabbitmqCluster")
    (mongo,) = built.of_kind("MongoDBCommunity")
    made = {f"{rabbit['metadata']['name']}-default-user": {"username", "password", "connection_string"}}
    made[f"{rabbit['metadata']['name']}-erlang-cookie"] = {".erlang.cookie"}
    for user in mongo["spec"]["users"]:
        made[user["connectionStringSecretName"]] = {"connectionString.standard", "connectionString.standardSrv"}
    return made


def _references(built: RenderedManifests) -> Iterator[tuple[str, str, str]]:
    """Yield reader, Secret and key of every required reference."""
    for owner, template in built.pods():
        for container in template["spec"]["containers"]:
            for entry in container.get("env", ()):
                reference = entry.get("valueFrom", {}).get("secretKeyRef")
                if reference and not reference.get("optional"):
                    yield owner, reference["name"], reference["key"]
    for mongo in built.of_kind("MongoDBCommunity"):
        if built.variant.overlay == "production":
            for user in mongo["spec"]["users"]:
                yield "the MongoDB operator", user["passwordSecretRef"]["name"], "password"
