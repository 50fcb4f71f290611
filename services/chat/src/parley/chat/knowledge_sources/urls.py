"""Addresses of pages: one form for each page, and which pages belong to a crawl."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from parley.chat.knowledge_sources.limits import MAX_URL_LENGTH

_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(r"(?:utm_\w{1,40}|gclid|fbclid|msclkid|mc_cid|mc_eid|phpsessid|jsessionid|sid)\Z", re.IGNORECASE)
_NOT_A_PAGE = re.compile(
    r"\.(?:avif|bmp|css|csv|doc|eot|exe|gif|gz|ico|iso|jpe?g|js|json|m4a|mov|mp3|mp4|ogg|png|ppt|pptx|rar|rss|svg|tar"
    r"|tiff?|ttf|wav|webm|webp|woff2?|xls|xlsx|xml|zip)\Z",
    re.IGNORECASE,
)
_SAFE_IN_PATH = "/!$&'()*+,;=:@-._~%"
"""With `%`: what is encoded already stays as it is."""


def normalize_url(text: str, base: str | None = None) -> str | None:
    """Return the one form of an http or https address, without fragment and tracking; None if it is none.

    A relative address needs a base.
    """
    try:
        parts = urlsplit(urljoin(base, text.strip()) if base else text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        return None
    try:
        name = host if ":" in host else host.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    location = f"[{name}]" if ":" in name else name
    if port is not None and port != _PORTS[scheme]:
        location = f"{location}:{port}"
    path = quote(parts.path, safe=_SAFE_IN_PATH, errors="replace") or "/"
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(pair[0])]
    url = urlunsplit((scheme, location, path, urlencode(pairs), ""))
    return url if len(url) <= MAX_URL_LENGTH else None


def origin_of(url: str) -> str:
    """Return scheme, host and port of a normalized address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_same_site(url: str, start: str) -> bool:
    """Whether a page belongs to the crawl that starts at an address: the same host, with or without `www.`."""
    return _site_of(url) == _site_of(start)


def may_be_page(url: str) -> bool:
    """Whether an address may lead to a page or a readable file, by the ending of its path."""
    return not _NOT_A_PAGE.search(urlsplit(url).path)


def _site_of(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), parts.port
