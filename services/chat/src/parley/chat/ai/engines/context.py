"""What engines are created with."""

from __future__ import annotations

from dataclasses import dataclass

from parley.chat.ai.site_keys import SiteKeyCipher
from parley.chat.settings import ChatSettings
from parley.common.http.ssrf_guard import SsrfGuard


@dataclass(frozen=True, slots=True)
class EngineContext:
    settings: ChatSettings
    site_keys: SiteKeyCipher
    """Decrypts the keys of sites' own endpoints."""
    ssrf_guard: SsrfGuard
    """Must guard each connection to an endpoint that a site has named."""
