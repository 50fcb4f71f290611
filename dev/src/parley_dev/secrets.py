"""The secrets of this clone's private installation: generated once, readable by their owner only."""

import json
import os
import secrets as random_secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """The keys that services sign with."""

    identity: str
    jwt: str

    @classmethod
    def generate(cls) -> "Secrets":
        """Generate random secrets."""
        return cls(identity=random_secrets.token_hex(32), jwt=random_secrets.token_hex(32))

    @classmethod
    def load_or_create(cls, path: Path) -> "Secrets":
        """Load the file's secrets, or generate and write them, so that tokens stay valid across restarts."""
        if path.exists():
            stored = json.loads(path.read_text())
            return cls(identity=stored["identity"], jwt=stored["jwt"])
        created = cls.generate()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(created), file)
        draft.replace(path)
        return created
