"""What a site's sources may take. Protects the installation; a site that needs more adds a source less."""

from __future__ import annotations

from typing import Final

MAX_SOURCES: Final = 100
"""Per site."""
MAX_DOCUMENTS: Final = 5_000
"""Per site, of all sources. Only a protection: concurrent syncs may exceed it by the pages of one batch, and concurrent
uploads by their number."""
MAX_PASSAGES: Final = 50_000
"""Per site: what an exact search in memory holds."""
MAX_PAGES: Final = 2_000
"""Per crawl or sitemap."""
MAX_DEPTH: Final = 10
MAX_DOCUMENT_BYTES: Final = 20 * 1024 * 1024
"""Of a page or file as it is transferred, and again after decompression."""
MAX_PAGE_BYTES: Final = 5 * 1024 * 1024
MAX_TEXT_CHARACTERS: Final = 2_000_000
"""Of a document's text: below the database's limit of 16 MB for a document with a pending change."""
MAX_SECTIONS: Final = 20_000
MAX_SITEMAPS: Final = 50
MAX_ROBOTS_BYTES: Final = 500 * 1024
MAX_URL_LENGTH: Final = 2_000
MAX_LINKS: Final = 2_000
"""That are followed from one page."""
