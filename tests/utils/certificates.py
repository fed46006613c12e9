"""An authority of our own for tests: chains of certificates and keys, right and wrong, as PEM files."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)
EMAIL, DOCUMENTS, CLAIMS, SERVERS = (
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.4.1.62558.2.1",
    "1.3.6.1.5.5.7.3.1",
)


@dataclass(frozen=True)
class Issued:
    """A chain and its key in two files."""

    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, str]:
        return {"PROVENANCE": "c2pa", "C2PA_CERTIFICATE": str(self.certificate), "C2PA_KEY": str(self.key)}


def issue(
    folder: Path,
    *,
    key: Any = None,
    use: str | None = EMAIL,
    is_use_critical: bool = False,
    begins_in: float = -1.0,
    ends_in: float = 30.0,
    signs: bool = True,
    is_authority: bool = False,
    is_self_signed: bool = False,
    passphrase: str = "",
    order: int = 1,
) -> Issued:
    """Lay a chain and its key into a folder; times are days from now, `order` -1 turns the chain round."""
    key, issuer_key = key or ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _authority(issuer_key)
    begin, end = NOW + timedelta(days=begins_in), NOW + timedelta(days=ends_in)
    own_name = _name("Easel test signer")
    builder = _builder(own_name, own_name if is_self_signed else issuer.subject, key.public_key(), begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
    builder = builder.add_extension(_usage(signs=signs, issues=is_authority), True)
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    if use:
        builder = builder.add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier(use)]), is_use_critical)
    signed_with = key if is_self_signed else issuer_key
    own = builder.sign(signed_with, None if isinstance(signed_with, ed25519.Ed25519PrivateKey) else hashes.SHA256())
    chain = [item.public_bytes(serialization.Encoding.PEM) for item in (own, issuer)][::order]
    folder.mkdir(parents=True, exist_ok=True)
    issued = Issued(folder / "chain.pem", folder / "key.pem")
    issued.certificate.write_bytes(b"".join(chain))
    issued.key.write_bytes(pem_of(key, passphrase=passphrase))
    return issued


def pem_of(key: Any, *, passphrase: str = "", form: str = "PKCS8") -> bytes:
    sealed = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), sealed)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    begin, end = NOW - timedelta(days=400), NOW + timedelta(days=3650)
    name = _name("Easel test authority")
    builder = _builder(name, name, key.public_key(), begin, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    return builder.add_extension(_usage(signs=False, issues=True), True).sign(key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: Any, begin: datetime, end: datetime) -> Any:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)


def _usage(*, signs: bool, issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=not signs and not issues,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    pairs = ((NameOID.COMMON_NAME, common), (NameOID.ORGANIZATION_NAME, "Easel tests"))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in pairs])
