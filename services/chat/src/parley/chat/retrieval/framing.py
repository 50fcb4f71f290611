"""How requests and responses of the retrieval worker are separated."""

from __future__ import annotations

import struct

LENGTH = struct.Struct(">I")
"""Of the part that follows, in bytes."""
