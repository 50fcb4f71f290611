"""The secrets of this clone's private installation: generated once, readable by their owner only."""

import json
import os
import secrets as random_secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """The keys that services sign with."""

    identity: str
    jwt: str
    vapid: str

    @classmethod
    def generate(cls) -> "Secrets":
        """Generate random secrets."""
        return cls(
            identity=random_secrets.token_hex(32),
            jwt=random_secrets.token_hex(32),
            # Any 32 bytes are a private key of P-256, but for one case in 2^32.
            vapid=random_secrets.token_urlsafe(32),
        )

    @classmethod
    def load_or_create(cls, path: Path) -> "Secrets":
        """Load the file's secrets, or generate and write them, so that tokens stay valid across restarts."""
        if path.exists():
            stored = json.loads(path.read_text())
            if "vapid" in stored:
                return cls(**stored)
            created = replace(cls.generate(), **stored)  # Written by the version before.
        else:
            created = cls.generate()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(created), file)
        draft.replace(path)
        return created
