"""Content Credentials: pictures signed as C2PA wants it, with what was done to them and nothing of what was asked for.

The package `c2pa-python` does it, where that is installed. It blocks: call it through a thread. Nothing here speaks to
the network but the time stamp, and that only where an address is given.
Source: spec.c2pa.org 2.2 (manifests, actions, ingredients); the package's own documentation.
"""

import importlib
import importlib.util
import io
from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final

from PIL import Image

from constants import APP_NAME, VERSION
from lazy import dataclass
from texts.text import _
from utils.credentials import ACCEPTED_USES, CERTIFICATE, BadCredential, Credential
from utils.pixels import FORMATS, BadImage, encode, opened
from utils.provenance import ALGORITHMIC, VOCABULARY
from utils.text import cut

PACKAGE: Final = "c2pa"
INSTALL: Final = "pip install c2pa-python"

_SETTINGS: Final = {
    "builder": {"thumbnail": {"enabled": False}},
    "trust": {"trust_config": "\n".join([*ACCEPTED_USES, ""])},
    # a picture may name an address from which more about it could be fetched
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
_TRIAL_SIZE: Final = (8, 8)
_SAID_CHARS: Final = 200


class NotSigned(Exception):
    """A picture could not be signed; the text is for the log."""


class How(Enum):
    """The origin of a picture, as far as its manifest tells."""

    CREATED = "created"  # from words alone
    FOLLOWED = "followed"  # new, after a picture that somebody brought
    EDITED = "edited"  # that picture itself, changed


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A picture that went into another one; without a file nothing is told but that there was one."""

    label: str
    relationship: str
    file: bytes = field(default=b"", repr=False)

    def described(self) -> dict[str, str]:
        return {"title": self.label, "label": self.label, "relationship": self.relationship}


def lack_of_package() -> str | None:
    """Return why the package cannot be used, as the end of a sentence that begins with its name; None if it can."""
    if importlib.util.find_spec(PACKAGE) is None:
        return _("is not installed beside Easel ({install})", install=INSTALL)
    try:
        c2pa = importlib.import_module(PACKAGE)
    except Exception:  # its native library may not fit this machine
        return _("cannot be loaded on this machine")
    return None if hasattr(c2pa, "Context") else _("is too old ({install} --upgrade)", install=INSTALL)


@dataclass(frozen=True, kw_only=True)
class PictureSigner:
    """Signs PNG, JPEG, WebP and GIF. `timestamp_url`: an RFC 3161 authority, asked for new pictures only."""

    credential: Credential = field(repr=False)
    timestamp_url: str = ""

    @classmethod
    def open(cls, certificate: Path, key: Path, now: datetime, timestamp_url: str = "") -> "PictureSigner":
        """Read the files and sign a first picture with them, so that whatever is wrong shows now.

        Raises:
            BadCredential: the files cannot be signed with.
        """
        from utils.certificates import read_credential  # start time and memory: most sign nothing

        signer = cls(credential=read_credential(certificate, key, now), timestamp_url=timestamp_url)
        try:
            signer.sign_new(encode(Image.new("RGB", _TRIAL_SIZE), "PNG"), ALGORITHMIC)
        except NotSigned as error:
            raise BadCredential(
                CERTIFICATE, _("a certificate that C2PA accepts, which says: {error}", error=error)
            ) from error
        return signer

    def sign_new(
        self, data: bytes, kind: str, how: How = How.CREATED, *, engine_file: bytes = b"", with_timestamp: bool = False
    ) -> bytes:
        """Return a new picture with a manifest.

        Args:
            data: the picture's file.
            kind: IPTC's name of its source.
            how: what it was made of.
            engine_file: what the engine gave; where that is signed already, the manifest leads to it.
            with_timestamp: ask the authority for the time.

        Raises:
            NotSigned: it cannot be done; without a time stamp, perhaps it can.
        """
        made = {"digitalSourceType": VOCABULARY + kind}
        part = _Part(
            label="source", relationship="inputTo" if how is How.FOLLOWED else "parentOf"
        )  # no text: of the C2PA manifest
        if engine_file and _is_signed(engine_file):
            part = _Part(label="engine", relationship="parentOf", file=engine_file)  # no text: of the C2PA manifest
            actions = [_action("opened", part), _action("edited.metadata")]
        elif how is How.EDITED:
            actions = [_action("opened", part), _action("edited") | made]
        elif how is How.FOLLOWED:
            actions = [_action("created", part) | made]
        else:
            return self._sign(data, [_action("created") | made], [], with_timestamp=with_timestamp)
        return self._sign(data, actions, [part], with_timestamp=with_timestamp)

    def sign_copy(self, copy: bytes, originals: Sequence[bytes], kind: str) -> bytes:
        """Return a copy with a manifest that leads to what it shows: one picture again, or several on a sheet.

        Raises:
            NotSigned: it cannot be done.
        """
        if len(originals) == 1:
            part = _Part(label="original", relationship="parentOf", file=originals[0])  # no text: of the C2PA manifest
            return self._sign(copy, [_action("opened", part), *_changes(copy, part.file)], [part])
        parts = [
            _Part(label=_("picture {number}", number=number), relationship="componentOf", file=original)
            for number, original in enumerate(originals, 1)
        ]
        created = _action("created") | {"digitalSourceType": VOCABULARY + kind}
        return self._sign(copy, [created, _action("placed", *parts)], parts)

    def _sign(
        self,
        data: bytes,
        actions: Sequence[dict[str, Any]],
        parts: Sequence[_Part],
        *,
        with_timestamp: bool = False,
    ) -> bytes:
        manifest = {
            "claim_generator_info": [{"name": APP_NAME, "version": VERSION}],
            "title": "picture",
            "ingredients": [part.described() for part in parts if not part.file],
            "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": list(actions)}}],
        }
        out = io.BytesIO()
        try:
            c2pa = importlib.import_module(PACKAGE)
            with (
                self._native(c2pa, with_timestamp=with_timestamp) as native,
                c2pa.Context.from_dict(_SETTINGS) as context,
                c2pa.Builder(manifest, context) as builder,
            ):
                for part in (part for part in parts if part.file):
                    builder.add_ingredient(part.described(), _media_type(part.file), io.BytesIO(part.file))
                builder.sign(native, _media_type(data), io.BytesIO(data), out)
        except Exception as error:  # a native library may raise anything, and the picture must not be lost for it
            raise NotSigned(cut(" ".join(str(error).split()), _SAID_CHARS) or type(error).__name__) from error
        return out.getvalue()

    def _native(self, c2pa: Any, *, with_timestamp: bool) -> Any:
        address = self.timestamp_url if with_timestamp else ""
        item = self.credential
        return c2pa.Signer.from_info(c2pa.C2paSignerInfo(item.algorithm, item.chain, item.key, address or None))


def _action(name: str, *parts: _Part) -> dict[str, Any]:
    of = {"parameters": {"ingredientIds": [part.label for part in parts]}} if parts else {}
    return {"action": f"c2pa.{name}", **of}


def _changes(copy: bytes, original: bytes) -> list[dict[str, Any]]:
    """Return what a copy's file shows that was done to it."""
    with opened(copy) as made, opened(original) as source:
        is_resized, is_recoded = made.size != source.size, made.format != source.format
    resized = [_action("resized")] if is_resized else []
    return resized + ([_action("transcoded")] if is_recoded or not is_resized else [])


def _is_signed(data: bytes) -> bool:
    """Return whether a file brings a manifest that can be read."""
    c2pa = importlib.import_module(PACKAGE)
    try:
        with c2pa.Context.from_dict(_SETTINGS) as context:
            reader = c2pa.Reader.try_create(_media_type(data), io.BytesIO(data), context=context)
            if reader is not None:
                reader.close()
            return reader is not None
    except (c2pa.C2paError, BadImage):
        return False


def _media_type(data: bytes) -> str:
    with opened(data) as image:
        return FORMATS[(image.format or "").replace("MPO", "JPEG")]
