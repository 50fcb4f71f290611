"""Lifetimes of identification."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

MAX_TOKEN_LIFETIME: Final = timedelta(hours=24)
"""How far ahead the expiry of a site's token may be."""
CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""Between the clocks of the site's server and of this one."""
SESSION_LIFETIME: Final = timedelta(days=30)
"""Of an identified session. Pages that identify their visitor renew it when half of it is over."""
LAST_USED_RESOLUTION: Final = timedelta(hours=1)
"""Limits the writes of a secret in constant use."""
