"""Write docs/commands.md: every command of the bot, as it is registered with Discord.

Run `python -m scripts.write_commands`; a test holds the page to what this writes.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from app.build import build
from cogs.image_generation import SLASH_NAMES
from cogs.sharding import SingleBot
from config import read_settings
from services.people.links import StudioLinks

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "commands.md"
SUBCOMMAND, SLASH, OF_A_MESSAGE = 1, 1, 3
HEAD: Final = """\
# Commands

Options in *italics* may be left out. What `/imagine` takes can be typed behind a prompt, too: [fields.md](fields.md).

| type | what it does | options |
|---|---|---|
"""
MENU_HEAD: Final = """
In the *Apps* menu of a message: {menus}.

The same as a message, behind the prefix (`!`) or the bot's name: {prefixed}.
"""


async def page() -> str:
    """Return the page as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        easel = await build(read_settings(Path(folder, ".env"), {"DATA_DIR": folder, "PROBE_LOCAL_PORTS": "false"}))
        links = StudioLinks(
            easel.services.records.forgetting.access, "https://easel.example"
        )  # with them every command is there
        bot = SingleBot(easel.services, easel.settings.discord, studio=links)
        commands = [command.get_payload(None) for command in bot.get_all_application_commands()]
        commands.sort(key=lambda command: (_place(command["name"]), command["name"]))
        prefixed = sorted(f"`{'`, `'.join((command.name, *command.aliases))}`" for command in bot.commands)
        await bot.close()
        await easel.close()
    menus = sorted(f"*{command['name']}*" for command in commands if command["type"] == OF_A_MESSAGE)
    rows = _rows([command for command in commands if command.get("type", SLASH) == SLASH])
    return HEAD + "".join(rows) + MENU_HEAD.format(menus=", ".join(menus), prefixed="; ".join(prefixed))


def _place(name: str) -> int:
    """Return where a command stands: what draws comes first, in its own order."""
    return SLASH_NAMES.index(name) if name in SLASH_NAMES else len(SLASH_NAMES)


def _rows(commands: list[dict[str, Any]]) -> Iterator[str]:
    """Return a row for each command; what only differs in its name shares one."""
    names: dict[str, list[str]] = {}
    for command in commands:
        for row, name in _parts(command):
            names.setdefault(row, []).append(f"`/{name}`")
    yield from (f"| {', '.join(shown)}{row}" for row, shown in names.items())


def _parts(command: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    name = f"{before}{command['name']}"
    options = command.get("options") or []
    parts = [option for option in options if option["type"] == SUBCOMMAND]
    for part in parts:
        yield from _parts(part, f"{name} ")
    if not parts:
        yield f" | {_cell(command['description'])} | {', '.join(map(_option, options))} |\n", name


def _option(option: dict[str, Any]) -> str:
    return f"`{option['name']}`" if option.get("required") else f"*{option['name']}*"


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|")


def main() -> int:
    """Write the page."""
    PAGE.write_text(asyncio.run(page()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
