"""Write `.env.example` and the tables of docs/settings.md from the settings themselves.

Run `python -m scripts.write_settings`; a test holds both files to what this writes.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from config import describe
from settings.reading.engines import describe_instance
from settings.reading.words import SettingHelp

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "settings.md"
EXAMPLE: Final = ROOT / ".env.example"
BEGIN, END = "<!-- settings -->", "<!-- end of settings -->"
HEAD: Final = "| setting | default | what it does | allowed |\n|---|---|---|---|"
LIVE: Final = " ↻"  # taken up without a restart
SHOWN: Final = frozenset({"DISCORD_TOKEN"})  # without a # in front: what most people set
EXAMPLE_HEAD: Final = """\
# Settings of Easel. All may stay as they are; remove the # from a line to change it.
# Times are written like 90s, 5m or 24h; a plain number is seconds. The environment wins over this file.
"""
EXAMPLE_ENGINES: Final = """\
# One engine of a kind needs no name: A1111_URL alone makes an engine called a1111 (also for Forge). So do COMFYUI_URL,
# GRADIO_FLUX_URL (Flux on Pinokio), AI_HORDE_KEY, AIPOWERGRID_KEY,
# OPENAI_API_KEY and STABILITY_API_KEY.
#A1111_URL=http://127.0.0.1:7860
#A1111_KEY=

# Several engines: BACKENDS=gpu1,gpu2 and for each of them, with its name in capitals in front:
"""


def tables() -> str:
    """Return the tables of the page, a heading each."""
    parts = [f"## {name}\n\n{_table(settings)}" for name, settings in describe().items()]
    item = f"## One engine\n\nAs for an engine called `gpu1`:\n\n{_table(describe_instance())}"
    return "\n\n".join([*parts, item])


def page(text: str) -> str:
    """Return the page with its tables as they are now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def example() -> str:
    """Return the whole of `.env.example`."""
    return "\n".join([EXAMPLE_HEAD, *_example_lines()]).rstrip() + "\n"


def _example_lines() -> Iterator[str]:
    for name, settings in describe().items():
        yield f"# --- {name} ---\n"
        yield from map(_line, settings)
        if name == "Engines":
            yield EXAMPLE_ENGINES
            yield from map(_line, describe_instance())


def _line(setting: SettingHelp) -> str:
    mark = "" if setting.name in SHOWN else "#"
    return f"# {setting.meaning}. Allowed: {setting.allowed}.\n{mark}{setting.name}={setting.default}\n"


def _table(settings: list[SettingHelp]) -> str:
    rows = (
        f"| `{row.name}`{LIVE if row.is_live else ''} | {f'`{row.default}`' if row.default else ''} "
        f"| {row.meaning} | {row.allowed} |"
        for row in settings
    )
    return "\n".join([HEAD, *rows])


def main() -> int:
    """Write both files."""
    EXAMPLE.write_text(example(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
