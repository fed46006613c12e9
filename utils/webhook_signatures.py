"""Signatures of webhooks: ours going out, and Replicate's coming in. Pure.

Ours: `X-Easel-Signature: t=<unix seconds>,v1=<hex>` with hex = HMAC-SHA256(secret, "<t>.<body>").
Replicate's: Standard Webhooks (standardwebhooks.com), headers webhook-id, webhook-timestamp, webhook-signature.
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


def verify_replicate(headers: Mapping[str, str], body: bytes, secret: str, *, now_s: float) -> bool:
    """Say whether a webhook is Replicate's own and no older than five minutes.

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
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    expected = base64.b64encode(hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, "sha256"))
    said = [part.partition(",") for part in found.get("webhook-signature", "").split()]
    return any(version == "v1" and hmac.compare_digest(expected, text.encode()) for version, _, text in said)
