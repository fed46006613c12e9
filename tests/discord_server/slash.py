"""Work of Discord's own client before it sends: options are typed, bounded and resolved.

Source: "Application Command Interactions" of the official documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.discord_server.elsewhere import is_offered
from tests.discord_server.model import Account, Channel, Role

if TYPE_CHECKING:
    from tests.discord_server.user import User

SUB_COMMAND, SUB_COMMAND_GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(
    1, 12
)
MAX_STRING = 6000


class NotPossible(AssertionError):
    """A user could not do this: the client offers no such thing, or refuses the value."""


def find_command(user: User, channel: Channel, name: str, kind: int) -> dict[str, Any]:
    """Find what the client would offer this user here."""
    server, guild = user.server, channel.guild
    offered = server.commands.offered(guild.id if guild else None)
    command = next((item for item in offered if (item["name"], item["type"]) == (name, kind)), None)
    if command is None:
        raise NotPossible(f"no command {name!r}; there are {sorted(item['name'] for item in offered)}")
    if not is_offered(server, guild, command):
        raise NotPossible(f"/{name} is not offered where the bot is no member")
    contexts = command.get("contexts")
    if guild is None and (command["dm_permission"] is False or (contexts is not None and 1 not in contexts)):
        raise NotPossible(f"/{name} is not offered in direct messages")
    if command["nsfw"] and guild is not None and not channel.nsfw:
        raise NotPossible(f"/{name} is offered in age-restricted channels only")
    needed = command["default_member_permissions"]
    if guild is not None and needed is not None:
        held = guild.permissions_of(user, channel)
        admin = bool(held & (1 << 3))
        if not admin and (int(needed) == 0 or held & int(needed) != int(needed)):
            raise NotPossible(f"/{name} is not offered to {user.name}")
    return command


class OptionData:
    """Collects `options` and `resolved` of one slash command or autocomplete."""

    def __init__(self, user: User, channel: Channel, *, focused: str | None = None) -> None:
        self._user = user
        self._channel = channel
        self._focused = focused
        self.resolved: dict[str, dict[str, Any]] = {}

    def build(self, node: dict[str, Any], path: list[str], values: dict[str, Any]) -> list[dict[str, Any]]:
        """Nest through subcommands, then type each value."""
        known = {option["name"]: option for option in node.get("options") or []}
        if path:
            child = known.get(path[0])
            if child is None or child["type"] not in (SUB_COMMAND, SUB_COMMAND_GROUP):
                raise NotPossible(f"no subcommand {path[0]!r}; there are {sorted(known)}")
            return [{"name": child["name"], "type": child["type"], "options": self.build(child, path[1:], values)}]
        if any(option["type"] in (SUB_COMMAND, SUB_COMMAND_GROUP) for option in known.values()):
            raise NotPossible(f"pick one of the subcommands {sorted(known)}")
        if set(values) - set(known):
            raise NotPossible(f"no options {sorted(set(values) - set(known))}; there are {sorted(known)}")
        missing = [name for name, option in known.items() if option.get("required") and name not in values]
        if missing and self._focused is None:
            raise NotPossible(f"options {missing} are required")
        return [self._option(known[name], value) for name, value in values.items() if value is not None]

    def _option(self, option: dict[str, Any], value: Any) -> dict[str, Any]:
        typed: dict[str, Any] = {"name": option["name"], "type": option["type"]}
        if option["name"] == self._focused:
            if not option.get("autocomplete"):
                raise NotPossible(f"{option['name']} has no autocomplete")
            return typed | {"value": value, "focused": True}
        return typed | {"value": self._value(option, value)}

    def _value(self, option: dict[str, Any], value: Any) -> Any:
        name, kind = option["name"], option["type"]
        if kind == ATTACHMENT:
            return self._resolve_file(value)
        if kind in (USER, MENTIONABLE) and isinstance(value, Account):
            return self._resolve_user(value)
        if kind == CHANNEL and isinstance(value, Channel):
            self.resolved.setdefault("channels", {})[str(value.id)] = value.to_json() | {"permissions": "0"}
            return str(value.id)
        if kind == ROLE and isinstance(value, Role):
            self.resolved.setdefault("roles", {})[str(value.id)] = value.to_json()
            return str(value.id)
        if option.get("choices"):
            return self._choice(option, value)
        wanted: dict[int, Any] = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}
        if not isinstance(value, wanted[kind]) or (kind != BOOLEAN and isinstance(value, bool)):
            raise NotPossible(f"{name} takes type {kind}, not {value!r}")
        if kind == STRING and not option.get("min_length", 0) <= len(value) <= option.get("max_length", MAX_STRING):
            raise NotPossible(f"{name} has {len(value)} characters")
        if kind in (INTEGER, NUMBER):
            least, most = option.get("min_value", value), option.get("max_value", value)
            if not least <= value <= most:
                raise NotPossible(f"{name} must be between {least} and {most}")
        return value

    def _choice(self, option: dict[str, Any], value: Any) -> Any:
        """Accept what the list shows or what stands behind it."""
        for choice in option["choices"]:
            if value in (choice["name"], choice["value"]):
                return choice["value"]
        raise NotPossible(f"{option['name']} offers {[choice['name'] for choice in option['choices']]}, not {value!r}")

    def _resolve_file(self, value: tuple[str, bytes]) -> str:
        file = self._user.server.upload(self._channel, *value)
        file.ephemeral = True
        self.resolved.setdefault("attachments", {})[str(file.id)] = file.to_json()
        return str(file.id)

    def _resolve_user(self, account: Account) -> str:
        self.resolved.setdefault("users", {})[str(account.id)] = account.to_json()
        guild = self._channel.guild
        if guild is not None and account.id in guild.members:
            member = guild.member_json(account, with_user=False)
            member["permissions"] = str(guild.permissions_of(account, self._channel))
            self.resolved.setdefault("members", {})[str(account.id)] = member
        return str(account.id)
