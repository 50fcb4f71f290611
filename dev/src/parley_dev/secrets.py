"""The secrets of this clone's private installation, made once and kept from other users."""

import json
import os
import secrets as random_secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Secrets:
    """What services sign with."""

    identity: str
    jwt: str

    @classmethod
    def generate(cls) -> "Secrets":
        """New ones."""
        return cls(identity=random_secrets.token_hex(32), jwt=random_secrets.token_hex(32))

    @classmethod
    def load_or_create(cls, path: Path) -> "Secrets":
        """Those of the file, or new ones written to it: tokens given out yesterday still work today."""
        if path.exists():
            known = json.loads(path.read_text())
            return cls(identity=known["identity"], jwt=known["jwt"])
        made = cls.generate()
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(made), file)
        draft.replace(path)
        return made
