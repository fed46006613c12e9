"""The commands that go along with who has added the app to their account, into any server, group and direct message.

There the bot is no member: it hears of nothing but the interaction, and answers by its token alone, for 15 minutes and
with five messages after the first. Source: "Application Commands, Contexts" of the official documentation. The fields
are put in here because nextcord 2.6 knows none of them.
"""

from collections.abc import Mapping
from typing import Any, Final

import nextcord

TO_SERVERS, TO_PEOPLE = 0, 1  # `integration_types`: whoever has added the app
IN_SERVERS, WITH_BOT, IN_PRIVATE = 0, 1, 2  # `contexts`: where a command is offered
MOST_AFTER_FIRST: Final = 5
_ATTACHED: Final = "is_elsewhere"
# what people do with their own pictures; what belongs to a server, its engines or its rules stays there
PERSONAL: Final = frozenset({
    "generate", "imagine", "dream", "draw", "gen", "img", "compare", "upscale", "inpaint", "outpaint", "restyle",
    "control", "describe", "pnginfo", "cancel", "queue", "history", "help", "why", "quota", "forget", "export",
    "Describe", "Picture info", "Upscale 2×", "Zoom out 1.5×",
})  # fmt: skip


def payload_of(command: nextcord.BaseApplicationCommand, scope: int | None, *, for_people: bool) -> dict[str, Any]:
    """Return what registers a command; `for_people`: also with those who have added the app to their account."""
    payload: dict[str, Any] = dict(command.get_payload(scope))
    if scope is not None or not for_people:
        return payload
    if str(command.name) not in PERSONAL:
        return payload | {"integration_types": [TO_SERVERS]}
    return payload | {"integration_types": [TO_SERVERS, TO_PEOPLE], "contexts": [IN_SERVERS, WITH_BOT, IN_PRIVATE]}


def is_registered_so(payload: Mapping[str, Any], raw: Mapping[str, Any]) -> bool:
    """Return whether Discord has a command for the same people and places; what is not said is Discord's own choice."""
    types = payload.get("integration_types")
    contexts, known = payload.get("contexts"), raw.get("contexts")
    is_same_people = types is None or set(types) == set(raw.get("integration_types") or [TO_SERVERS])
    if contexts is None:
        return is_same_people and IN_PRIVATE not in (known or ())
    return is_same_people and set(contexts) == set(known or ())


def without_places(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a raw command as nextcord compares it: fields that its own payload lacks would make it another one."""
    foreign = {"integration_types", "contexts", *(["dm_permission"] if raw.get("guild_id") else [])}
    return {name: value for name, value in raw.items() if name not in foreign}


def note_place(interaction: Any, data: Mapping[str, Any]) -> None:
    """Keep in an interaction whether the bot is no member where it comes from."""
    owners = data.get("authorizing_integration_owners") or {}
    is_foreign = bool(data.get("guild_id")) and bool(owners) and str(TO_SERVERS) not in owners
    interaction.attached[_ATTACHED] = is_foreign or data.get("context") == IN_PRIVATE


def is_elsewhere(interaction: nextcord.Interaction) -> bool:
    """Return whether somebody brought the app along to where the bot is no member."""
    return bool(interaction.attached.get(_ATTACHED))
