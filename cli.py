"""The command line: `python main.py generate "a red fox" -o fox.png`, `doctor`, `models`, `queue`, and the console.

Everything after `generate` that is no option of the command line is the prompt, in the same syntax as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from config import Settings
from console import doctor, drawing, interactive, keys, lists, workflows
from console.doctor import Check as Check
from console.drawing import BAD_INPUT as BAD_INPUT
from console.drawing import FAILED as FAILED
from console.drawing import INTERRUPTED as INTERRUPTED
from console.drawing import Studio as Studio
from console.keys import KeyCommand as KeyCommand
from console.keys import manage as manage
from console.keys import tell_reset as tell_reset
from console.text import HELP
from console.text import tell as tell
from console.workflows import WorkflowCommand as WorkflowCommand
from console.workflows import manage_workflows as manage_workflows
from constants import APP_NAME, VERSION
from generation.job import Job

COMMANDS: Final = ("start", "generate", "models", "queue", "doctor", "key", "workflow", "help", "version")
SWITCHES: Final = ("--no-web", "--no-discord")  # of start
WITHOUT_SETTINGS: Final = frozenset({"help", "version", "nonsense"})


@dataclass(frozen=True, kw_only=True)
class Command:
    """What was typed. `text` is the prompt, or what could not be understood."""

    name: str
    text: str = ""
    output: Path | None = None
    images: tuple[Path, ...] = ()
    is_quiet: bool = False
    no_web: bool = False
    no_discord: bool = False
    key: KeyCommand | None = None
    workflow: WorkflowCommand | None = None


def parse(argv: Sequence[str]) -> Command:
    """Read the arguments; what makes no sense becomes the command `nonsense`."""
    if {*argv} <= {"start", *SWITCHES}:
        return Command(name="start", no_web="--no-web" in argv, no_discord="--no-discord" in argv)
    name, rest = argv[0], list(argv[1:])
    if name in ("-h", "--help", "/?") or (name in COMMANDS and name != "generate" and set(rest) & {"-h", "--help"}):
        return Command(name="help")
    if name in ("-V", "--version"):
        return Command(name="version")
    if name not in COMMANDS:
        return Command(name="nonsense", text=_unknown(name))
    if name == "generate":
        return _read_generate(rest)
    if name == "key":
        said = keys.parse_key(rest)
        return Command(name="nonsense", text=said) if isinstance(said, str) else Command(name="key", key=said)
    if name == "workflow":
        asked = workflows.parse_workflow(rest)
        return Command(name="nonsense", text=asked) if isinstance(asked, str) else Command(name=name, workflow=asked)
    if rest:
        return Command(name="nonsense", text=f"{name} takes nothing after it, but there is: {' '.join(rest)}")
    return Command(name=name)


def _unknown(name: str) -> str:
    is_option = name.startswith("-")
    near = get_close_matches(name, SWITCHES if is_option else COMMANDS, n=1)
    if near:
        hint = f" Did you mean {near[0]}?"
    else:
        hint = "" if is_option else f' To draw it: python main.py generate "{name}"'
    return f"There is no {'option' if is_option else 'command'} {name}.{hint}"


def _read_generate(rest: list[str]) -> Command:
    words: list[str] = []
    output: Path | None = None
    images: list[Path] = []
    is_quiet = False
    while rest:
        word = rest.pop(0)
        option, sign, value = word.partition("=")
        if option in ("-o", "--output", "-i", "--image"):
            value = value if sign else (rest.pop(0) if rest else "")
            if not value:
                return Command(name="nonsense", text=f"{option} needs a file name, for example: {option} fox.png")
            if option in ("-i", "--image"):
                images.append(Path(value))
            else:
                output = Path(value)
        elif word in ("-q", "--quiet"):
            is_quiet = True
        elif word in ("-h", "--help"):
            return Command(name="help")
        else:
            words.append(word)
    return Command(
        name="generate", text=" ".join(words), output=output, images=tuple(images), is_quiet=is_quiet
    )  # fmt: skip


def run(
    command: Command,
    studio: Studio | None = None,
    *,
    jobs: Sequence[Job] = (),
    settings: Settings | None = None,
    checks: Sequence[Check] = (),
) -> int:
    """Do what was typed with what `main` has built for it; return the exit code."""
    if command.name == "help":
        print(HELP)
    elif command.name == "version":
        print(f"{APP_NAME} {VERSION}")
    elif command.name == "queue":
        lists.show_queue(jobs)
    elif command.name == "doctor" and settings:
        return doctor.report(settings, checks)
    elif command.name == "generate" and studio:
        asked = drawing.Asked(text=command.text, images=command.images, output=command.output)
        return drawing.draw(studio, asked, is_quiet=command.is_quiet)
    elif command.name == "models" and studio:
        lists.show_models(studio)
    elif command.name == "start" and studio:
        return interactive.converse(studio)
    else:
        tell(f"{command.text}\nAll commands: python main.py help")
        return BAD_INPUT
    return 0
