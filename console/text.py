"""Words of the command line, and how they reach people whatever their terminal can show."""

import sys
from typing import TextIO

from generation.foreign import visible

HELP = """\
Easel makes pictures on the engine you have: from Discord, or right here.

  python main.py                         start the studio and, with a token, the bot; else the console beside it
      --no-web, --no-discord             leave that door shut
  python main.py generate PROMPT         make pictures and save them
      -o, --output FILE                  where to; a folder will do; several get -1, -2 ...
      -i, --image FILE                   a picture to draw from; several for a workflow that takes several
      -q, --quiet                        no progress, only the file names
  python main.py models                  what there is to draw with
  python main.py queue                   what waits and runs in the bot
  python main.py doctor                  check settings, folders, engines, and say what to do
  python main.py workflow add FILE       keep a ComfyUI workflow for --workflow NAME; also: workflow list, show NAME,
                                         set NAME FIELD NODE.INPUT, delete NAME
  python main.py key create NAME         a key for programs; also: key list, key revoke ID
  python main.py key reset               after secret.key was lost for good: seal secrets with a new one
  python main.py help | --version

The prompt's options are the same everywhere:
  python main.py generate "a red fox in the snow" --size 768x512 --steps 30 --negative "blurry" -o fox.png

Exit code: 0 done, 1 something else went wrong, 2 bad input, 3 the engine failed, 130 interrupted.
Settings: .env in the current folder, explained in .env.example and README.md."""


def say(text: str) -> None:
    """Write a result to stdout."""
    _write(sys.stdout, text)


def tell(text: str) -> None:
    """Write a remark to stderr."""
    _write(sys.stderr, text)


def _write(stream: TextIO, text: str) -> None:
    encoding = stream.encoding or "utf-8"  # an old Windows console cannot show every sign
    text = visible(text)  # names and prompts of others must not steer the terminal
    print(text.encode(encoding, "replace").decode(encoding), file=stream, flush=True)
