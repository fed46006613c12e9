"""Signatures of webhooks: ours going out, and Replicate's coming in. Pure.

Both: Standard Webhooks (standardwebhooks.com), headers webhook-id, webhook-timestamp, webhook-signature.
Ours besides: `X-Easel-Signature: t=<unix seconds>,v1=<hex>` with hex = HMAC-SHA256(secret, "<t>.<body>").
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from typing import Final

TOLERANCE_S: Final = 300.0
_PREFIX: Final = "whsec_"


def signature_of(body: bytes, secret: str, now_s: float) -> str:
    """Return the value of `X-Easel-Signature` for a body sent now."""
    stamp = int(now_s)
    return f"t={stamp},v1={hmac.digest(secret.encode(), f'{stamp}.'.encode() + body, 'sha256').hex()}"


def standard_headers(message_id: str, body: bytes, secret: str, now_s: float) -> dict[str, str]:
    """Return the headers of Standard Webhooks for a body sent now.

    Args:
        message_id: the same when it is sent again.
        body: the raw bytes.
        secret: `whsec_` with the key in base64, or any text, whose bytes are the key; empty: no signature.
        now_s: UTC epoch seconds.
    """
    stamp = str(int(now_s))
    headers = {"webhook-id": message_id, "webhook-timestamp": stamp}
    if secret:
        key = _key_of(secret) if secret.startswith(_PREFIX) else None
        headers["webhook-signature"] = f"v1,{_signed(message_id, stamp, body, key or secret.encode()).decode()}"
    return headers


def verify_replicate(headers: Mapping[str, str], body: bytes, secret: str, *, now_s: float) -> bool:
    """Return whether a webhook is Replicate's own and no older than five minutes.

    Args:
        headers: as received; names in any case.
        body: the raw bytes.
        secret: `whsec_...`, from GET /webhooks/default/secret.
        now_s: UTC epoch seconds.
    """
    found = {name.lower(): value for name, value in headers.items()}
    message_id, stamp = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
    if not (message_id and stamp.isascii() and stamp.isdigit()) or abs(now_s - int(stamp)) > TOLERANCE_S:
        return False
    if (key := _key_of(secret)) is None:
        return False
    expected = _signed(message_id, stamp, body, key)
    given = [part.partition(",") for part in found.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(expected, text.encode()) for version, _, text in given)


def _key_of(secret: str) -> bytes | None:
    """Return the key that a secret holds as base64; None where it holds none."""
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None


def _signed(message_id: str, stamp: str, body: bytes, key: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256"))
