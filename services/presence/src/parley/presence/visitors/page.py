"""What operators see of a visitor's page: URLs carry reset tokens, e-mail addresses and sign-in codes."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from parley.presence.visitors.model import PageInfo

_MAX_PARAMETERS = 200
_DEMO_PATH = "/demo"


def build_page_info(
    url: str,
    title: str | None,
    referrer: str | None,
    language: str | None,
    *,
    tracking: bool,
    kept_parameters: Collection[str],
) -> PageInfo:
    """Return what is stored of a page: nothing but the language if the site does not track pages."""
    if not tracking:
        return PageInfo(None, None, None, language)
    return PageInfo(clean_url(url, kept_parameters), title, clean_url(referrer, ()) if referrer else None, language)


def find_widget_origin(url: str) -> str | None:
    """Return scheme and host of a page with the widget; None for Parley's own demo page, which every site has."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.path == _DEMO_PATH:
        return None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def clean_url(url: str, kept_parameters: Collection[str]) -> str | None:
    """Drop credentials, fragment and query, except for the parameters to keep. None if it is not a URL."""
    try:
        parts = urlsplit(url)
        query = ""
        if kept_parameters:
            parameters = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
            query = urlencode([(name, value) for name, value in parameters if name in kept_parameters])
    except ValueError:
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
