"""An operator's status on one site."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OperatorStatus:
    """An operator's status on one site. `expires_at` is None while the operator is offline."""

    site_id: int
    online: bool
    expires_at: datetime | None
