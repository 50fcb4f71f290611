"""Alerts fire as specified and have a runbook; alerts, dashboard and runbooks use metrics that exist."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY

from support.external_tools import find_promtool
from support.manifests import KUBERNETES, ROOT, SERVICES

MONITORING = KUBERNETES / "components" / "monitoring"
CASES = sorted(Path(__file__).parent.glob("alerts*.yaml"))
METRIC = re.compile(r"\b(?:parley|process)_[a-z_]+\b")
OTHER_METRICS = ("rabbitmq_", "mongodb_", "up{", "kube_", "certmanager_")
"""Of the broker, MongoDB's exporter, Prometheus, kube-state-metrics and cert-manager."""
SCRAPE_LABELS = {"namespace", "pod", "component", "le"}
"""Labels that scraping adds, and a histogram's own."""


def rules() -> list[dict[str, Any]]:
    """Return the alert rules."""
    manifest = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    return [rule for group in manifest["spec"]["groups"] for rule in group["rules"]]


def test_every_alert_fires_as_specified(tmp_path: Path) -> None:
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is neither installed nor available for this platform")
    files = [file for cases in CASES for file in _write_cases(cases, tmp_path)]
    command = [str(promtool), "test", "rules", *files]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_has_a_test_case_and_a_runbook() -> None:
    names = {rule["alert"] for rule in rules()}
    cases = [case for file in CASES for case in yaml.safe_load(file.read_text())["tests"]]
    fired = {test["alertname"] for case in cases for test in case["alert_rule_test"] if test.get("exp_alerts")}
    assert fired == names
    index = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    for rule in rules():
        page = ROOT / rule["annotations"]["runbook"]
        assert page.read_text().startswith(f"# {rule['alert']}\n")
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert f"[{rule['alert']}]({page.name})" in index
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")} - {"README"}
    assert pages == names


def test_links_between_runbooks_are_valid() -> None:
    for page in (ROOT / "docs" / "runbooks").glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} → {link}"


def test_alerts_and_dashboard_use_existing_metrics() -> None:
    known = known_metrics()
    for where, query in queries():
        names = METRIC.findall(query)
        assert names or any(other in query for other in OTHER_METRICS), where
        for name in names:
            assert name in known, f"{where}: unknown metric {name}"
        if len(set(names)) == 1:
            labels = known[names[0]] | SCRAPE_LABELS
            for label in re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", query):
                assert label in labels, f"{where}: {names[0]} has no label {label}"
            for group in re.findall(r"\bby \(([^)]*)\)", query):
                assert {label.strip() for label in group.split(",")} <= labels, f"{where}: {group}"


def test_runbooks_use_existing_metrics() -> None:
    known = known_metrics()
    for page in (ROOT / "docs" / "runbooks").glob("*.md"):
        for name in METRIC.findall(page.read_text()):
            assert name in known, f"{page.name}: unknown metric {name}"


def test_panels_do_not_overlap_and_have_unique_ids() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    occupied: set[tuple[int, int]] = set()
    for panel in panels:
        position = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(position["x"], position["x"] + position["w"])
            for y in range(position["y"], position["y"] + position["h"])
        }
        assert not occupied & cells, panel["title"]
        assert position["x"] + position["w"] <= 24, panel["title"]
        occupied |= cells


def queries() -> Iterator[tuple[str, str]]:
    """Yield every query of the alerts and the dashboard with its alert or panel."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def known_metrics() -> dict[str, set[str]]:
    """Return the labels of every metric of the services, by the names that Prometheus stores."""
    for name in ("parley.common.observability.metrics", *(f"parley.{service}.metrics" for service in SERVICES)):
        importlib.import_module(name)
    labels_by_name: dict[str, set[str]] = {"process_cpu_seconds_total": set(), "process_resident_memory_bytes": set()}
    for collector in list(REGISTRY._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[collector]:
            labels_by_name[name] = labels_by_name.get(name, set()) | labels
    return labels_by_name


def _write_cases(cases: Path, folder: Path) -> list[str]:
    # promtool evaluates every rule of a file at every step, and compares only the alerts that a case names.
    content = yaml.safe_load(cases.read_text())
    all_rules, files = rules(), []
    for number, case in enumerate(content["tests"]):
        names = {test["alertname"] for test in case["alert_rule_test"]}
        # The cases test when alerts fire, not the text of their annotations.
        tried = [rule | {"annotations": {}} for rule in all_rules if rule["alert"] in names]
        assert {rule["alert"] for rule in tried} == names, case["name"]
        rule_file, file = f"{cases.stem}-{number}-rules.yaml", f"{cases.stem}-{number}.yaml"
        (folder / rule_file).write_text(yaml.safe_dump({"groups": [{"name": "parley", "rules": tried}]}))
        (folder / file).write_text(yaml.safe_dump({**content, "rule_files": [rule_file], "tests": [case]}))
        files.append(file)
    return files
