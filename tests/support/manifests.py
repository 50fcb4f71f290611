"""Renders the Kubernetes manifests: every overlay with many combinations of components."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from parley.gateway.routes import PROXY_ROUTES, RouteKind

Document = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "k8s"
SERVICES = ("gateway", "chat", "presence", "notify", "translate")

# In the order of the production overlay: the last one patches what the others add.
COMPONENTS = (
    "schema-jobs",
    "network-policies",
    "autoscaling",
    "disruption-budgets",
    "monitoring",
    "tracing",
    "ingress",
    "in-cluster-backends",
)
OPTIONAL = ("backup", "gateway-api")
"""Not in the production overlay, and not rendered in combinations: they patch nothing."""
OVERLAYS = ("dev", "production")


@dataclass(frozen=True)
class Variant:
    """An overlay with a selection of components."""

    overlay: str
    components: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.overlay} with {', '.join(self.components) or 'no components'}"


@dataclass(frozen=True)
class RenderedManifests:
    """The documents of one variant."""

    variant: Variant
    documents: tuple[Document, ...]

    def of_kind(self, *kinds: str) -> list[Document]:
        """Return the documents of these kinds."""
        return [document for document in self.documents if document["kind"] in kinds]

    def one(self, kind: str, name: str) -> Document:
        """Return the document of this name."""
        (result,) = (document for document in self.of_kind(kind) if document["metadata"]["name"] == name)
        return result

    def pods(self) -> Iterator[tuple[str, Document]]:
        """Yield every pod template with its owner's name."""
        for document in self.of_kind("Deployment", "StatefulSet", "Job"):
            yield document["metadata"]["name"], document["spec"]["template"]
        for document in self.of_kind("CronJob"):
            yield document["metadata"]["name"], document["spec"]["jobTemplate"]["spec"]["template"]

    def service_pods(self) -> Iterator[tuple[str, Document]]:
        """Yield the pod templates of Parley's services."""
        for service in SERVICES:
            yield service, self.one("Deployment", f"parley-{service}")["spec"]["template"]

    def environment(self, service: str) -> dict[str, str | Document]:
        """Return a service's environment: values, or references to Secrets."""
        container = get_container(self.one("Deployment", f"parley-{service}")["spec"]["template"])
        variables: dict[str, str | Document] = {}
        for source in container["envFrom"]:
            (config,) = (
                document
                for document in self.of_kind("ConfigMap")
                if document["metadata"]["name"] == source["configMapRef"]["name"]
            )
            variables.update(config["data"])
        for entry in container["env"]:
            variables[entry["name"]] = entry["value"] if "value" in entry else entry["valueFrom"]["secretKeyRef"]
        return variables


def get_container(template: Document) -> Document:
    """Return the only container of a pod."""
    containers: list[Document] = template["spec"]["containers"]
    (container,) = containers
    return container


# All 512 variants would take a second each. A sixteenth of them, selected by four parities (a 2^(8-4) design of
# resolution IV, https://www.itl.nist.gov/div898/handbook/pri/section3/pri3347.htm), contains every
# combination of any three components; an interaction of two components shows with two.
_PARITY_SETS = (
    {"schema-jobs", "network-policies", "autoscaling", "disruption-budgets"},
    {"schema-jobs", "network-policies", "monitoring", "tracing"},
    {"schema-jobs", "autoscaling", "monitoring", "ingress"},
    set(COMPONENTS),
)


def variants() -> list[Variant]:
    """Return every overlay with subsets of the components that cover each combination of any three."""
    subsets = itertools.chain.from_iterable(
        itertools.combinations(COMPONENTS, count) for count in range(len(COMPONENTS) + 1)
    )
    return [
        Variant(overlay, subset)
        for subset in subsets
        if all(len(parity_set & set(subset)) % 2 == 0 for parity_set in _PARITY_SETS)
        for overlay in OVERLAYS
    ]


def build_all(kubectl: Path, scratch: Path) -> list[RenderedManifests]:
    """Render every variant, in copies of the overlays whose list of components is replaced."""
    tree = scratch / "k8s"
    shutil.copytree(KUBERNETES, tree)
    all_variants = variants()
    folders = [_folder(tree, number, variant) for number, variant in enumerate(all_variants)]
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda folder: build(kubectl, folder), folders)
        return [
            RenderedManifests(variant, tuple(documents)) for variant, documents in zip(all_variants, texts, strict=True)
        ]


def build(kubectl: Path, folder: Path) -> list[Document]:
    """Render a directory with kustomize. Fails on errors and on warnings."""
    result = subprocess.run(
        [str(kubectl), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, f"{folder.name}: {result.stderr}"
    assert not result.stderr, f"{folder.name} renders with warnings: {result.stderr}"
    return [_parsed(text) for text in result.stdout.split("\n---\n")]


@cache
def _parsed(text: str) -> Document:
    # Most documents are the same in every variant: parsed once, and never modified.
    document: Document = yaml.load(text, yaml.CSafeLoader)
    return document


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a selector (matchLabels, or an empty one) selects a pod with these labels."""
    assert set(selector) <= {"matchLabels"}, f"unsupported selector: {selector}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _folder(tree: Path, number: int, variant: Variant) -> Path:
    folder = tree / "overlays" / f"{variant.overlay}-{number}"
    shutil.copytree(tree / "overlays" / variant.overlay, folder)
    kustomization = folder / "kustomization.yaml"
    content = yaml.safe_load(kustomization.read_text())
    own = [path for path in content["components"] if not path.startswith("../../components/")]
    content["components"] = [*own, *(f"../../components/{name}" for name in variant.components)]
    kustomization.write_text(yaml.safe_dump(content))
    return folder


def render_overlay(kubectl: Path, overlay: str) -> RenderedManifests:
    """Render an overlay as it is, with its own components."""
    folder = KUBERNETES / "overlays" / overlay
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["components"]
    return RenderedManifests(
        Variant(overlay, tuple(Path(path).name for path in listed if "/components/" in path)),
        tuple(build(kubectl, folder)),
    )


def stream_paths() -> set[str]:
    """Return the paths of the public event streams."""
    kinds = {RouteKind.EVENT_STREAM, RouteKind.AI_STREAM}
    return {route.path for route in PROXY_ROUTES if route.kind in kinds and "{" not in route.path}


def schema_jobs(built: RenderedManifests) -> list[Document]:
    """Return the Jobs that migrate the services' databases."""
    component = "app.kubernetes.io/component"
    return [job for job in built.of_kind("Job") if job["metadata"].get("labels", {}).get(component) == "schema"]


def peers(rule: Document, side: str) -> Iterator[str]:
    """Yield whom a rule of a network policy lets through, with the port. `side`: `from` or `to`."""
    for port in rule["ports"]:
        for peer in rule[side]:
            yield f"{_peer(peer)}:{port['port']}"


def _peer(peer: Document) -> str:
    if "ipBlock" in peer:
        private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}
        assert private & set(peer["ipBlock"]["except"]), "private networks are excluded"
        return "outside"
    if "namespaceSelector" in peer:
        return f"namespace {peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}"
    labels: dict[str, str] = peer["podSelector"]["matchLabels"]
    (name,) = labels.values()
    return name
