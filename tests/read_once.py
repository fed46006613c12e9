"""nextcord reads each command's function again for every bot that is made; here once per process: it stays the same.

Bots that follow one another in a process share nextcord's objects of their commands anyway, all but whose they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import nextcord
import pytest
from nextcord.application_command import ClientCog

COMMANDS = (nextcord.BaseApplicationCommand, nextcord.SlashApplicationSubcommand)
_read: dict[type, tuple[list[Any], list[nextcord.BaseApplicationCommand]]] = {}
_read_from_source = ClientCog._read_application_commands
_payload_from_source = nextcord.SlashApplicationCommand.get_payload


def _read_once(cog: ClientCog) -> None:
    kind = type(cog)
    if kind not in _read:
        _read_from_source(cog)
        mine = [item for base in kind.__mro__ for item in vars(base).values() if isinstance(item, COMMANDS)]
        _read[kind] = mine, cog.__cog_application_commands__
        for command in mine:
            command.payloads_once = {}
        return
    mine, offered = _read[kind]
    for command in mine:
        command.parent_cog = cog
        for option in command.options.values():
            option.parent_cog = cog
    cog.__cog_application_commands__ = [*offered]


def _payload_once(command: Any, guild_id: int | None) -> dict[str, Any]:
    kept = vars(command).get("payloads_once")
    if kept is None:
        return _payload_from_source(command, guild_id)
    if guild_id not in kept:
        kept[guild_id] = _payload_from_source(command, guild_id)
    return {**kept[guild_id]}


@pytest.fixture(scope="session", autouse=True)
def commands_are_read_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientCog, "_read_application_commands", _read_once)
        patch.setattr(nextcord.SlashApplicationCommand, "get_payload", _payload_once)
        yield
