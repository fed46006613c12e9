"""Words of the command line, and how they reach people whatever their terminal can show."""

import sys
from typing import TextIO

from generation.foreign import visible
from generation.options import OPTIONS
from texts.text import _, joined, render

WHAT = _("Easel makes pictures on the engine you have: from Discord, or right here.")
MORE = _("""\
Each command tells more: python main.py COMMAND --help

The prompt's options are the same everywhere:
  python main.py generate "a red fox in the snow" --size 768x512 --steps 30 --negative "blurry" -o fox.png

Exit code: 0 done, 1 something else went wrong, 2 bad input, 3 the engine failed, 130 interrupted.
Settings: .env in the current folder, explained in .env.example and docs/settings.md.""")


def options_help() -> str:
    """Return a line for each option of a prompt."""
    width = max(len(option.example) for option in OPTIONS)
    return joined("\n", (f"  {option.example:<{width}}  {option.meaning}" for option in OPTIONS))


def say(text: str) -> None:
    """Write a result to stdout."""
    _write(sys.stdout, text)


def tell(text: str) -> None:
    """Write a remark to stderr."""
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"  # an old Windows console cannot show every sign
    text = visible(render(text))  # names and prompts of others must not steer the terminal
    print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
