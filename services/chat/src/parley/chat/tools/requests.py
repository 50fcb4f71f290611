"""The HTTP request of a call: its address, its body, and the signature by which the site's server knows Parley."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from parley.chat.tools.model import VerifiedVisitor

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_BRACE = re.compile(r"[{}]")
_WITHOUT_BODY = ("GET", "DELETE")

SIGNATURE_HEADER = "Parley-Signature"
TIMESTAMP_HEADER = "Parley-Timestamp"
VISITOR_HEADER = "Parley-Visitor"
KEY_HEADER = "Idempotency-Key"


class InvalidAddress(Exception):
    """An argument makes the address another one than the site has described."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


def find_placeholders(url: str) -> list[str]:
    return PLACEHOLDER.findall(url)


def find_address_fault(url: str) -> str | None:
    """Why an address cannot be a tool's; None if it can. The SSRF guard has its own say."""
    parts = urlsplit(url)
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a web address"
    if not host or parts.username is not None or parts.fragment or _has_space(url):
        return "is not a web address"
    if not url.isascii():
        return "must be written in ASCII, with percent-encoding"
    if _BRACE.search(parts.netloc) or _BRACE.search(parts.scheme):
        return "can have placeholders in its path and query only"
    if _BRACE.search(PLACEHOLDER.sub("", url)):
        return "has a placeholder that is not a name in braces"
    return None


def _has_space(url: str) -> bool:
    return any(character.isspace() for character in url)


def origin_of(url: str) -> str:
    """Where requests go: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def build_request(
    method: str,
    template: str,
    arguments: Mapping[str, Any],
    visitor: VerifiedVisitor | None,
    *,
    secret: str,
    authorization: str | None,
    idempotency_key: str,
    timestamp: int,
) -> HttpRequest:
    """The signed request. Raises InvalidAddress."""
    url, body = _fill(method, template, arguments)
    headers = {"Accept": "application/json, text/plain;q=0.9", "Accept-Encoding": "identity"}
    if body:
        headers["Content-Type"] = "application/json"
    if authorization is not None:
        headers["Authorization"] = authorization
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    headers |= build_signature_headers(secret, timestamp, idempotency_key, method, target, visitor, body)
    return HttpRequest(method, url, headers, body)


def build_signature_headers(
    secret: str, timestamp: int, key: str, method: str, target: str, visitor: VerifiedVisitor | None, body: bytes
) -> dict[str, str]:
    """Who asks and when, with a HMAC-SHA256 over all that the server acts on, each on a line of its own, and the body.

    An empty key stands for none.
    """
    proof = ""
    if visitor is not None:
        proof = json.dumps({"sub": visitor.sub, **({"email": visitor.email} if visitor.email else {})})
    signed = "\n".join((str(timestamp), key, method, target, proof, "")).encode() + body
    headers = {KEY_HEADER: key, TIMESTAMP_HEADER: str(timestamp), VISITOR_HEADER: proof}
    headers[SIGNATURE_HEADER] = "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {name: value for name, value in headers.items() if value}


def _fill(method: str, template: str, arguments: Mapping[str, Any]) -> tuple[str, bytes]:
    """The address with its placeholders replaced, and the body. Arguments without a placeholder are in one of them."""
    named = find_placeholders(template)
    rest = {name: value for name, value in arguments.items() if name not in named}
    parts = urlsplit(template)
    if any(set("/\\") & set(_to_text(arguments[name])) for name in find_placeholders(parts.path)):
        # Some servers decode a slash before they look at the path.
        raise InvalidAddress
    segments = [PLACEHOLDER.sub(lambda found: _encode(arguments, found[1]), part) for part in parts.path.split("/")]
    for segment, original in zip(segments, parts.path.split("/"), strict=True):
        # An empty segment or one of dots would lead to another resource.
        if PLACEHOLDER.search(original) and segment.replace("%2E", ".") in ("", ".", ".."):
            raise InvalidAddress
    query = PLACEHOLDER.sub(lambda found: _encode(arguments, found[1]), parts.query)
    if method in _WITHOUT_BODY:
        added = urlencode([(name, _to_text(value)) for name, value in rest.items()], quote_via=quote)
        query = "&".join(filter(None, (query, added)))
    path = "/".join(segments) or "/"
    url = urlunsplit((parts.scheme, parts.netloc, path, query, ""))
    return url, b"" if method in _WITHOUT_BODY else json.dumps(rest, ensure_ascii=False).encode()


def _encode(arguments: Mapping[str, Any], name: str) -> str:
    return quote(_to_text(arguments[name]), safe="")


def _to_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
