"""Handlers of the built web pages: the operators' panel, the widget, and a demo page with the widget."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from parley.common.errors import NotFound
from parley.gateway.server.responses import PERMISSIONS_POLICY

_PANEL_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob: https:; font-src 'self'; media-src 'self' blob: https:; manifest-src 'self'; "
    "worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_DEMO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data: blob: https:; media-src 'self' blob: https:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_APP_PAGE = "app.html"
_APP_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob: https:; "
    "media-src 'self' blob: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_IMMUTABLE = "public, max-age=31536000, immutable"


class StaticFiles:
    """Serves a build directory with `panel/`, `widget.js`, `widget/` and `demo/`; compressed if it is."""

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory.resolve() if directory is not None and directory.is_dir() else None

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the routes; none if there is no build directory."""
        if self._directory is None:
            return
        router.add_route("GET", "/panel", self.get_panel)
        router.add_route("GET", "/panel/{path:.*}", self.get_panel)
        router.add_route("GET", "/widget.js", self.get_widget)
        router.add_route("GET", "/widget/{path:.*}", self.get_widget)
        router.add_route("GET", "/demo", self.get_demo)
        router.add_route("GET", "/demo/{path:.*}", self.get_demo)

    async def get_panel(self, request: web.Request) -> web.StreamResponse:
        """Serve a file of the panel, or its page for every other path: those are views of the panel."""
        path = request.match_info.get("path", "")
        file = self._find("panel", path)
        cache_control = _IMMUTABLE if file is not None and path.startswith("assets/") else "no-cache"
        return _file_response(file or self._find("panel", "index.html"), cache_control, _PANEL_POLICY)

    async def get_widget(self, request: web.Request) -> web.StreamResponse:
        """Serve the script that sites embed, and what it loads: readable from every origin.

        Cached for 5 minutes, except for files whose name has a hash of their content: those never change.
        `app.html` is a page with the chat alone, for apps.
        """
        path = request.match_info.get("path")
        file = self._find("", "widget.js") if path is None else self._find("widget", path)
        is_immutable = path is not None and path.startswith(("chat-", "part-"))
        policy = _APP_POLICY if path == _APP_PAGE else None
        response = _file_response(file, _IMMUTABLE if is_immutable else "public, max-age=300", policy)
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    async def get_demo(self, request: web.Request) -> web.StreamResponse:
        """Serve the demo page; its query `?site_key=` selects the site of the widget."""
        path = request.match_info.get("path") or "index.html"
        return _file_response(self._find("demo", path), "no-cache", _DEMO_POLICY)

    def _find(self, subdirectory: str, path: str) -> Path | None:
        assert self._directory is not None
        base = self._directory / subdirectory
        try:
            file = (base / path).resolve()
            return file if file.is_relative_to(base) and file.is_file() else None
        except (ValueError, OSError):  # A NUL or a surrogate, or a name that is too long: no file has such a path.
            return None


def _file_response(file: Path | None, cache_control: str, policy: str | None) -> web.StreamResponse:
    if file is None:
        raise NotFound
    # aiohttp sends the file's .br or .gz in its place to clients that accept it; caches must tell these apart.
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    if policy is not None:
        headers["Content-Security-Policy"] = policy
        # Voice notes.
        headers["Permissions-Policy"] = PERMISSIONS_POLICY.replace("microphone=()", "microphone=(self)")
    return web.FileResponse(file, headers=headers)
