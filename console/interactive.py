"""The console: type what you would like to see, get a file. Works with a terminal, a pipe and a file as stdin."""

import contextlib
import re
import sys
from typing import Final

from console.drawing import ORIGIN, Asked, ConsoleParts, draw
from console.lists import show_models
from console.text import options_help, say, tell
from generation.options import COOL_EXAMPLES
from lazy import pattern
from texts.text import _
from utils.secrets import make_private_folder

PROMPT: Final = "easel> "
# What people are used to from Discord is understood here too.
DREAM: Final = pattern(r"[!/](?:dream|generate|gen|img)\b\s*|generate\s+(?=[\"“])", re.IGNORECASE)
WELCOME: Final = _("""\
To bring Easel to Discord: make a bot at https://discord.com/developers/applications (docs/discord-setup.md shows how),
write its token into .env as DISCORD_TOKEN=..., invite the bot with the link from that page,
and start Easel again. Until then, pictures are made right here.""")
TYPE_THIS: Final = _(
    "Type what you would like to see, for example: a red fox in the snow --size 768x512\n(help, models, quit)"
)
NOT_A_PROMPT: Final = _(
    "That does not look like a picture. Say it in words, for example: a red fox in the snow. (help)"
)
LEAVE: Final = frozenset({"quit", "exit", "q", "bye", ":q"})


def converse(studio: ConsoleParts) -> int:
    """Read lines until the end of the input; return the exit code."""
    with contextlib.suppress(ImportError):  # arrow keys and the lines before; Windows has its own
        import readline  # noqa: F401
    make_private_folder(studio.pictures)
    if studio.address:
        tell(_("The studio is at {address} (open it in a browser).\n", address=studio.address))
    if not studio.has_token:
        tell(WELCOME)
    for finding in studio.findings:
        tell(_("{finding:capital}.", finding=finding))
    engines = studio.run(_engines(studio))
    drawing = _("Drawing with {engines}. ", engines=engines) if engines else ""
    tell(
        _(
            "\n{drawing}Pictures go to {pictures}.\n{usage}",
            drawing=drawing,
            pictures=studio.pictures,
            usage=TYPE_THIS,
        )
    )
    has_heard = False
    while (line := _read()) is not None:
        has_heard = True
        try:
            if not _obey(studio, line):
                return 0
        except KeyboardInterrupt:
            tell(_("Cancelled. Ctrl+C once more, or quit, leaves."))
    if studio.stay and not has_heard and not sys.stdin.isatty():
        studio.stay()  # started as a service: what it serves is not at this end
    return 0


def _obey(studio: ConsoleParts, line: str) -> bool:
    """Do what one line says; False means leave."""
    word = line.strip().lstrip("!/").casefold()
    text = DREAM.sub("", line.strip(), count=1) if DREAM.match(line.strip()) else line.strip()
    if not line.strip():
        return True
    if word in LEAVE:
        return False
    if word in ("help", "?", "h"):
        say(_help())
    elif word in ("models", "list_models", "sdmodels"):
        show_models(studio)
    elif word == "queue":
        say(_("Nothing waits: each line is drawn before the next is read."))
    elif word in ("cancel", "stop"):
        say(_("Nothing is being drawn. While something is, Ctrl+C cancels it."))
    elif not any(sign.isalnum() for sign in text):
        tell(NOT_A_PROMPT)
    elif line.strip()[0] in "!/" and text == line.strip():
        tell(
            _(
                "There is no command {command} here. To draw, just say what you would like to see. (help)",
                command=line.split()[0],
            )
        )
    else:
        draw(studio, Asked(text=text))
    return True


def _read() -> str | None:
    """Read a line from a person or a file; None at the end, or when a person has had enough."""
    try:
        if sys.stdin.isatty():
            return input(PROMPT)
        line = sys.stdin.readline()
    except (EOFError, KeyboardInterrupt):
        tell("")
        return None
    except UnicodeDecodeError:
        tell(_("That line is not UTF-8 text."))
        return ""
    return line or None


async def _engines(studio: ConsoleParts) -> str:
    await studio.catalog.refresh(ORIGIN.person)
    return ", ".join(engine.label for engine in studio.catalog.engines(ORIGIN.person))


def _help() -> str:
    return _(
        "Type what you would like to see; put options after it:\n"
        "{options_help}\n\nFor example:\n  {examples}\n\n"
        "Commands: help, models, quit. Ctrl+C cancels a picture.",
        options_help=options_help(),
        examples=COOL_EXAMPLES[0],
    )
