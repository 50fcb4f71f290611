"""Alerts fire when they should, have a page each, and ask, like the dashboard, for what the services measure."""

from __future__ import annotations

import importlib
import json
import re
import shutil
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
CASES = Path(__file__).with_name("alerts.yaml")
METRIC = re.compile(r"\b(?:parley|process)_[a-z_]+\b")
ADDED = {"namespace", "pod", "component", "le"}
"""Labels that scraping adds, and a histogram's own."""


def rules() -> list[dict[str, Any]]:
    """The alert rules."""
    manifest = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    return [rule for group in manifest["spec"]["groups"] for rule in group["rules"]]


def test_every_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    program = find_promtool()
    if program is None:
        pytest.skip("there is no promtool on the PATH, and none can be brought for this kind of machine")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "parley", "rules": _bare(rules())}]}))
    shutil.copy(CASES, tmp_path / "cases.yaml")
    done = subprocess.run(
        [str(program), "test", "rules", "cases.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_case_and_a_page() -> None:
    names = {rule["alert"] for rule in rules()}
    cases = yaml.safe_load(CASES.read_text())["tests"]
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


def test_pages_lead_to_pages_that_are_there() -> None:
    for page in (ROOT / "docs" / "runbooks").glob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / link).exists(), f"{page.name} → {link}"


def test_alerts_and_dashboard_ask_for_what_is_measured() -> None:
    known = measured()
    for where, query in queries():
        found = METRIC.findall(query)
        assert found or "rabbitmq_" in query or "up{" in query, where
        for name in found:
            assert name in known, f"{where}: nobody measures {name}"
        if len(set(found)) == 1:
            labels = known[found[0]] | ADDED
            for label in re.findall(r"[{,]\s*(\w+)\s*(?:=~|!~|!=|=)", query):
                assert label in labels, f"{where}: {found[0]} has no label {label}"
            for group in re.findall(r"\bby \(([^)]*)\)", query):
                assert {label.strip() for label in group.split(",")} <= labels, f"{where}: {group}"


def test_runbooks_ask_for_what_is_measured() -> None:
    known = measured()
    for page in (ROOT / "docs" / "runbooks").glob("*.md"):
        for name in METRIC.findall(page.read_text()):
            assert name in known, f"{page.name}: nobody measures {name}"


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken |= cells


def queries() -> Iterator[tuple[str, str]]:
    """Every query of the alerts and the dashboard, by where it stands."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in json.loads((MONITORING / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def measured() -> dict[str, set[str]]:
    """The labels of every metric that a service has, by the names Prometheus stores."""
    for name in ("parley.common.observability.metrics", *(f"parley.{service}.metrics" for service in SERVICES)):
        importlib.import_module(name)
    found: dict[str, set[str]] = {"process_cpu_seconds_total": set(), "process_resident_memory_bytes": set()}
    for collector in list(REGISTRY._collector_to_names):
        labels = set(getattr(collector, "_labelnames", ()))
        for name in REGISTRY._collector_to_names[collector]:
            found[name] = found.get(name, set()) | labels
    return found


def _bare(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    # Annotations are words with figures in them; the cases are about when, not about how it is put.
    return [{key: value for key, value in rule.items() if key != "annotations"} for rule in found]
