"""Versions of servers that are out of support or known bad, and those that the project's own files name."""

from __future__ import annotations

import re

import pytest

from parley.common.server_versions import mongodb_advice, rabbitmq_advice
from support.manifests import ROOT


@pytest.mark.parametrize(
    ("version", "word"),
    [("5.0.31", "no longer"), ("6.0.5", "CVE"), ("6.0.27", "no longer"), ("7.0.14", "CVE"), ("8.0.16", "CVE")],
)
def test_a_version_of_mongodb_with_a_known_fault_is_named(version: str, word: str) -> None:
    advice = mongodb_advice(version)
    assert advice is not None
    assert word in advice


@pytest.mark.parametrize("version", ["7.0.28", "8.0.17", "8.0.40", "8.2.3", "9.0.0", "8.0.17-rc0"])
def test_other_versions_of_mongodb_cause_no_advice(version: str) -> None:
    assert mongodb_advice(version) is None


def test_versions_of_rabbitmq_without_support_are_named() -> None:
    assert [version for version in ("3.10.8", "3.13.7", "4.0.9", "4.1.0", "4.2.1") if rabbitmq_advice(version)] == [
        "3.10.8",
        "3.13.7",
        "4.0.9",
    ]


def test_manifests_and_compose_name_versions_without_known_faults() -> None:
    files = [ROOT / "deploy" / "compose.yaml", *(ROOT / "k8s").rglob("*.yaml")]
    text = "\n".join(file.read_text() for file in files)
    rabbitmq = re.findall(r"image: rabbitmq:([\d.]+)", text)
    mongodb = re.findall(r"kind: MongoDBCommunity\n.*?\n  version: \W?(\d+\.\d+\.\d+)", text, re.DOTALL)
    assert rabbitmq
    assert mongodb
    assert not [version for version in rabbitmq if rabbitmq_advice(version)]
    assert not [version for version in mongodb if mongodb_advice(version)]
    # A tag without a patch is the line's newest.
    assert set(re.findall(r"image: mongo:([\d.]+)", text)) == {"8.0"}
