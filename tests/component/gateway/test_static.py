"""The built web pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from component.gateway.harness import Gateway

Start = Callable[..., Awaitable[Gateway]]


async def test_only_files_of_the_build_directory_are_served(
    tmp_path: Path, start_gateway: Start, gateway: Gateway
) -> None:
    built = tmp_path / "dist"
    (built / "panel" / "assets").mkdir(parents=True)
    (built / "demo").mkdir()
    (built / "widget").mkdir()
    (built / "widget" / "chat-1a2b3c4d.js").write_text("chat 1")
    (built / "widget" / "chat.js").write_text("chat")
    (built / "widget" / "part-uploads-1a2b3c4d.js").write_text("part")
    (built / "widget" / "app.html").write_text("app")
    (built / "panel" / "index.html").write_text("panel")
    (built / "panel" / "assets" / "a.js").write_text("asset")
    (built / "widget.js").write_text("widget")
    (built / "demo" / "index.html").write_text("demo")
    (tmp_path / "secret").write_text("secret")
    gateway_with_pages = await start_gateway(PARLEY_WEB_DIR=str(built))

    async def get(path: str) -> tuple[int, str, str]:
        async with gateway_with_pages.client.get(gateway_with_pages.url + path) as response:
            return response.status, await response.text(), response.headers.get("Cache-Control", "")

    assert await get("/panel") == (200, "panel", "no-cache")
    assert await get("/panel/chats/5") == (200, "panel", "no-cache")
    assert await get("/panel/assets/a.js") == (200, "asset", "public, max-age=31536000, immutable")
    assert (await get("/widget.js"))[:2] == (200, "widget")
    assert await get("/widget/chat-1a2b3c4d.js") == (200, "chat 1", "public, max-age=31536000, immutable")
    assert (await get("/widget/part-uploads-1a2b3c4d.js"))[2] == "public, max-age=31536000, immutable"
    assert await get("/widget/app.html?site_key=pk_1") == (200, "app", "public, max-age=300")
    assert await get("/widget/chat.js") == (200, "chat", "public, max-age=300")
    assert (await get("/widget/chat-00000000.js"))[0] == 404
    assert (await get("/demo?site_key=pk_1"))[:2] == (200, "demo")
    assert "secret" not in (await get("/panel/..%2f..%2fsecret"))[1]
    assert (await get("/demo/..%2f..%2fsecret"))[0] == 404
    for path in (
        "%00",
        "a%00b",
        "x" * 300,
        "assets/" + "x" * 300,
        "x/" * 2500,
        "%ff",
        "%ed%a0%80",
        "assets/a.js/b",
        "..%00",
    ):
        assert (await get(f"/panel/{path}"))[:2] == (200, "panel"), path
        assert (await get(f"/demo/{path}"))[0] == 404, path
    async with gateway.get("/panel") as response:
        assert response.status == 404


async def test_a_file_is_sent_compressed_to_clients_that_accept_it(tmp_path: Path, start_gateway: Start) -> None:
    built = tmp_path / "dist"
    (built / "panel" / "assets").mkdir(parents=True)
    for name in ("panel/index.html", "panel/assets/a.js", "widget.js"):
        (built / name).write_text("plain " * 400)
        (built / f"{name}.gz").write_bytes(b"zipped")
        (built / f"{name}.br").write_bytes(b"brotli")
    gateway = await start_gateway(PARLEY_WEB_DIR=str(built))
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        for path in ("/panel", "/panel/assets/a.js", "/widget.js"):
            for accepted, expected in (("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)):
                async with client.get(gateway.url + path, headers={"Accept-Encoding": accepted}) as response:
                    body = await response.read()
                    assert response.headers.get("Content-Encoding") == expected, path
                    assert "Accept-Encoding" in response.headers["Vary"]
                    assert response.content_type in ("text/html", "text/javascript", "application/javascript")
                    assert body == {"br": b"brotli", "gzip": b"zipped"}.get(expected or "", b"plain " * 400)
