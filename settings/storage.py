"""The place where Easel keeps everything, for how long, and how pictures are marked."""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import SecretStr

from constants import DEFAULT_MAX_UPLOAD_MB_PER_USER, DEFAULT_MEDIA_TTL_S
from settings.fields import Group, Lower, Span, Url, address, number, secret, span, text
from texts.text import _

DAY_S = 86400


class StorageSettings(Group):
    title: ClassVar[str] = "Storage"
    live: ClassVar[frozenset[str]] = frozenset({"max_upload_mb_per_user"})

    data_dir: Path = text("data", _("Folder for everything Easel stores"), _("a folder"))
    media_cache_dir: Path = text(
        "media_cache",
        _("Folder for pictures; a relative path is inside DATA_DIR"),
        _("a folder"),
        otherwise=["IMAGE_STORAGE_PATH"],  # the name another system has for it
    )
    wildcards_path: Path = text(
        "wildcards",
        _("Folder of the lists behind `__wildcards__` in prompts; a relative path is inside DATA_DIR"),
        _("a folder"),
    )
    media_ttl_s: Span = span(DEFAULT_MEDIA_TTL_S, _("How long pictures are kept"), low=1, high=30 * DAY_S)
    words_ttl_s: Span = span(
        0.0,
        _("How long prompts are kept after their pictures; 0: forever. A private prompt always goes with its picture"),
        low=0,
        high=3650 * DAY_S,
    )
    history_ttl_s: Span = span(
        0.0,
        _("How long finished jobs and their entries in the history are kept; 0: forever. Favourites and figures stay"),
        low=0,
        high=3650 * DAY_S,
    )
    audit_ttl_s: Span = span(
        90.0 * DAY_S, _("How long the audit of moderators' and admins' actions is kept"), low=DAY_S, high=3650 * DAY_S
    )
    max_upload_mb_per_user: int = number(
        DEFAULT_MAX_UPLOAD_MB_PER_USER,
        _("Maximum MB a user may upload within MEDIA_TTL; 0: no limit"),
        low=0,
        high=100_000,
    )
    secret_key: SecretStr = secret(
        _("Key that encrypts stored secrets; empty: a key file in DATA_DIR"), "44 base64 characters"
    )

    backup_every_s: Span = span(0.0, _("How often a backup is written; 0: never"), low=0, high=365 * DAY_S)
    backup_dir: Path = text(
        "backups", _("Folder of backups, best on another disk; a relative path is inside DATA_DIR"), _("a folder")
    )
    backup_keep: int = number(7, _("How many backups are kept"), low=1, high=10_000)

    @property
    def backup_folder(self) -> Path:
        return self.data_dir / self.backup_dir

    @property
    def media_folder(self) -> Path:
        return self.data_dir / self.media_cache_dir  # an absolute one stays as it is

    @property
    def wildcards_folder(self) -> Path:
        return self.data_dir / self.wildcards_path


class MarkSettings(Group):
    title: ClassVar[str] = _("Marks in pictures")

    provenance: Annotated[Literal["off", "xmp", "c2pa"], Lower] = text(
        "xmp",
        _("Mark in every picture file that a machine made it, without the prompt (docs/content-credentials.md)"),
        _("xmp, c2pa (xmp, and signed with your certificate) or off"),
    )
    certificate: str = text(
        "",
        _("For c2pa: your certificate and those that issued it"),
        _("a PEM file"),
        variable="C2PA_CERTIFICATE",
        repr=False,  # who pastes a file into it may paste its key
    )
    key: SecretStr = secret(_("For c2pa: the private key of the certificate"), _("a PEM file"), variable="C2PA_KEY")
    timestamp_url: Url = address(
        _("For c2pa: timestamp authority for new pictures; empty: none"),
        _("an address like http://timestamp.example.org"),
        variable="C2PA_TIMESTAMP_URL",
    )
