"""The command line: `python main.py generate "a red fox" -o fox.png`, `doctor`, `models`, `queue`, and the console.

Everything after `generate` that is no option of the command line is the prompt, in the same syntax as everywhere.
"""

from argparse import SUPPRESS
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from config import Settings
from console import backups, doctor, drawing, interactive, keys, lists, models, workflows
from console.arguments import PROGRAM, HelpWanted, Nonsense, Parser, add
from console.backups import BackupCommand as BackupCommand
from console.backups import tell_backup as tell_backup
from console.backups import tell_restored as tell_restored
from console.doctor import Check as Check
from console.drawing import BAD_INPUT as BAD_INPUT
from console.drawing import FAILED as FAILED
from console.drawing import INTERRUPTED as INTERRUPTED
from console.drawing import ConsoleParts as ConsoleParts
from console.keys import KeyCommand as KeyCommand
from console.keys import manage as manage
from console.keys import tell_how_to_renew as tell_how_to_renew
from console.keys import tell_renewed as tell_renewed
from console.keys import tell_reset as tell_reset
from console.models import ModelCommand
from console.text import MORE, WHAT, options_help
from console.text import tell as tell
from console.workflows import WorkflowCommand as WorkflowCommand
from console.workflows import manage_workflows as manage_workflows
from constants import APP_NAME, MAX_BUDGET_USD, VERSION
from generation.job import Job
from lazy import dataclass
from services.money.books import BookEntry
from texts.text import _

DRAWING: Final = _("{program} generate PROMPT [--size 768x512 ...] [-i FILE] [-o FILE] [-q]", program=PROGRAM)
LOOKING: Final = {
    "models": _("show what there is to draw with"),
    "queue": _("show what waits and runs in the bot"),
    "cost": _("show what was spent in the bot in the last 30 days"),
    "doctor": _("check settings, folders, engines, and say what to do"),
    "mcp": _("serve an assistant (MCP) over stdin and stdout"),
}
WITHOUT_SETTINGS: Final = frozenset({"help", "version", "nonsense"})


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command line as typed. `text` is the prompt, the help asked for, or what could not be understood."""

    name: str
    text: str = ""
    output: Path | None = None
    images: tuple[Path, ...] = ()
    is_quiet: bool = False
    max_cost_usd: float = 0.0
    no_web: bool = False
    no_discord: bool = False
    key: KeyCommand | None = None
    workflow: WorkflowCommand | None = None
    backup: BackupCommand | None = None
    model: ModelCommand | None = None


def parse(argv: Sequence[str]) -> Command:
    """Read the arguments; what makes no sense becomes the command `nonsense`."""
    parser = _parser()
    try:
        values, rest = parser.parse_known_args(list(argv))
    except HelpWanted as help:
        return Command(name="help", text=str(help))
    except Nonsense as nonsense:
        return Command(name="nonsense", text=_about_prompts(argv, str(nonsense)))
    name = getattr(values, "command_name", "start")
    if values.version:
        return Command(name="version")
    if name == "help":
        return Command(name="help", text=parser.format_help().strip())
    if name == "generate":  # what else was typed is the prompt, its options among it
        images = tuple(values.image)
        return Command(
            name=name,
            text=" ".join(rest),
            output=values.output,
            images=images,
            is_quiet=values.quiet,
            max_cost_usd=values.max_cost,
        )
    if rest:
        return Command(name="nonsense", text=_left_over(parser, name, rest))
    if hasattr(values, "read"):
        return _below(values.read(values))
    return Command(name=name, text=getattr(values, "engine", ""), no_web=values.no_web, no_discord=values.no_discord)


def _parser() -> Parser:
    parser = Parser(prog=PROGRAM, description=WHAT, epilog=MORE)
    parser.add_argument("-V", "--version", action="store_true", help=_("show which Easel this is"))
    _add_switches(parser, default=False)
    commands = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
    _add_switches(add(commands, "start", _("start the studio and, with a token, the bot; else the console beside it")))
    generate = add(
        commands,
        "generate",
        _("make pictures of the words that follow, and save them"),
        usage=DRAWING,
        epilog=_("options of the prompt:\n{options_help}", options_help=options_help()),
    )
    generate.add_argument(
        "-o", "--output", metavar="FILE", type=Path, help=_("a folder will do; several get -1, -2 ...")
    )
    generate.add_argument(
        "-i", "--image", metavar="FILE", type=Path, action="append", default=[],
        help=_("a picture to draw from; several for a workflow that takes several"),
    )  # fmt: skip
    generate.add_argument("-q", "--quiet", action="store_true", help=_("no progress, only the file names"))
    generate.add_argument(
        "--max-cost", metavar="USD", type=_dollars, default=0.0, help=_("draw only what costs no more, without asking")
    )
    for name, meaning in LOOKING.items():
        looking = add(commands, name, meaning)
        if name == "models":
            models.add_to(looking)
        elif name == "doctor":
            looking.add_argument("engine", metavar="ENGINE", nargs="?", default="", help=_("test this one alone"))
    workflows.add_to(commands)
    keys.add_to(commands)
    backups.add_to(commands)
    add(commands, "help", _("show all commands"))
    add(commands, "version", _("show which Easel this is"))
    return parser


def _dollars(typed: str) -> float:
    """Read an amount, as 0.25 or $0.25."""
    usd = float(typed.removeprefix("$"))
    if not 0 < usd < MAX_BUDGET_USD:
        raise ValueError
    return usd


def _add_switches(parser: Parser, default: object = SUPPRESS) -> None:
    for door in ("web", "discord"):
        parser.add_argument(f"--no-{door}", action="store_true", default=default, help=_("start without it"))


def _below(value: KeyCommand | ModelCommand | WorkflowCommand | BackupCommand) -> Command:
    if isinstance(value, KeyCommand):
        return Command(name="key", key=value)
    if isinstance(value, BackupCommand):
        return Command(name=value.action, backup=value)
    if isinstance(value, ModelCommand):
        return Command(name="models", model=value)
    return Command(name="workflow", workflow=value)


def _about_prompts(argv: Sequence[str], given: str) -> str:
    """Add how to draw what may have been meant as a prompt."""
    if not given.startswith(f"There is no command {argv[0]}."):
        return given
    given = given.partition(" Write:")[0]
    return (
        given
        if "Did you mean" in given
        else _('{given} To draw it: {program} generate "{words}"', given=given, program=PROGRAM, words=argv[0])
    )


def _left_over(parser: Parser, name: str, rest: Sequence[str]) -> str:
    option = next((word for word in rest if word.startswith("-")), "")
    if not option:
        return _("{name} takes nothing more, but there is: {rest}", name=name, rest=" ".join(rest))
    near = get_close_matches(option, parser.options(), n=1)
    return _(
        "There is no option {option}.{near}",
        option=option,
        near=_(" Did you mean {near}?", near=near[0]) if near else "",
    )


def run(
    command: Command,
    studio: ConsoleParts | None = None,
    *,
    jobs: Sequence[Job] = (),
    books: Sequence[BookEntry] = (),
    settings: Settings | None = None,
    checks: Sequence[Check] = (),
) -> int:
    """Do what was typed with what `main` has built for it; return the exit code."""
    if command.name == "help":
        print(command.text)
    elif command.name == "version":
        print(f"{APP_NAME} {VERSION}")
    elif command.name == "queue":
        lists.show_queue(jobs)
    elif command.name == "cost":
        lists.show_costs(books)
    elif command.name == "doctor" and settings:
        return doctor.print_checks(checks) if command.text else doctor.report(settings, checks)
    elif command.name == "generate" and studio:
        asked = drawing.Asked(
            text=command.text, images=command.images, output=command.output, max_cost_usd=command.max_cost_usd
        )
        return drawing.draw(studio, asked, is_quiet=command.is_quiet)
    elif command.name == "models" and studio:
        lists.show_models(studio)
    elif command.name == "start" and studio:
        return interactive.converse(studio)
    else:
        tell(_("{text}\nAll commands: python main.py help", text=command.text))
        return BAD_INPUT
    return 0
