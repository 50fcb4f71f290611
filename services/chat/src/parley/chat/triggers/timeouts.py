"""Timeouts of triggers."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

ANSWER_WINDOW: Final = timedelta(days=1)
"""How long after a trigger was shown a visitor's first message answers it. The widget shows it as long."""
MIN_BETWEEN_VISITS: Final = timedelta(minutes=30)
"""A visit ends when a visitor was away for this time."""
SHOWN_LIFETIME: Final = timedelta(days=365)
"""How long it is kept to whom a trigger was shown: so long, `visitor` means once."""
COUNTS_LIFETIME: Final = timedelta(days=400)
PREVIEW_LIFETIME: Final = timedelta(hours=1)
