"""The Kubernetes manifests as a cluster would get them: every overlay with every choice of components."""

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

Document = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "k8s"
SERVICES = ("gateway", "chat", "presence", "notify", "translate")

# In the order the production overlay has them: the last changes what the others brought.
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
OVERLAYS = ("dev", "production")


@dataclass(frozen=True)
class Choice:
    """An overlay and the components it is given."""

    overlay: str
    components: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.overlay} with {', '.join(self.components) or 'nothing'}"


@dataclass(frozen=True)
class Built:
    """What one choice comes to."""

    choice: Choice
    documents: tuple[Document, ...]

    def of(self, *kinds: str) -> list[Document]:
        """Documents of these kinds."""
        return [document for document in self.documents if document["kind"] in kinds]

    def one(self, kind: str, name: str) -> Document:
        """A document by its name."""
        (found,) = (document for document in self.of(kind) if document["metadata"]["name"] == name)
        return found

    def pods(self) -> Iterator[tuple[str, Document]]:
        """Every pod template, by its owner's name."""
        for document in self.of("Deployment", "StatefulSet", "Job"):
            yield document["metadata"]["name"], document["spec"]["template"]

    def service_pods(self) -> Iterator[tuple[str, Document]]:
        """The pod templates of Parley's own services, by the service."""
        for service in SERVICES:
            yield service, self.one("Deployment", f"parley-{service}")["spec"]["template"]

    def environment(self, service: str) -> dict[str, str | Document]:
        """What a service's process is given: values, or references to Secrets."""
        container = container_of(self.one("Deployment", f"parley-{service}")["spec"]["template"])
        given: dict[str, str | Document] = {}
        for source in container["envFrom"]:
            (config,) = (
                document
                for document in self.of("ConfigMap")
                if document["metadata"]["name"] == source["configMapRef"]["name"]
            )
            given.update(config["data"])
        for entry in container["env"]:
            given[entry["name"]] = entry["value"] if "value" in entry else entry["valueFrom"]["secretKeyRef"]
        return given


def container_of(template: Document) -> Document:
    """The one container of a pod."""
    (container,) = template["spec"]["containers"]
    found: Document = container
    return found


# All 512 would take the suite's time, a second for each. A sixteenth, chosen by four parities (a 2^(8-4) design of
# resolution IV, https://www.itl.nist.gov/div898/handbook/pri/section3/pri3347.htm), has any three components in every
# combination: what one component does to another shows with two.
_EVEN = (
    {"schema-jobs", "network-policies", "autoscaling", "disruption-budgets"},
    {"schema-jobs", "network-policies", "monitoring", "tracing"},
    {"schema-jobs", "autoscaling", "monitoring", "ingress"},
    set(COMPONENTS),
)


def choices() -> list[Choice]:
    """Every overlay with subsets of the components: of any three each combination."""
    subsets = itertools.chain.from_iterable(
        itertools.combinations(COMPONENTS, count) for count in range(len(COMPONENTS) + 1)
    )
    return [
        Choice(overlay, subset)
        for subset in subsets
        if all(len(even & set(subset)) % 2 == 0 for even in _EVEN)
        for overlay in OVERLAYS
    ]


def build_all(kubectl: Path, scratch: Path) -> list[Built]:
    """Every choice, built in copies of the overlays whose list of components is replaced."""
    tree = scratch / "k8s"
    shutil.copytree(KUBERNETES, tree)
    wanted = choices()
    folders = [_folder(tree, number, choice) for number, choice in enumerate(wanted)]
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda folder: build(kubectl, folder), folders)
        return [Built(choice, tuple(documents)) for choice, documents in zip(wanted, texts, strict=True)]


def build(kubectl: Path, folder: Path) -> list[Document]:
    """What kustomize makes of a folder. Raises AssertionError with what it said."""
    done = subprocess.run(
        [str(kubectl), "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{folder.name}: {done.stderr}"
    assert not done.stderr, f"{folder.name} is built with warnings: {done.stderr}"
    return [_parsed(text) for text in done.stdout.split("\n---\n")]


@cache
def _parsed(text: str) -> Document:
    # Most documents are the same in every build: read once, and never changed.
    document: Document = yaml.load(text, yaml.CSafeLoader)
    return document


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a selector (matchLabels, or nothing at all) takes a pod with these labels."""
    assert set(selector) <= {"matchLabels"}, f"not understood here: {selector}"
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def _folder(tree: Path, number: int, choice: Choice) -> Path:
    folder = tree / "overlays" / f"{choice.overlay}-{number}"
    shutil.copytree(tree / "overlays" / choice.overlay, folder)
    kustomization = folder / "kustomization.yaml"
    content = yaml.safe_load(kustomization.read_text())
    own = [path for path in content["components"] if not path.startswith("../../components/")]
    content["components"] = [*own, *(f"../../components/{name}" for name in choice.components)]
    kustomization.write_text(yaml.safe_dump(content))
    return folder
