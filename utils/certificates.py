"""The certificate chain and key that C2PA marks are signed with, from PEM files of the operator's. Blocks.

What C2PA accepts: C2PA specification 2.2, section 14.5 (certificate profile), and 13.2.1 (algorithms).
"""

from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from texts.text import _
from utils.credentials import ACCEPTED_USES, CERTIFICATE, CHAIN_RIGHT, KEY, KEY_RIGHT, BadCredential, Credential

MIN_RSA_BITS: Final = 2048
MAX_FILE_BYTES: Final = 256 * 1024
_CURVES: Final = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


def read_credential(certificate: Path, key: Path, now: datetime) -> Credential:
    """Read both files and check all that can be told without signing.

    Raises:
        BadCredential: one cannot be read, they do not belong together, or C2PA takes no such certificate.
    """
    chain = _chain(_read(CERTIFICATE, certificate, CHAIN_RIGHT))
    private, algorithm = _key(_read(KEY, key, KEY_RIGHT))
    own = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    keys = [item.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for item in chain]
    if own not in keys:
        raise BadCredential(KEY, _("the private key of C2PA_CERTIFICATE, but it belongs to another certificate"))
    if own != keys[0]:
        raise BadCredential(CERTIFICATE, _("{chain_right}: another one stands first", chain_right=CHAIN_RIGHT))
    _check_time(chain[0], now)
    _check_use(chain[0])
    return Credential(
        chain=b"".join(item.public_bytes(Encoding.PEM) for item in chain),
        key=private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        algorithm=algorithm,
        ends_at=chain[0].not_valid_after_utc,
    )


def _read(setting: str, path: Path, allowed: str) -> bytes:
    try:
        if "-----BEGIN" in str(path):
            raise BadCredential(setting, _("the name of {allowed}, not what stands in it", allowed=allowed))
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES)
    except FileNotFoundError as error:
        raise BadCredential(setting, _("{allowed}, but there is no such file", allowed=allowed)) from error
    except (OSError, ValueError) as error:
        raise BadCredential(setting, _("{allowed}, but this cannot be read as a file", allowed=allowed)) from error


def _chain(data: bytes) -> list[x509.Certificate]:
    try:
        chain = x509.load_pem_x509_certificates(data)
        for item in chain:
            item.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCredential(
            CERTIFICATE, _("{chain_right}, but no certificate can be read in it", chain_right=CHAIN_RIGHT)
        ) from error
    return chain


def _key(data: bytes) -> tuple[ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, str]:
    try:
        private = serialization.load_pem_private_key(data, password=None)
    except TypeError as error:  # how `cryptography` says that it wants a password
        raise BadCredential(KEY, _("{key_right}, without a passphrase", key_right=KEY_RIGHT)) from error
    except (ValueError, UnsupportedAlgorithm):
        # from None: what the parser says may quote the file
        raise BadCredential(KEY, _("{key_right}, but no private key can be read in it", key_right=KEY_RIGHT)) from None
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _CURVES:
        return private, _CURVES[private.curve.name]
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return private, "ed25519"
    if isinstance(private, rsa.RSAPrivateKey) and private.key_size >= MIN_RSA_BITS:
        return private, "ps256"
    kinds = _("EC P-256, P-384 or P-521, Ed25519, or RSA of {least} bits or more", least=MIN_RSA_BITS)
    raise BadCredential(KEY, _("a private key of a kind that C2PA signs with: {kinds}", kinds=kinds))


def _check_time(certificate: x509.Certificate, now: datetime) -> None:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now > end:
        raise BadCredential(
            CERTIFICATE, _("a certificate that is valid today; this one ended on {end}", end=f"{end:%Y-%m-%d}")
        )
    if now < begin:
        raise BadCredential(
            CERTIFICATE, _("a certificate that is valid today; this one begins on {begin}", begin=f"{begin:%Y-%m-%d}")
        )


def _check_use(certificate: x509.Certificate) -> None:
    """Make sure that the certificate says it is for what C2PA signs, and who issued it."""
    try:
        extensions = certificate.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        uses = {use.dotted_string for use in extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}
    except (ValueError, x509.ExtensionNotFound) as error:
        raise BadCredential(CERTIFICATE, _accepted(_("this one does not say what it is for"))) from error
    if _is_self_signed(certificate):
        raise BadCredential(
            CERTIFICATE, _accepted(_("this one is signed with its own key; an authority must issue it"))
        )
    if usage.key_cert_sign:
        raise BadCredential(CERTIFICATE, _accepted(_("this one is an authority's, for issuing others")))
    if not usage.digital_signature:
        raise BadCredential(CERTIFICATE, _accepted(_("the key usage of this one lacks digitalSignature")))
    if uses.isdisjoint(ACCEPTED_USES):
        wanted = _("emailProtection, documentSigning or C2PA's claimSigning")
        raise BadCredential(
            CERTIFICATE, _accepted(_("the extended key usage of this one lacks {wanted}", wanted=wanted))
        )


def _is_self_signed(certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _accepted(why: str) -> str:
    return _("a certificate that C2PA accepts; {why}", why=why)
