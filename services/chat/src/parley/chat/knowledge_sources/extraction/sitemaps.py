"""Reads sitemaps (XML, also compressed) and lists of addresses in plain text."""

from __future__ import annotations

import io
import zlib

from lxml import etree

from parley.chat.knowledge_sources.errors import DocumentError
from parley.chat.knowledge_sources.extraction.model import Sitemap
from parley.chat.knowledge_sources.limits import MAX_PAGES, MAX_SITEMAPS

MAX_SITEMAP_BYTES = 50 * 1024 * 1024
"""Of an unpacked one: the limit of the sitemaps protocol."""
_GZIP = b"\x1f\x8b"


def read_sitemap(data: bytes) -> Sitemap:
    """Return the addresses in their order, as many as a source may have. Raises DocumentError."""
    if data.startswith(_GZIP):
        data = _unpack(data)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = [line.strip() for line in data.decode("utf-8", "replace").split("\n")]
        return _require_entries(Sitemap(tuple(filter(None, lines))[:MAX_PAGES]))
    pages: list[str] = []
    sitemaps: list[str] = []
    try:
        # Without entities: a few of them could expand to more than fits into memory.
        events = etree.iterparse(
            io.BytesIO(data), events=("end",), resolve_entities=False, no_network=True, recover=True, huge_tree=False
        )
        for _, element in events:
            if not isinstance(element.tag, str):
                continue
            name, parent = etree.QName(element).localname, element.getparent()
            if name == "loc" and parent is not None and isinstance(parent.tag, str):
                found = {"url": pages, "sitemap": sitemaps}.get(etree.QName(parent).localname)
                if found is not None and element.text:
                    found.append(element.text.strip())
            if name in ("url", "sitemap"):
                element.clear(keep_tail=False)
            if len(pages) >= MAX_PAGES or len(sitemaps) >= MAX_SITEMAPS:
                break
    except etree.LxmlError as exc:
        raise DocumentError("damaged", "The sitemap is damaged, and cannot be read.") from exc
    return _require_entries(Sitemap(tuple(pages), tuple(sitemaps)))


def _require_entries(sitemap: Sitemap) -> Sitemap:
    if not sitemap.pages and not sitemap.sitemaps:
        raise DocumentError("no_sitemap", "This is not a sitemap, or it lists no pages.")
    return sitemap


def _unpack(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    damaged = DocumentError("damaged", "The compressed sitemap is damaged.")
    try:
        unpacked = unpacker.decompress(data, MAX_SITEMAP_BYTES)
    except zlib.error as exc:
        raise damaged from exc
    if unpacker.unconsumed_tail:
        raise DocumentError("unpacks_too_large", "The sitemap unpacks to more than can be read.")
    if not unpacker.eof:
        raise damaged
    return unpacked
