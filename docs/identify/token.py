"""Prints a token for a user. With the library PyJWT it is one line: jwt.encode(claims, secret, algorithm="HS256")."""

import base64
import hashlib
import hmac
import json
import os
import sys
import time


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def parley_token(user_id: str, name: str, email: str) -> str:
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {"sub": user_id, "name": name, "email": email, "exp": int(time.time()) + 3600}
    signed = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    secret = os.environ["CHAT_IDENTITY_SECRET"].encode()
    return f"{signed}.{encode(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


if __name__ == "__main__":
    sys.stdout.write(parley_token(*sys.argv[1:4]))
