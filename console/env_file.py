"""The first start: a `.env` to write settings into."""

from pathlib import Path

from console.text import tell
from texts.text import _
from utils.secrets import make_private_file


def make_env_file(path: Path, example: Path) -> None:
    """Copy the example, unless there is a `.env`; for the owner's eyes only, since a token goes there."""
    if path.exists() or not example.exists():
        return
    try:
        make_private_file(path)
        path.write_bytes(example.read_bytes())
    except OSError as error:
        tell(
            _(
                "There is no .env, and none can be made here ({strerror}); the environment is used alone.",
                strerror=error.strerror,
            )
        )
        return
    tell(_("I made .env from .env.example: all settings are there, and all may stay as they are."))
