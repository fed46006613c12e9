"""`python main.py key create | list | revoke | reset`: keys for the HTTP API, and the key that seals secrets.

A bot that runs there takes a new key at once, and a revoked one for half a minute at most.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from console.text import say, tell
from generation.errors import RequestRejected
from services.access import SCOPES, AccessService, Key
from utils.text import cut

DEFAULT_SCOPES: Final = ("generate", "read")
USAGE: Final = (
    "Write: key create NAME [--scopes generate,read] [--rate N] [--user discord:ID], key list, "
    "key revoke ID, or key reset."
)


@dataclass(frozen=True, kw_only=True)
class KeyCommand:
    """What is to be done with keys. `name` is the new key's name, or the id of the one to revoke."""

    action: Literal["create", "list", "revoke", "reset"]
    name: str = ""
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    rate_per_minute: float | None = None
    user_key: str | None = None


def parse_key(words: Sequence[str]) -> KeyCommand | str:
    """Read what follows `key`; text says what cannot be understood."""
    if list(words) == ["list"]:
        return KeyCommand(action="list")
    if list(words) == ["reset"]:
        return KeyCommand(action="reset")
    if len(words) == 2 and words[0] == "revoke":
        return KeyCommand(action="revoke", name=words[1])
    if words and words[0] == "create":
        return _read_create(list(words[1:]))
    return USAGE


async def manage(access: AccessService, command: KeyCommand) -> int:
    """Do it and tell; return the exit code."""
    if command.action == "list":
        _show(await access.list_keys())
        return 0
    if command.action == "revoke":
        if not await access.revoke_key(command.name):
            tell(f"No key {command.name} is in use. `python main.py key list` shows them.")
            return 1
        tell(f"Key {command.name} is revoked.")
        return 0
    try:
        key, token = await access.create_key(command.name, command.scopes, command.user_key, command.rate_per_minute)
    except RequestRejected as error:
        tell(error.user_message)
        return 2
    say(token)
    tell(f"Key {key.id} ({key.name}) may {_scopes(key)}. It is shown this once: keep it where secrets are kept.")
    return 0


def tell_reset(forgotten: int | None) -> int:
    """Tell what became of `key reset`; return the exit code."""
    if forgotten is None:
        tell("The secret key fits the database: nothing is lost, and nothing was changed.")
        return 0
    engines = "1 engine was forgotten" if forgotten == 1 else f"{forgotten} engines were forgotten"
    tell(f"Secrets are sealed with a new key from now on. {engines}: who had connected one connects it again.")
    return 0


def _read_create(words: list[str]) -> KeyCommand | str:
    command = KeyCommand(action="create")
    names: list[str] = []
    while words:
        option, sign, value = words.pop(0).partition("=")
        if not option.startswith("--"):
            names.append(option + sign + value)
            continue
        if not sign and words:
            value = words.pop(0)
        if not value:
            return f"{option} needs a value. {USAGE}"
        if option == "--scopes":
            command = replace(command, scopes=tuple(part.strip() for part in value.split(",")))
        elif option == "--user":
            command = replace(command, user_key=value)
        elif option == "--rate" and value.isascii() and value.isdigit():
            command = replace(command, rate_per_minute=float(value))
        elif option == "--rate":
            return f"--rate is a whole number of requests a minute, not {value}."
        else:
            return f"There is no option {option}. {USAGE}"
    if not names:
        return f"A key needs a name. {USAGE}"
    return replace(command, name=" ".join(names))


def _show(keys: Sequence[Key]) -> None:
    if not keys:
        say("There are no keys. `python main.py key create NAME` makes one.")
        return
    say(f"{'id':<10}{'name':<22}{'may':<24}{'acts for':<24}{'a minute':<10}{'last used':<18}state")
    for key in keys:
        rate = f"{key.rate_per_minute:g}" if key.rate_per_minute else "-"
        used = _day(key.last_used_at) or "never"
        state = f"revoked {_day(key.revoked_at)}" if key.revoked_at else "in use"
        if key.expires_at and not key.revoked_at:
            state = f"until {_day(key.expires_at)}"
        who = cut(key.user_key, 22)
        say(f"{key.id:<10}{cut(key.name, 20):<22}{_scopes(key):<24}{who:<24}{rate:<10}{used:<18}{state}")


def _scopes(key: Key) -> str:
    return ", ".join(scope for scope in SCOPES if scope in key.scopes)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
