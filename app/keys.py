"""The owner's keys as the settings name them: what seals the store, and what signs pictures."""

from datetime import datetime
from pathlib import Path

from settings.reading.problems import Problem, SettingsError
from settings.storage import MarkSettings
from texts.text import _
from utils.content_credentials import PictureSigner, lack_of_package
from utils.credentials import CERTIFICATE, CHAIN_RIGHT, KEY, KEY_RIGHT, BadCredential


def bad_key() -> SettingsError:
    allowed = _("44 URL-safe base64 characters, as Easel writes them into a new key file if there is none")
    return SettingsError(Problem(name="SECRET_KEY", value="***", allowed=allowed))


def open_signer(settings: MarkSettings, now: datetime) -> PictureSigner | None:
    """Return what signs the pictures, where that is wanted. Blocks: it reads files and signs a first picture.

    Raises:
        SettingsError: the package is missing, or the certificate and its key cannot be used.
    """
    if settings.provenance != "c2pa":
        return None
    if lack := lack_of_package():
        allowed = _("xmp or off while the package c2pa-python {lack}", lack=lack)
        raise SettingsError(Problem(name="PROVENANCE", value="c2pa", allowed=allowed))
    named = {
        CERTIFICATE: (settings.certificate, CHAIN_RIGHT),
        KEY: (settings.key.get_secret_value(), KEY_RIGHT),
    }
    missing = [Problem(name=name, value="", allowed=allowed) for name, (path, allowed) in named.items() if not path]
    if missing:
        raise SettingsError(*missing)
    certificate, key = (Path(path) for path, __ in named.values())
    try:
        return PictureSigner.open(certificate, key, now, settings.timestamp_url)
    except BadCredential as error:
        # who pastes a file into a setting may paste its key
        is_name = error.setting == CERTIFICATE and "-----" not in settings.certificate
        value = settings.certificate if is_name else "***"
        raise SettingsError(Problem(name=error.setting, value=value, allowed=error.allowed)) from error
