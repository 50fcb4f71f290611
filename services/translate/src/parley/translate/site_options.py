"""What a site may configure for its translations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """Translation options of one site.

    `engines` are names in order of preference, `glossary` are terms that are never translated, `daily_characters` is
    the quota for paid engines per day (UTC); 0 means no limit.
    """

    engines: tuple[str, ...]
    glossary: tuple[str, ...]
    daily_characters: int
