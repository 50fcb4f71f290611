"""Reads web pages: the text of their main part below its headings, and their links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from parley.chat.knowledge_sources.extraction.charsets import decode
from parley.chat.knowledge_sources.extraction.model import ReadDocument, ReadRequest
from parley.chat.knowledge_sources.extraction.outline import Outline, collapse
from parley.chat.knowledge_sources.limits import MAX_LINKS
from parley.chat.knowledge_sources.urls import may_be_page, normalize_url

_REMOVED = (
    "script, style, noscript, template, nav, aside, footer, form, svg, iframe, object, canvas, video, audio, dialog, "
    "button, select, [hidden], [aria-hidden=true], [role=navigation], [role=banner], [role=contentinfo], "
    "[role=search], [role=dialog], [role=alertdialog], [role=complementary]"
)
_MAIN_PARTS = ("main", "[role=main]", "article")
_MIN_MAIN_CHARACTERS = 200
"""A main part with less text than this and than half of the page is an empty frame."""
_BLOCK_NAMES = (
    "address article blockquote body caption dd details div dl dt fieldset figcaption figure h1 h2 h3 h4 h5 h6 header "
    "hr html li main ol p pre section summary table tbody td tfoot th thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CELLS = ("td", "th")
_NOFOLLOW = re.compile(r"\b(?:nofollow|none)\b", re.IGNORECASE)
_NOINDEX = re.compile(r"\b(?:noindex|none)\b", re.IGNORECASE)


def read_html(data: bytes, request: ReadRequest) -> ReadDocument:
    """Raises DocumentError if a page that may be indexed has no text."""
    return read_markup(decode(data, request.charset), request)


def read_markup(markup: str, request: ReadRequest) -> ReadDocument:
    tree = LexborHTMLParser(markup)
    robots = " ".join(_attribute(node, "content") for node in tree.css("meta[name=robots i], meta[name=parley i]"))
    base = normalize_url(_attribute(tree.css_first("base[href]"), "href"), request.url) or request.url
    canonical = normalize_url(_attribute(tree.css_first("link[rel=canonical]"), "href"), base)
    links = () if base is None or _NOFOLLOW.search(robots) else tuple(_list_links(tree, base))
    title = _text(tree.css_first("title"))
    first_heading = _text(tree.css_first("h1"))
    language = _attribute(tree.css_first("html"), "lang") or None
    for node in tree.css(_REMOVED):
        node.decompose()
    outline = Outline()
    for node in _find_main_parts(tree):
        _read_blocks(node, outline)
    noindex = bool(_NOINDEX.search(robots))
    if noindex:
        outline.add_text(title or "-")
    content = outline.finish(title or first_heading or request.name, language)
    return ReadDocument(content, canonical, noindex, links)


def _list_links(tree: LexborHTMLParser, base: str) -> Iterator[str]:
    found: dict[str, None] = {}
    for node in tree.css("a[href]"):
        if _NOFOLLOW.search(_attribute(node, "rel")):
            continue
        url = normalize_url(_attribute(node, "href"), base)
        if url is not None and may_be_page(url):
            found[url] = None
        if len(found) >= MAX_LINKS:
            break
    return iter(found)


def _find_main_parts(tree: LexborHTMLParser) -> list[LexborNode]:
    """Return the main part; the articles of a page that has several; the body of one that marks neither."""
    body = tree.body
    if body is None:
        return []
    for selector in _MAIN_PARTS:
        # The outer ones: an article may contain those of its comments.
        parts = [node for node in tree.css(selector) if not _has_ancestor(node, selector)]
        length = sum(len(collapse(part.text())) for part in parts)
        if parts and (length >= _MIN_MAIN_CHARACTERS or 2 * length >= len(collapse(body.text()))):
            return parts
    return [body]


def _has_ancestor(node: LexborNode, selector: str) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == selector:
            return True
        parent = parent.parent
    return False


def _read_blocks(root: LexborNode, outline: Outline) -> None:
    """Add the texts below a node. Texts with the same nearest block are one paragraph, the cells of a row too."""
    current: LexborNode | None = None
    parts: list[str] = []

    def flush() -> None:
        text = "".join(parts)
        parts.clear()
        if current is not None and (level := _HEADINGS.get(current.tag or "")):
            outline.add_heading(level, text)
        else:
            outline.add_text(text)

    for node in root.traverse(include_text=True):
        if node.tag == "br":
            flush()
            continue
        if node.tag != "-text":
            continue
        text = node.text(deep=False)
        if not text.strip():
            parts.append(" ")
            continue
        block = _nearest_block(node)
        if current is None or block.mem_id != current.mem_id:
            if current is not None and _is_same_row(block, current):
                parts.append(" | ")
            else:
                flush()
            current = block
        parts.append(text)
    flush()


def _nearest_block(node: LexborNode) -> LexborNode:
    block = node.parent
    assert block is not None, "a text has a parent"
    while block.tag not in _BLOCKS and block.parent is not None:
        block = block.parent
    # A paragraph in a heading or a cell belongs to it.
    outer = block
    for _ in range(4):
        if outer.tag in _HEADINGS or outer.tag in _CELLS:
            return outer
        if outer.parent is None:
            break
        outer = outer.parent
    return block


def _is_same_row(block: LexborNode, other: LexborNode) -> bool:
    if block.tag not in _CELLS or other.tag not in _CELLS or block.parent is None or other.parent is None:
        return False
    return block.parent.mem_id == other.parent.mem_id


def _attribute(node: LexborNode | None, name: str) -> str:
    return (node.attributes.get(name) or "").strip() if node is not None else ""


def _text(node: LexborNode | None) -> str:
    return collapse(node.text()) if node is not None else ""
