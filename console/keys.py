"""`python main.py key create | list | revoke | renew | reset`: keys for the HTTP API, and the key that seals secrets.

A bot that runs there takes a new key at once, and a revoked one for half a minute at most.
"""

from argparse import Namespace
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from console.arguments import Nonsense, add, below
from console.text import say, tell
from generation.errors import RequestRejected
from lazy import dataclass
from services.people.access import SCOPES, AccessService, Key
from texts.text import _, _n
from utils.secrets import new_key
from utils.text import cut

DEFAULT_SCOPES: Final = ("generate", "read")


@dataclass(frozen=True, kw_only=True)
class KeyCommand:
    """A task for keys. `name` is the new key's name, or the id of the one to revoke."""

    action: Literal["create", "list", "revoke", "renew", "reset"]
    name: str = ""
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    rate_per_minute: float | None = None
    user_key: str | None = None


def add_to(commands: Any) -> None:
    """Describe `key` and what stands below it to the command line."""
    actions = below(add(commands, "key", _("keys for programs that use the HTTP API")))
    create = add(actions, "create", _("make a key; it is shown once"), _created)
    create.add_argument("name", metavar="NAME", nargs="+", help=_("what it is for"))
    create.add_argument(
        "--scopes", metavar="generate,read", type=_words, default=DEFAULT_SCOPES, help=_("what it may do")
    )
    create.add_argument("--rate", metavar="N", type=_per_minute, help=_("requests a minute"))
    create.add_argument("--user", metavar="discord:ID", help=_("whom it acts for"))
    add(actions, "list", _("show the keys"), lambda __: KeyCommand(action="list"))
    revoke = add(actions, "revoke", _("end a key"), lambda values: KeyCommand(action="revoke", name=values.id))
    revoke.add_argument("id", metavar="ID", help=_("as `key list` shows it"))
    add(
        actions,
        "renew",
        _("seal everything with a new secret.key; Easel must be stopped"),
        lambda __: KeyCommand(action="renew"),
    )
    add(
        actions,
        "reset",
        _("after secret.key was lost for good: seal secrets with a new one"),
        lambda __: KeyCommand(action="reset"),
    )


async def manage(access: AccessService, command: KeyCommand) -> int:
    """Do it and tell; return the exit code."""
    if command.action == "list":
        _show(await access.list_keys())
        return 0
    if command.action == "revoke":
        if not await access.revoke_key(command.name):
            tell(_("No key {name} is in use. `python main.py key list` shows them.", name=command.name))
            return 1
        tell(_("Key {name} is revoked.", name=command.name))
        return 0
    try:
        key, token = await access.create_key(command.name, command.scopes, command.user_key, command.rate_per_minute)
    except RequestRejected as error:
        tell(error.user_message)
        return 2
    say(token)
    tell(
        _(
            "Key {id} ({name}) may {scopes}. It is shown only this once: store it safely.",
            id=key.id,
            name=key.name,
            scopes=_scopes(key),
        )
    )
    return 0


def tell_reset(forgotten: int | None) -> int:
    """Report what became of `key reset`; return the exit code."""
    if forgotten is None:
        tell(_("The secret key fits the database: nothing is lost, and nothing was changed."))
        return 0
    engines = _n("{count} engine was forgotten", "{count} engines were forgotten", count=forgotten)
    tell(
        _(
            "Secrets are sealed with a new key from now on. {engines}: who had connected one connects it again.",
            engines=engines,
        )
    )
    return 0


def tell_renewed() -> int:
    """Report a new key file; return the exit code."""
    tell(
        _(
            "Everything is sealed with a new secret.key. The former one is in secret.key.old, for backups from before; "
            "delete it with them."
        )
    )
    return 0


def tell_how_to_renew() -> int:
    """Print a new key for SECRET_KEY, which is its owner's to change; return the exit code."""
    say(new_key().decode())
    tell(
        _(
            "SECRET_KEY is yours: put this key and a comma in front of its value and start Easel. It seals everything "
            "with the new key; then leave the former one out."
        )
    )
    return 0


def _created(values: Namespace) -> KeyCommand:
    return KeyCommand(
        action="create",
        name=" ".join(values.name),
        scopes=values.scopes,
        rate_per_minute=values.rate,
        user_key=values.user,
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


def _per_minute(text: str) -> float:
    if not (text.isascii() and text.isdigit()):
        raise Nonsense(_("--rate is a whole number of requests a minute, not {text}.", text=text))
    return float(text)


def _show(keys: Sequence[Key]) -> None:
    if not keys:
        say(_("There are no keys. `python main.py key create NAME` makes one."))
        return
    say(f"{'id':<10}{'name':<22}{'may':<24}{_('acts for'):<24}{_('a minute'):<10}{_('last used'):<18}state")
    for key in keys:
        rate = f"{key.rate_per_minute:g}" if key.rate_per_minute else "-"
        used = _day(key.last_used_at) or "never"
        state = _("revoked {day}", day=_day(key.revoked_at)) if key.revoked_at else _("in use")
        if key.expires_at and not key.revoked_at:
            state = _("until {day}", day=_day(key.expires_at))
        who = cut(key.user_key, 22)
        say(f"{key.id:<10}{cut(key.name, 20):<22}{_scopes(key):<24}{who:<24}{rate:<10}{used:<18}{state}")


def _scopes(key: Key) -> str:
    return ", ".join(scope for scope in SCOPES if scope in key.scopes)


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""
