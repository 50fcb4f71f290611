"""RabbitMQ's home for nodes without plugins: the server and what it depends on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from parley_dev.servers.rabbitmq_home import home_without_plugins


@pytest.fixture
def sbin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = tmp_path / "rabbitmq_server-4.0.1" / "sbin"
    directory.mkdir(parents=True)
    (directory / "rabbitmq-server").write_text("#!/bin/sh\n")
    return directory


def add_plugin(sbin: Path, name: str, applications: Sequence[str] = ()) -> None:
    ebin = sbin.parent / "plugins" / f"{name}-1.0" / "ebin"
    ebin.mkdir(parents=True)
    depends_on = ",\n  ".join(applications)
    (ebin / f"{name}.app").write_text(f"{{application, {name}, [{{applications,\n [{depends_on}]}}]}}.\n")


def test_the_home_has_the_scripts_and_the_server_with_its_dependencies(sbin: Path) -> None:
    add_plugin(sbin, "rabbit", ["kernel", "rabbit_common", "ra"])
    add_plugin(sbin, "ra", ["aten"])
    for name in ("rabbitmq_prelaunch", "cuttlefish", "rabbit_common", "aten", "rabbitmq_mqtt"):
        add_plugin(sbin, name)
    home = home_without_plugins(sbin).parent
    assert home != sbin.parent
    assert (home / "sbin" / "rabbitmq-server").read_text() == "#!/bin/sh\n"
    assert {path.name for path in (home / "plugins").iterdir()} == {
        f"{name}-1.0" for name in ("rabbit", "rabbitmq_prelaunch", "cuttlefish", "rabbit_common", "ra", "aten")
    }
    assert (home / "plugins" / "ra-1.0" / "ebin" / "ra.app").exists()
    assert home_without_plugins(sbin).parent == home


def test_an_installation_of_another_layout_is_used_as_it_is(sbin: Path) -> None:
    assert home_without_plugins(sbin) == sbin
    add_plugin(sbin, "rabbit")
    assert home_without_plugins(sbin) == sbin
