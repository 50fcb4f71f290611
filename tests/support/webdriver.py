"""Browsers with other engines than Chromium's: Firefox by Marionette, WebKitGTK by WebDriver."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

import aiohttp

from parley_dev.ports import free_port
from support.wait import wait_until

ENTER, ESCAPE, TAB = "\ue007", "\ue00c", "\ue004"
_PATHS = {"Navigate": "url", "Refresh": "refresh", "ExecuteScript": "execute/sync", "PerformActions": "actions"}
"""Of the commands, in the HTTP protocol."""
_START_SECONDS = 90.0
_STOP_SECONDS = 10.0


class WebDriver(ABC):
    """A browser with one page."""

    version = ""

    @abstractmethod
    async def _run(self, command: str, parameters: dict[str, Any]) -> Any:
        """Run a command of WebDriver, by the name that Marionette gives it."""

    async def open(self, url: str) -> None:
        await self._run("Navigate", {"url": url})

    async def reload(self) -> None:
        await self._run("Refresh", {})

    async def evaluate(self, expression: str) -> Any:
        return await self._run("ExecuteScript", {"script": f"return {expression}", "args": []})

    async def press(self, keys: str) -> None:
        """Press keys one after another, wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self._run("PerformActions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    async def wait_for(self, expression: str) -> Any:
        """Wait until a JavaScript expression is true, and return its value."""
        return await wait_until(lambda: self.evaluate(expression), timeout=30, description=expression)


class Firefox(WebDriver):
    """Firefox by its own protocol: a JSON array with its length before it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._last_id = 0

    @classmethod
    @asynccontextmanager
    async def start(cls, directory: Path) -> AsyncIterator[Self]:
        port = free_port()
        profile = directory / "profile"
        profile.mkdir()
        (profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        arguments = ("--headless", "--no-remote", "--marionette", "--profile", str(profile))
        async with _process(firefox_path() or "", arguments, {"HOME": str(directory)}):

            async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
                try:
                    return await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    return None

            browser = cls(*await wait_until(connect, timeout=_START_SECONDS))
            await browser._read()
            session = await browser._run("NewSession", {})
            browser.version = f"Firefox {session['capabilities']['browserVersion']}"
            yield browser
            browser._writer.close()

    async def _run(self, command: str, parameters: dict[str, Any]) -> Any:
        self._last_id += 1
        text = json.dumps([0, self._last_id, f"WebDriver:{command}", parameters]).encode()
        self._writer.write(b"%d:%b" % (len(text), text))
        _, _, error, result = await self._read()
        assert error is None, error
        return result["value"] if set(result) == {"value"} else result

    async def _read(self) -> Any:
        length = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(length[:-1])))


class WebKit(WebDriver):
    """The MiniBrowser of WebKitGTK, which needs a display, by WebKitWebDriver."""

    def __init__(self, http: aiohttp.ClientSession, session_id: str) -> None:
        self._http = http
        self._session_id = session_id

    @classmethod
    @asynccontextmanager
    async def start(cls, directory: Path) -> AsyncIterator[Self]:
        port = free_port()
        environment = {"HOME": str(directory), "LIBGL_ALWAYS_SOFTWARE": "1"}
        async with AsyncExitStack() as stack:
            display = os.environ.get("DISPLAY", "") or await stack.enter_async_context(_virtual_display())
            driver = _process("WebKitWebDriver", (f"--port={port}",), {**environment, "DISPLAY": display})
            await stack.enter_async_context(driver)
            timeout = aiohttp.ClientTimeout(total=_START_SECONDS)
            http = aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout)
            await stack.enter_async_context(http)

            async def create() -> dict[str, Any] | None:
                try:
                    async with http.post("/session", json={"capabilities": {"alwaysMatch": {}}}) as response:
                        return dict((await response.json())["value"])
                except aiohttp.ClientConnectorError:
                    return None

            session = await wait_until(create, timeout=_START_SECONDS)
            browser = cls(http, session["sessionId"])
            browser.version = f"WebKitGTK {session['capabilities']['browserVersion']}"
            yield browser
            async with http.delete(f"/session/{browser._session_id}"):
                pass

    async def _run(self, command: str, parameters: dict[str, Any]) -> Any:
        path = f"/session/{self._session_id}/{_PATHS[command]}"
        async with self._http.post(path, json=parameters) as response:
            value = (await response.json())["value"]
            assert response.status == 200, value
            return value


def firefox_path() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


def has_webkit() -> bool:
    has_display = bool(os.environ.get("DISPLAY") or shutil.which("Xvfb"))
    return has_display and shutil.which("WebKitWebDriver") is not None


@asynccontextmanager
async def _virtual_display() -> AsyncIterator[str]:
    """Start a display without a screen; yield its name."""
    read_end, write_end = os.pipe()
    arguments = ("-displayfd", str(write_end), "-nolisten", "tcp", "-screen", "0", "1280x900x24")
    with os.fdopen(read_end, "rb") as names, os.fdopen(write_end, "wb") as writing:
        async with _process("Xvfb", arguments, {}, keep=(write_end,)):
            writing.close()
            number = await asyncio.wait_for(asyncio.to_thread(names.readline), _START_SECONDS)
            yield f":{int(number)}"


@asynccontextmanager
async def _process(
    program: str, arguments: Iterable[str], environment: dict[str, str], keep: tuple[int, ...] = ()
) -> AsyncIterator[None]:
    """Run a program, with the files that it is to keep open."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env={**os.environ, **environment},
        pass_fds=keep,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
