"""`doctor`: checks everything Easel needs and says what to do about what is missing. No secret is shown."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from config import Settings
from console.text import say
from lazy import dataclass, pattern
from settings.discord import DiscordSettings
from settings.storage import StorageSettings
from texts.text import _

PYTHONS: Final = ((3, 11), (3, 14))
REQUIREMENTS: Final = Path(__file__).resolve().parents[1] / "requirements.in"
# a name, its versions, and perhaps for which Pythons: the only marker used there
REQUIREMENT: Final = pattern(r"(?P<name>[\w.-]+)[^;#]*(?:; *python_version *(?P<sign><|>=) *\"(?P<minor>3\.\d+)\")?")
# id in base64, time, signature: https://discord.com/developers/docs/reference#authentication
TOKEN_FORM: Final = pattern(r"[\w-]{18,}\.[\w-]{6,}\.[\w-]{25,}")


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at; `hint` is what to do next."""

    name: str
    is_ok: bool
    message: str
    hint: str = ""


def report(settings: Settings, more: Sequence[Check]) -> int:
    """Print all checks, `more` last; return 0 when all is well, else 1."""
    checks = [_python(), _packages(), *_folders(settings.storage), _token(settings.discord)]
    checks += [*_warnings(settings.warnings), *more]
    return print_checks(checks)


def print_checks(checks: Sequence[Check]) -> int:
    """Print checks; return 0 when all is well, else 1."""
    for check in checks:
        say(f"{'✔' if check.is_ok else '✖'} {check.name}: {check.message}")
        if check.hint:
            say(f"    {check.hint}")
    failed = sum(not check.is_ok for check in checks)
    say(_("\n{failed} of {count} checks failed.", failed=failed, count=len(checks)) if failed else _("\nAll is well."))
    return 1 if failed else 0


def _python() -> Check:
    low, high = PYTHONS
    is_ok = low <= sys.version_info[:2] <= high
    hint = (
        ""
        if is_ok
        else _(
            "Install Python {low}.{low_2} to {high}.{high_2}.", low=low[0], low_2=low[1], high=high[0], high_2=high[1]
        )
    )
    return Check(name="Python", is_ok=is_ok, message=sys.version.split()[0], hint=hint)


def packages_of(requirements: str, python: tuple[int, int]) -> list[str]:
    """Return the names of the packages that the text of a requirements file asks for on one Python, like (3, 12)."""
    found = (REQUIREMENT.match(line) for line in requirements.splitlines())
    return [match["name"] for match in found if match and _is_for(match, python)]


def _is_for(match: re.Match[str], python: tuple[int, int]) -> bool:
    if not match["minor"]:
        return True
    minor = int(match["minor"].removeprefix("3."))
    return python < (3, minor) if match["sign"] == "<" else python >= (3, minor)


def _packages() -> Check:
    missing = []
    try:
        needed = packages_of(REQUIREMENTS.read_text("utf-8"), sys.version_info[:2])
    except FileNotFoundError:
        message = _("{name} is missing, which names them.", name=REQUIREMENTS.name)
        return Check(name=_("packages"), is_ok=False, message=message, hint=_("Get Easel again."))
    for name in needed:
        try:
            version(name)
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        hint = "pip install -r requirements.txt"
        return Check(
            name=_("packages"), is_ok=False, message=_("{missing} missing.", missing=", ".join(missing)), hint=hint
        )
    return Check(name=_("packages"), is_ok=True, message=_("all there"))


def _folders(storage: StorageSettings) -> Iterator[Check]:
    for name, folder in ((_("data folder"), storage.data_dir), (_("picture cache"), storage.media_folder)):
        there = next(part for part in (folder, *folder.absolute().parents) if part.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            hint = _("Make {there} a folder that this user may write to, or set DATA_DIR.", there=there)
            yield Check(name=name, is_ok=False, message=_("{folder} cannot be written.", folder=folder), hint=hint)
        elif _is_open(folder):
            hint = f"chmod 700 {folder}"
            yield Check(
                name=name, is_ok=False, message=_("Others on this machine can read {folder}.", folder=folder), hint=hint
            )
        else:
            state = "" if folder.exists() else _(" (made at the first start)")
            yield Check(name=name, is_ok=True, message=f"{folder}{state}")


def _is_open(folder: Path) -> bool:
    return os.name == "posix" and folder.exists() and bool(folder.stat().st_mode & 0o007)


def _token(settings: DiscordSettings) -> Check:
    token = settings.token.get_secret_value()
    if not token:
        hint = _("docs/discord-setup.md shows how to get one. Without it, Easel starts the console.")
        return Check(name="DISCORD_TOKEN", is_ok=True, message=_("not set"), hint=hint)
    if not TOKEN_FORM.fullmatch(token):
        hint = _(
            "Copy it again from the Bot page; it has three parts with dots between, and no quotes or “Bot ” before it."
        )
        return Check(name="DISCORD_TOKEN", is_ok=False, message=_("It does not look like a bot's token."), hint=hint)
    return Check(name="DISCORD_TOKEN", is_ok=True, message=_("set, and it has the right form"))


def _warnings(warnings: Sequence[str]) -> Iterator[Check]:
    for warning in warnings:
        yield Check(name=_("settings"), is_ok=False, message=warning)
