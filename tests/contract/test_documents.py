"""The pages agree with the code: paths exist; lists of RPC methods, folders and collections are whole."""

from __future__ import annotations

import ast
import importlib
import posixpath
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.common.mongodb import DatabaseSchema

ROOT = Path(__file__).parents[2]
SERVICES_WITH_DATABASE = ["chat", "notify", "presence", "translate"]

_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.-]+(/[\w.-]+)*/?(\.\w+)?")
_GENERATED_FOLDERS = (".venv", ".dev", "dist", "web/dist")
_GENERATED_FILES = ("deploy/.env", "deploy/extra.env")
_FORMATS = ("percona/mongodb_exporter", "http/protobuf")
"""An image and a protocol, which look like paths."""


def _tracked_files() -> list[str]:
    # Files that are new and not ignored count as well, so that the check can run before a commit.
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if (ROOT / line).exists()]


def _paths(page: str) -> Iterator[str]:
    """Yield what a page mentions in backticks that has the form of a path with a folder."""
    for text in _CODE.findall((ROOT / page).read_text()):
        is_path = _PATH.fullmatch(text) and "/" in text
        if (
            is_path
            and text not in _FORMATS
            and text not in _GENERATED_FILES
            and not text.startswith(_GENERATED_FOLDERS)
        ):
            yield text.rstrip("/")


def test_every_path_that_a_page_mentions_exists() -> None:
    """A path is relative to the repository or to its page. In a README it may be the end of a path below that page."""
    files = _tracked_files()
    known = {str(path) for file in files for path in (Path(file), *Path(file).parents)}
    known |= {path.removesuffix(".py") for path in known}  # READMEs name a module of a folder without its suffix.
    missing = []
    for page in (file for file in files if file.endswith(".md")):
        folder = posixpath.dirname(page)
        below = [path for path in known if folder and path.startswith(f"{folder}/")] if "README" in page else []
        for path in _paths(page):
            exists = path in known or posixpath.normpath(posixpath.join(folder, path)) in known
            if not exists and not any(candidate.endswith(f"/{path}") for candidate in below):
                missing.append(f"{page}: {path}")
    assert missing == []


def _rpc_methods(service: str) -> set[str]:
    """The keys of the tables that a service gives to its RpcServer."""
    methods: set[str] = set()
    for file in (ROOT / "services" / service / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "RpcServer":
                methods |= {key for table in node.args for key in _keys(table)}
            elif isinstance(node, ast.FunctionDef) and node.name in ("methods", "rpc_methods"):
                returned = [statement.value for statement in node.body if isinstance(statement, ast.Return)]
                methods |= {key for table in returned for key in _keys(table)}
    return methods


def _keys(table: ast.expr | None) -> list[str]:
    return (
        [str(key.value) for key in table.keys if isinstance(key, ast.Constant)] if isinstance(table, ast.Dict) else []
    )


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_every_rpc_method_is_in_the_internals_and_in_the_readme(service: str) -> None:
    table = [
        line.split("|") for line in (ROOT / "docs" / "internals.md").read_text().splitlines() if line.startswith("| ")
    ]
    documented = {cells[2].strip(" `") for cells in table if service in cells[1].strip().split(", ")}
    methods = _rpc_methods(service)
    readme = (ROOT / "services" / service / "README.md").read_text()

    assert methods
    assert methods <= documented
    assert [method for method in sorted(methods) if f"`{method}`" not in readme] == []


@pytest.mark.parametrize("home", ["services/chat", "services/gateway", "services/notify", "libs/common"])
def test_every_folder_is_in_the_readme(home: str) -> None:
    """Of the shared library, every module as well. Presence's and translate's READMEs have no table of folders."""
    readme = (ROOT / home / "README.md").read_text()
    sources = ROOT / home / "src" / "parley" / Path(home).name
    modules = sources.glob("*.py") if home == "libs/common" else []
    folders = (path for path in sources.iterdir() if path.is_dir() and path.name != "__pycache__")
    names = {path.stem for path in (*folders, *modules)}

    assert [name for name in sorted(names) if f"`{name}/`" not in readme and f"`{name}`" not in readme] == []


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_every_collection_is_in_the_readme(service: str) -> None:
    schema: DatabaseSchema = importlib.import_module(f"parley.{service}.mongo_schema").SCHEMA
    readme = (ROOT / "services" / service / "README.md").read_text()
    # Every service with a database has this one; common's README describes it.
    collections = {index.collection for index in schema.indexes} - {"idempotency"}

    assert [name for name in sorted(collections) if f"`{name}`" not in readme] == []
