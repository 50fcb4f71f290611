"""The encryption of Web Push messages, against the example of RFC 8291, appendix A, and by decryption."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from parley.notify.clients.vapid import VapidKey, generate_private_key
from parley.notify.push.web_push_encryption import (
    MAX_CONTENT_LENGTH,
    decode_base64url,
    encode_base64url,
    encrypt,
    load_public_key,
)
from support.web_push import decrypt, to_point

AUTH_SECRET = decode_base64url("BTBZMqHH6r4Tts7J_aSIgg")
RECEIVER_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SENDER_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = decode_base64url("DGv6ra1nlYgDCS1FRnbzlw")
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
    "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def _private_key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode_base64url(text), "big"), ec.SECP256R1())


def test_the_example_of_rfc_8291_is_reproduced() -> None:
    content = b"When I grow up, I want to be a watermelon"
    point = decode_base64url(RECEIVER_POINT)
    body = encrypt(content, point, AUTH_SECRET, sender_key=_private_key(SENDER_KEY), salt=SALT)
    assert encode_base64url(body) == MESSAGE
    assert decrypt(body, _private_key(RECEIVER_KEY), AUTH_SECRET) == content


def test_each_message_has_its_own_key_and_salt() -> None:
    receiver = ec.generate_private_key(ec.SECP256R1())
    content = "Grüße, 世界".encode() * 20
    bodies = {encrypt(content, to_point(receiver.public_key()), AUTH_SECRET) for _ in range(3)}
    assert len({body[:16] for body in bodies}) == len({body[21:86] for body in bodies}) == 3
    assert {decrypt(body, receiver, AUTH_SECRET) for body in bodies} == {content}


def test_a_message_has_at_most_the_size_that_push_services_accept() -> None:
    point = decode_base64url(RECEIVER_POINT)
    assert len(encrypt(b"x" * MAX_CONTENT_LENGTH, point, AUTH_SECRET)) == 4096
    with pytest.raises(ValueError, match="too long"):
        encrypt(b"x" * (MAX_CONTENT_LENGTH + 1), point, AUTH_SECRET)


@pytest.mark.parametrize("data", [b"", b"\x04" + b"\x01" * 64, decode_base64url(RECEIVER_POINT)[:-1]])
def test_what_is_no_point_on_the_curve_is_no_public_key(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load_public_key(data)


def test_a_vapid_token_names_the_push_service_and_is_used_again() -> None:
    vapid = VapidKey(generate_private_key(), "mailto:admin@parley.test")
    header = vapid.authorize("https://push.example.net/send/abc?x=1")
    token, _, key = header.removeprefix("vapid t=").partition(", k=")
    assert key == vapid.public_key
    public_key = load_public_key(decode_base64url(key))
    claims = jwt.decode(token, public_key, algorithms=["ES256"], audience="https://push.example.net")
    assert claims["sub"] == "mailto:admin@parley.test"
    assert vapid.authorize("https://push.example.net/send/other") == header
    assert vapid.authorize("https://push.example.net:8443/send/abc") != header


@pytest.mark.parametrize("key", ["", "short", "A" * 43, encode_base64url(b"\xff" * 32), "*" * 43])
def test_an_unusable_vapid_key_is_rejected(key: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        VapidKey(key, "mailto:admin@parley.test")
