"""The built web pages, where there are any: the operators' panel, the widget, and a demo page that shows it."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from parley.common.errors import NotFound

_PANEL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob: https:; font-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOREVER = "public, max-age=31536000, immutable"


class Pages:
    """Serves a folder that a build filled: panel/, widget.js, demo/."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder is not None and folder.is_dir() else None

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the pages; none where nothing was built."""
        if self._folder is None:
            return
        router.add_route("GET", "/panel", self.panel)
        router.add_route("GET", "/panel/{path:.*}", self.panel)
        router.add_route("GET", "/widget.js", self.widget)
        router.add_route("GET", "/demo", self.demo)
        router.add_route("GET", "/demo/{path:.*}", self.demo)

    async def panel(self, request: web.Request) -> web.StreamResponse:
        """A file of the panel; its page for every other path, which are places inside it."""
        path = request.match_info.get("path", "")
        file = self._file("panel", path)
        cache = _FOREVER if file is not None and path.startswith("assets/") else "no-cache"
        return self._send(file or self._file("panel", "index.html"), cache, _PANEL_POLICY)

    async def widget(self, _request: web.Request) -> web.StreamResponse:
        """The script that sites load; from anywhere, and soon renewed."""
        response = self._send(self._file("", "widget.js"), "public, max-age=300", None)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def demo(self, request: web.Request) -> web.StreamResponse:
        """A page of a made-up shop with the widget on it; `?site_key` says whose."""
        path = request.match_info.get("path") or "index.html"
        return self._send(self._file("demo", path), "no-cache", _DEMO_POLICY)

    def _file(self, part: str, path: str) -> Path | None:
        assert self._folder is not None
        base = self._folder / part
        file = (base / path).resolve()
        return file if file.is_relative_to(base) and file.is_file() else None

    def _send(self, file: Path | None, cache: str, policy: str | None) -> web.StreamResponse:
        if file is None:
            raise NotFound
        headers = {"Cache-Control": cache}
        if policy is not None:
            headers["Content-Security-Policy"] = policy
        return web.FileResponse(file, headers=headers)
