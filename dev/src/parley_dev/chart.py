"""Writes the templates of the Helm chart from the kustomize tree: `make chart`.

The manifests have one source, `k8s/base` with `k8s/components`. The production overlay is rendered with every
component, and once more without each of them: what differs becomes a condition. `_bind` then puts the chart's values
into their places.
"""

from __future__ import annotations

import copy
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]

KUBERNETES = Path(__file__).resolve().parents[3] / "k8s"
TEMPLATES = KUBERNETES / "chart" / "templates"
SERVICES = ("gateway", "chat", "presence", "notify", "translate")
SECRETS = (
    "identity",
    "encryption",
    "jwt",
    "s3",
    "owner",
    "fcm",
    "vapid",
    "smtp",
    "libretranslate",
    "backup",
    "mongodb",
    "rabbitmq",
)
"""Secrets that people create, without `parley-`; the others belong to operators."""

BACKENDS = "in-cluster-backends"
CONDITIONS = {
    "schema-jobs": ".Values.schemaJobs.enabled",
    "network-policies": ".Values.networkPolicies.enabled",
    "autoscaling": ".Values.autoscaling.enabled",
    "disruption-budgets": ".Values.disruptionBudgets.enabled",
    "monitoring": ".Values.monitoring.enabled",
    "tracing": ".Values.tracing.enabled",
    "ingress": ".Values.ingress.enabled",
    "gateway-api": ".Values.httpRoute.enabled",
    "backup": ".Values.backup.enabled",
    BACKENDS: ".Values.{backend}.inCluster",
}
"""The condition of each component; each backend has its own. The last component patches the others."""

HEADER = "# Written by `make chart` from k8s/base and k8s/components: change those.\n"
_HASH = re.compile(r"-[0-9a-z]{10}$")


@dataclass(frozen=True)
class If:
    """A part of a document that is there under a condition, with what is there otherwise."""

    condition: str
    value: Any
    otherwise: Any = None


@dataclass(frozen=True)
class Expression:
    """A template action as a value; a block is indented under its key."""

    action: str
    block: bool = False


def render(kubectl: str, components: tuple[str, ...]) -> list[Document]:
    """Return the production overlay with these components, ConfigMaps without hashes in their names."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "k8s"
        shutil.copytree(KUBERNETES, tree)
        kustomization = tree / "overlays" / "production" / "kustomization.yaml"
        content = yaml.safe_load(kustomization.read_text())
        content["components"] = [f"../../components/{name}" for name in components]
        kustomization.write_text(yaml.safe_dump(content))
        command = [kubectl, "kustomize", str(kustomization.parent)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    documents = _without_hashes(list(yaml.load_all(text, yaml.CSafeLoader)))
    for document in documents:
        if document["kind"] == "Deployment":
            # A patch moves the variables that it changes to the front.
            for container in document["spec"]["template"]["spec"]["containers"]:
                container["env"].sort(key=lambda entry: entry["name"])
    return documents


def _without_hashes(documents: list[Document]) -> list[Document]:
    # In the chart, a checksum in the pod causes the rollout.
    text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper, sort_keys=False, width=10_000)
    for document in documents:
        name = document["metadata"]["name"]
        if document["kind"] == "ConfigMap":
            text = text.replace(name, _HASH.sub("", name))
    return list(yaml.load_all(text, yaml.CSafeLoader))


def build_templates(kubectl: str) -> dict[str, str]:
    """Return the content of each template by its file name."""
    everything = tuple(CONDITIONS)
    documents: dict[tuple[str, str], Any] = {_identity(one): one for one in render(kubectl, everything)}
    files = {identity: _file(document) for identity, document in documents.items()}
    for component in everything:
        rest = {_identity(one): one for one in render(kubectl, tuple(name for name in everything if name != component))}
        for identity, document in documents.items():
            condition = CONDITIONS[component].format(backend=_backend(identity[1]))
            if identity in rest:
                documents[identity] = _merge(document, rest[identity], CONDITIONS[component], identity[1])
            else:
                documents[identity] = If(condition, document)
                files[identity] = component
    templates: dict[str, str] = {}
    for identity, document in documents.items():
        if identity[0] == "Namespace":
            continue  # The namespace of the release.
        templates.setdefault(f"{files[identity]}.yaml", HEADER)
        templates[f"{files[identity]}.yaml"] += _write(document)
    return templates


def _identity(document: Document) -> tuple[str, str]:
    return document["kind"], document["metadata"]["name"]


def _file(document: Document) -> str:
    labels = document["metadata"].get("labels", {})
    if document["kind"] == "ConfigMap":
        return "configuration"
    return str(labels.get("app.kubernetes.io/component", "base"))


def _backend(name: str) -> str:
    return "mongodb" if "mongodb" in name.lower() else "rabbitmq"


def _merge(full: Any, rest: Any, condition: str, where: str) -> Any:
    """Return `full` with a condition at each place where `rest`, rendered without a component, differs."""
    if isinstance(full, If):
        return If(full.condition, _merge(full.value, rest, condition, where), full.otherwise)
    if isinstance(full, dict) and isinstance(rest, dict):
        own = condition.format(backend=_backend(where))
        merged = {
            key: _merge(value, rest[key], condition, f"{where} {full.get('name', '')}")
            if key in rest
            else (value if isinstance(value, If) else If(own, value))
            for key, value in full.items()
        }
        return merged | {key: If(f"not {own}", value) for key, value in rest.items() if key not in full}
    if isinstance(full, list) and isinstance(rest, list):
        own = condition.format(backend=_backend(where))
        same = [_merge(value, other, condition, where) for value, other in zip(full, rest, strict=False)]
        return same + [value if isinstance(value, If) else If(own, value) for value in full[len(rest) :]]
    if full == rest:
        return full
    return If(condition.format(backend=_backend(f"{where} {full}")), full, rest)


# -- the chart's values --


def _bind(document: Document) -> Document:
    """Put the chart's values into their places."""
    document = copy.deepcopy(document)
    kind, name = _identity(document)
    document["metadata"]["namespace"] = Expression(".Release.Namespace")
    if kind == "ConfigMap" and (short := name.removeprefix("parley-")) in ("common", *SERVICES):
        document["data"] = Expression(f'include "parley.config.{short}" . | nindent 2', block=True)
    if kind == "Deployment":
        _bind_deployment(document, name.removeprefix("parley-"))
    if kind == "Job":
        document["metadata"]["name"] = Expression(f'include "parley.schemaJob" (list . "{name.split("-")[1]}")')
    if kind in {"Deployment", "Job", "CronJob"}:
        pod = document["spec"].get("jobTemplate", document)["spec"]["template"]["spec"]
        pod["imagePullSecrets"] = If(
            ".Values.imagePullSecrets", Expression("toYaml .Values.imagePullSecrets", block=True)
        )
    if kind == "HTTPRoute":
        document["spec"]["parentRefs"] = _or_default(".Values.httpRoute.parentRefs", document["spec"]["parentRefs"])
    if kind == "Ingress":
        document["spec"]["ingressClassName"] = _or_default(
            ".Values.ingress.className", document["spec"]["ingressClassName"]
        )
        for entry in document["spec"]["tls"]:
            entry["secretName"] = _or_default(".Values.ingress.tlsSecret", entry["secretName"])
    if kind == "NetworkPolicy":
        _bind_peers(document["spec"])
    result: Document = _bind_scalars(document, kind in {"Ingress", "HTTPRoute"})
    return result


def _bind_deployment(document: Document, service: str) -> None:
    spec = document["spec"]
    replicas = spec.get("replicas")
    if isinstance(replicas, If):
        spec["replicas"] = If(replicas.condition, _or_default(f".Values.{service}.replicas", replicas.value))
    template = spec["template"]
    template["metadata"]["annotations"] = {
        "checksum/config": Expression(f'include "parley.checksum" (list . "{service}")')
    }
    container = template["spec"]["containers"][0]
    container["resources"] = _or_default(f".Values.{service}.resources", container["resources"])
    if "app.kubernetes.io/version" in document["metadata"]["labels"]:
        document["metadata"]["labels"]["app.kubernetes.io/version"] = Expression(
            f'include "parley.tag" (list . "{service}") | quote'
        )


def _bind_peers(spec: Document) -> None:
    for side, rule in itertools.chain(
        (("to", _value(rule)) for rule in spec.get("egress", ())),
        (("from", _value(rule)) for rule in spec.get("ingress", ())),
    ):
        peers, ports = rule[side], [entry["port"] for entry in rule["ports"]]
        text = str(peers)
        if side == "to" and "parley-rabbitmq" in text and ports == [5672]:
            rule[side] = _or_default(".Values.networkPolicies.peers.rabbitmq", peers)
        elif side == "to" and "parley-mongodb-svc" in text:
            rule[side] = _or_default(".Values.networkPolicies.peers.mongodb", peers)
        elif side == "from" and "ingress-nginx" in text:
            rule[side] = _or_default(".Values.networkPolicies.peers.ingressController", peers)
        elif side == "from" and "'monitoring'" in text:
            rule[side] = _or_default(".Values.networkPolicies.peers.prometheus", peers)


def _value(node: Any) -> Any:
    return node.value if isinstance(node, If) else node


def _or_default(value: str, default: Any) -> Any:
    """Return a value of the chart, or what the manifests have when it is empty."""
    if isinstance(default, dict | list):
        return If(value, Expression(f"toYaml {value}", block=True), default)
    return If(value, Expression(value), default)


def _bind_scalars(node: Any, has_host: bool) -> Any:
    def bind(value: Any) -> Any:
        return _bind_scalars(value, has_host)

    if isinstance(node, If):
        return If(node.condition, bind(node.value), bind(node.otherwise))
    if isinstance(node, list):
        return [bind(value) for value in node]
    if isinstance(node, dict):
        bound = {key: bind(value) for key, value in node.items()}
        reference = bound.get("secretKeyRef")
        if isinstance(reference, dict):
            bound["secretKeyRef"] = _bind_secret(reference)
        image = re.fullmatch(r"parley/(\w+):.*", str(bound.get("image", "")))
        if image:
            bound["image"] = Expression(f'include "parley.image" (list . "{image[1]}")')
            bound["imagePullPolicy"] = If(".Values.image.pullPolicy", Expression(".Values.image.pullPolicy"))
        return bound
    if isinstance(node, str):
        if has_host and node == "parley.example.com":
            return Expression('include "parley.host" .')
        if 'namespace="parley"' in node:
            before, after = node.split('namespace="parley"')
            parts = f"{_quoted(before + 'namespace=')} (quote .Release.Namespace) {_quoted(after)}"
            return Expression(f'printf "%s%s%s" {parts} | quote')
    return node


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bind_secret(reference: Document) -> Document:
    """Let the Secret be another; those of backends in the cluster are created by their operators."""
    name = reference["name"]
    external = name.otherwise if isinstance(name, If) else name
    short = str(external).removeprefix("parley-")
    if short not in SECRETS:
        return reference
    value = Expression(f'.Values.existingSecrets.{short} | default "{external}"')
    return reference | {"name": If(name.condition, name.value, value) if isinstance(name, If) else value}


# -- text --


class _Writer:
    """Writes a tree as YAML, with tokens for the actions, which then replace them."""

    def __init__(self) -> None:
        self._actions: list[Any] = []

    def write(self, node: Any) -> str:
        text = yaml.safe_dump(self._tokens(node), sort_keys=False, width=10_000, allow_unicode=True)
        # Templates of others in the text, like those of alerts and dashboards, are not the chart's.
        return "".join(self._line(line) for line in text.replace("{{", '{{ "{{" }}').splitlines())

    def _token(self, node: Any) -> str:
        self._actions.append(node)
        return f"__{len(self._actions) - 1}__"

    def _tokens(self, node: Any) -> Any:
        if isinstance(node, Expression | If):
            return self._token(node)
        if isinstance(node, dict):
            return {key: self._tokens(value) for key, value in node.items()}
        if isinstance(node, list):
            return [self._tokens(value) for value in node]
        return node

    def _line(self, line: str) -> str:
        match = re.fullmatch(r"( *)((?:- )*)([^\s].*: |)__(\d+)__", line)
        if not match:
            return line + "\n"
        indent, dashes, key, number = match[1], match[2], match[3], int(match[4])
        return self._node(self._actions[number], indent, dashes, key)

    def _node(self, node: Any, indent: str, dashes: str, key: str) -> str:
        if isinstance(node, Expression):
            if not node.block:
                return f"{indent}{dashes}{key}{{{{ {node.action} }}}}\n"
            width = len(indent) + len(dashes) + 2
            action = node.action if "nindent" in node.action else f"{node.action} | nindent {width}"
            return f"{indent}{dashes}{key.rstrip()}\n{{{{- {action} }}}}\n"
        if isinstance(node, If):
            text = f"{{{{- if {node.condition} }}}}\n" + self._node(node.value, indent, dashes, key)
            if node.otherwise is not None:
                text += "{{- else }}\n" + self._node(node.otherwise, indent, dashes, key)
            return text + "{{- end }}\n"
        content: Any = {key.rstrip(": "): node} if key else node
        if dashes:
            content = [content]
        lines = self.write(content).splitlines()
        return "".join(f"{line if line.startswith('{{-') else indent + line}\n" for line in lines)


def _write(document: Any) -> str:
    conditions: list[str] = []
    while isinstance(document, If):
        conditions.append(document.condition)
        document = document.value
    text = "---\n" + _Writer().write(_bind(document))
    kind, name = _identity(document)
    short = name.removeprefix("parley-")
    if kind == "ConfigMap" and short in ("common", *SERVICES):
        text = _define_config(short, document["data"]) + text
    for condition in conditions:
        text = f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"
    return text


def _define_config(short: str, data: Mapping[str, Any]) -> str:
    bound = dict(data)
    for variable, value in (
        ("PARLEY_PUBLIC_URL", "publicUrl"),
        ("PARLEY_S3_ENDPOINT", "s3.endpoint"),
        ("PARLEY_S3_BUCKET", "s3.bucket"),
        ("PARLEY_TRUSTED_PROXIES", "trustedProxies"),
    ):
        if variable in bound:
            bound[variable] = If(f".Values.{value}", Expression(f".Values.{value} | quote"), bound[variable])
    return (
        f'{{{{- define "parley.defaults.{short}" -}}}}\n{_Writer().write(bound)}{{{{- end }}}}\n'
        f'{{{{- define "parley.config.{short}" -}}}}\n'
        f'{{{{- toYaml (mergeOverwrite (include "parley.defaults.{short}" . | fromYaml) .Values.config.{short}) }}}}\n'
        "{{- end }}\n"
    )


def main() -> None:
    """Write the templates; `_helpers.tpl` and `NOTES.txt` are written by hand."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        sys.exit("kubectl is not installed")
    for path in TEMPLATES.glob("*.yaml"):
        path.unlink()
    for name, text in build_templates(kubectl).items():
        (TEMPLATES / name).write_text(text)


if __name__ == "__main__":
    main()
