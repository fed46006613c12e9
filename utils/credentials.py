"""Credentials that C2PA marks are signed with, as values; `utils.certificates` reads it from files."""

from dataclasses import field
from datetime import datetime
from typing import Final

from lazy import dataclass
from texts.text import _

CERTIFICATE: Final = "C2PA_CERTIFICATE"
KEY: Final = "C2PA_KEY"
CHAIN_RIGHT: Final = _("a PEM file with your certificate first, then those that issued it")
KEY_RIGHT: Final = _("a PEM file with the private key of C2PA_CERTIFICATE")
# OIDs of what a certificate may be for: e-mail, documents, C2PA claims, time stamps, OCSP answers, Microsoft's C2PA.
ACCEPTED_USES: Final = (
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.4.1.62558.2.1",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
    "1.3.6.1.4.1.311.76.59.1.9",
)


class BadCredential(Exception):
    """A file that cannot be signed with: `setting` names it, `right` says what it must be. Holds nothing of the key."""

    def __init__(self, setting: str, allowed: str) -> None:
        super().__init__(_("{setting} must be {allowed}", setting=setting, allowed=allowed))
        self.setting = setting
        self.allowed = allowed


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A signer, as PEM: the signer's certificate first, the key as PKCS #8. `algorithm`: by C2PA's name."""

    chain: bytes
    key: bytes = field(repr=False)
    algorithm: str
    ends_at: datetime
