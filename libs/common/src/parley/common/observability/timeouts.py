"""Every interval of this package, in seconds."""

from __future__ import annotations

from typing import Final

DROPPED_SPANS_LOG_INTERVAL_SECONDS: Final = 300.0
