"""Every timeout of this package, in seconds."""

from __future__ import annotations

from typing import Final

CONNECT_TIMEOUT_SECONDS: Final = 5
"""To MongoDB and RabbitMQ in `parley config check`."""
CHECK_TIMEOUT_SECONDS: Final = 15.0
"""For one check of `parley config check`."""
MIGRATION_RETRY_SECONDS: Final = 5.0
"""Between two attempts of `parley schema migrate`."""
