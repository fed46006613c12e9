"""Keys, tokens and addresses: sealed at rest with Fernet (AES-128-CBC and HMAC, `cryptography`), kept out of logs."""

import base64
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, quote_plus

from lazy import pattern

if TYPE_CHECKING:
    from cryptography.fernet import Fernet, MultiFernet

REDACTED = "***"
KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 32
_TOKEN = pattern(r"[\w-]{80,}", re.ASCII)


class SecretLost(Exception):
    """Something stored cannot be read any more: the secret key is not the one it was sealed with."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class SecretBox:
    """Seals short texts with one key. The key is a Fernet key: 32 bytes as 44 characters of URL-safe base64.

    While a key is replaced there are several, with commas or blanks between them: the first seals, each of them opens.
    """

    def __init__(self, key: bytes) -> None:
        try:
            self._keys = [base64.urlsafe_b64decode(part) for part in key.replace(b",", b" ").split()]
            if not self._keys or any(len(part) != KEY_BYTES for part in self._keys):
                raise ValueError(len(self._keys))
        except ValueError as error:
            raise ValueError(
                "The secret key is not valid. It must be 44 characters of URL-safe base64, "
                "as in the key file that Easel makes."
            ) from error
        self._key = self._keys[0]

    @classmethod
    def open(cls, path: Path) -> "SecretBox":
        """Read the key file, or make it (mode 0600) when there is none. Blocks: call it in a thread."""
        try:
            return cls(path.read_bytes().strip())
        except FileNotFoundError:
            return cls(_make_key_file(path))

    @property
    def keys(self) -> tuple[bytes, ...]:
        """Return the keys as they are written down, the one that seals first."""
        return tuple(base64.urlsafe_b64encode(key) for key in self._keys)

    def newest(self) -> "SecretBox":
        """Return a box that only the first key opens."""
        return SecretBox(self.keys[0])

    @cached_property
    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import MultiFernet  # only here: see `_fernet`

        return MultiFernet([_fernet(key) for key in self._keys])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, token: str) -> str:
        """Return the text that was sealed.

        Raises:
            SecretLost: it was sealed with another key, or is damaged.
        """
        from cryptography.fernet import InvalidToken  # only here: see `_fernet`

        try:
            return self._fernet.decrypt(token.encode()).decode()
        except InvalidToken as error:
            raise SecretLost from error

    def has_sealed(self, token: str) -> bool:
        """Return whether `unseal` would give a text: its signature is good. Source: github.com/fernet/spec."""
        try:
            sealed = base64.urlsafe_b64decode(token)
        except ValueError:
            return False
        signed, signature = sealed[:-SIGNATURE_BYTES], sealed[-SIGNATURE_BYTES:]
        digests = (hmac.digest(key[:16], signed, "sha256") for key in self._keys)
        return any([hmac.compare_digest(digest, signature) for digest in digests])

    def derive(self, purpose: str) -> bytes:
        """Return 32 bytes for one other purpose; who learns them learns nothing of the key (HMAC-SHA256)."""
        return hmac.digest(self._key, purpose.encode(), "sha256")


class Opened(NamedTuple):
    """The content of a token, and for how many seconds it is still good."""

    text: str
    left_s: float


class TimedTokens:
    """Fernet tokens that are good for a while; nobody else can read, change or make them. `key` has 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @cached_property
    def _fernet(self) -> "Fernet":
        return _fernet(self._key)

    def issue(self, text: str, ttl_s: float, now: datetime) -> str:
        """Return a token of letters, digits, `-` and `_` that holds `text` for `ttl_s` seconds."""
        sealed = self._fernet.encrypt_at_time(f"{int(ttl_s)}\n{text}".encode(), int(now.timestamp()))
        return sealed.decode().rstrip("=")

    def open(self, token: str, now: datetime) -> Opened | None:
        """Return what a token holds; None when its time is over, or it is none of ours."""
        from cryptography.fernet import InvalidToken  # only here: see `_fernet`

        if not _TOKEN.fullmatch(token):
            return None
        sealed = (token + "=" * (-len(token) % 4)).encode()
        try:
            ttl, _, text = self._fernet.decrypt(sealed).decode().partition("\n")
            self._fernet.decrypt_at_time(sealed, int(ttl), int(now.timestamp()))
        except InvalidToken:
            return None
        left_s = self._fernet.extract_timestamp(sealed) + int(ttl) - now.timestamp()
        return Opened(text, left_s) if left_s > 0 else None


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret by `***`, also where it stands URL-encoded."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):  # a secret may begin with another
        text = text.replace(form, REDACTED)
    return text


def make_private_folder(folder: Path) -> None:
    """Make `folder` and whatever is missing above it, for the owner only. Blocks."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    for part in reversed(missing):
        part.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file (and its folder) for the owner only, unless it is there. Blocks."""
    make_private_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def new_key() -> bytes:
    """Return a new key for a `SecretBox`, as it is written down."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES))


def write_keys(path: Path, keys: Iterable[bytes]) -> None:
    """Replace a key file in one step, a key a line: after a crash there is the old one or the new one. Blocks."""
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(b"\n".join(keys))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _fernet(key: bytes) -> "Fernet":
    from cryptography.fernet import Fernet  # only here: 8 MB for those who have something sealed

    return Fernet(base64.urlsafe_b64encode(key))


def _make_key_file(path: Path) -> bytes:
    """Write a new key beside `path` and link it into place: never half a key, never over another's."""
    make_private_folder(path.parent)
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(scratch, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(new_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            pass  # another process was first: its key is the key
        except OSError:
            scratch.replace(path)  # a file system without hard links
    finally:
        scratch.unlink(missing_ok=True)
    return path.read_bytes().strip()
