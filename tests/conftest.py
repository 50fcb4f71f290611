"""Fixtures of all tests: the shared MongoDB, RabbitMQ and stack, and tenants on it; and how workers share the tests."""

from __future__ import annotations

import gc

# Imported modules and collected tests stay: looking for garbage among them took a third of the time that they take.
gc.disable()

import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from parley_dev.stack import Stack
from support.api import ApiClient
from support.infrastructure import Infrastructure, InfrastructureOwner
from support.tenants import TenantFixture

_FIRST = (
    "reliability",
    "browser",
    "e2e",
    "contract",
    "security",
    "unit/test_linear_patterns.py",
    "component/presence",
)
"""The longest. The file computes while the servers start that others wait for."""
_MIXED = {"component/chat": 0.9, "component": 0.8, "unit": 1.0}
"""Directories whose files are mixed, each spread over this part of the run: those of unit/ and chat compute, others
wait. The shortest are left for the end, so that no worker has a long file when the others are done."""
_ONE_WORKER = ("tests/reliability", "tests/browser", "tests/e2e/integrations", "tests/component/presence")
"""Directories whose files share an expensive fixture: all of one run on one worker."""

_OWNER = pytest.StashKey[InfrastructureOwner]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        owner = config.stash[_OWNER] = InfrastructureOwner()
        owner.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _OWNER in config.stash:
        config.stash[_OWNER].stop()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Collect garbage from now on, but not among what is there."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the infrastructure is."""
    node.workerinput["infrastructure"] = str(node.config.stash[_OWNER].socket)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest directories first, and then a mixture of those that wait and those that compute."""
    units = dict.fromkeys(_unit(item.nodeid) for item in items)
    of_group: dict[str, list[str]] = {}
    for unit in units:
        of_group.setdefault(_group(unit), []).append(unit)
    positions = {
        unit: (_FIRST.index(group), 0.0) if group in _FIRST else (len(_FIRST), _MIXED[group] * at / len(all_))
        for group, all_ in of_group.items()
        for at, unit in enumerate(all_)
    }
    items.sort(key=lambda item: positions[_unit(item.nodeid)])


def _unit(nodeid: str) -> str:
    """What one worker runs: a file, or a directory."""
    file = nodeid.split("::", maxsplit=1)[0]
    return next((directory for directory in _ONE_WORKER if file.startswith(f"{directory}/")), file)


def _group(unit: str) -> str:
    return next(name for name in (*_FIRST, *_MIXED) if f"{unit}/".startswith(f"tests/{name}/"))


class _FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist's schedulers carry no types
    """Sends the tests of a file to one worker, in collection order."""

    def _split_scope(self, nodeid: str) -> str:
        return _unit(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _FileScheduling:
    config.option.loadscopereorder = False
    return _FileScheduling(config, log)


@pytest.fixture(scope="session")
def run_directory() -> Iterator[Path]:
    """A directory of this worker for the whole run."""
    with tempfile.TemporaryDirectory(prefix="parley-tests-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def infrastructure(pytestconfig: pytest.Config) -> Infrastructure:
    """Access to MongoDB, RabbitMQ and the stack that all workers share."""
    worker_input: dict[str, Any] | None = getattr(pytestconfig, "workerinput", None)
    socket = worker_input["infrastructure"] if worker_input is not None else pytestconfig.stash[_OWNER].socket
    return Infrastructure(Path(socket), web=_includes_browser_tests(pytestconfig))


def _includes_browser_tests(config: pytest.Config) -> bool:
    browser = Path(__file__).parent / "browser"
    paths = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return any(browser == path or browser in path.parents or path in browser.parents for path in paths)


@pytest.fixture(scope="session")
async def mongodb_uri(infrastructure: Infrastructure) -> str:
    """The URI of the shared MongoDB."""
    return await infrastructure.mongodb_uri()


@pytest.fixture(scope="session")
async def amqp_url(infrastructure: Infrastructure, run_directory: Path) -> AsyncIterator[str]:
    """The URL of a broker of this worker."""
    async with infrastructure.broker(run_directory) as url:
        yield url


@pytest.fixture
def database_prefix() -> str:
    """A prefix for the databases of one test."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
async def stack(infrastructure: Infrastructure) -> Stack:
    """All five services as real processes, shared by all workers: tests use tenants of their own."""
    return await infrastructure.shared_stack()


@pytest.fixture(scope="session")
async def api(stack: Stack) -> AsyncIterator[ApiClient]:
    """A client of the shared stack's gateway."""
    async with ApiClient(stack.gateway_url) as client:
        yield client


@pytest.fixture
async def tenant(stack: Stack, api: ApiClient, mongodb_uri: str) -> TenantFixture:
    """A tenant of the test's own: a site, an owner and two operators."""
    return await TenantFixture.create(api, stack, mongodb_uri)
