"""Every timeout, delay and interval of translate that is not a setting, in seconds."""

from __future__ import annotations

from typing import Final

SITE_OPTIONS_TIMEOUT_SECONDS: Final = 0.5
"""For reading a site's options from chat. Short: chat may itself be waiting for the translation."""
SITE_OPTIONS_TTL_SECONDS: Final = 300.0
SITE_OPTIONS_FALLBACK_TTL_SECONDS: Final = 15.0
"""After a failed call, chat is not asked again for this long."""

ENGINE_REFRESH_INTERVAL_SECONDS: Final = 30.0
"""Between two attempts to list the languages of engines whose list is missing or outdated."""
LANGUAGE_LIST_TTL_SECONDS: Final = 3600.0
"""How long an engine's list of languages is used."""

BREAKER_PAUSE_SECONDS: Final = 15.0
"""How long an engine is not called after repeated failures; doubled with each failed trial."""
MAX_BREAKER_PAUSE_SECONDS: Final = 120.0
QUOTA_PAUSE_SECONDS: Final = 60.0
"""How long an engine is not called after it reported an exhausted quota."""
AUTH_PAUSE_SECONDS: Final = 300.0
"""How long an engine is not called after it refused the credentials."""

GOOGLE_RETRY_TIMEOUT_SECONDS: Final = 1.0
"""For the retries of one call to Google."""
GOOGLE_INITIAL_RETRY_DELAY_SECONDS: Final = 0.1
GOOGLE_MAX_RETRY_DELAY_SECONDS: Final = 0.5
LOCAL_MODELS_IDLE_SECONDS: Final = 900.0
"""After the last text, the models of the local engine are released."""
LIBRETRANSLATE_CONNECT_TIMEOUT_SECONDS: Final = 2.0
