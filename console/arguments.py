"""The command line by argparse: each command has its parser, its help, and the function that reads what was typed."""

import argparse
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final, NoReturn

from lazy import pattern
from texts.text import _

PROGRAM: Final = _("python main.py")
_CHOICE: Final = pattern(r"argument .*: invalid choice: '(?P<value>.*?)' \(choose from .*\)")
_NO_VALUE: Final = pattern(r"argument (?P<names>\S+): expected (?:one|at least one) argument")
_MISSING: Final = pattern(r"the following arguments are required: (?P<names>.+)")


class Nonsense(Exception):  # not an error of the program
    """The command line makes no sense; the text says why and what would."""


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process, and shows its help on demand."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            add_help=False, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter, **options
        )
        self._positionals.title = _("what follows")
        self._optionals.title = "options"
        self.add_argument("-h", "--help", action=_Help, nargs=0, default=argparse.SUPPRESS, help=_("show this"))

    def error(self, message: str) -> NoReturn:
        """Raise `Nonsense` with the usage of this very command."""
        raise Nonsense(f"{self._sentence(message)} {self.how()}")

    def how(self) -> str:
        """Return how the command is written."""
        return "Write: " + " ".join(self.format_usage().removeprefix("usage: ").split()).replace(" [-h]", "")

    def _sentence(self, message: str) -> str:
        if found := _NO_VALUE.fullmatch(message):
            return _("{partition} needs a value.", partition=found["names"].partition("/")[0])
        if found := _MISSING.fullmatch(message):
            if self.commands():
                return _("Say what to do: {commands}.", commands=", ".join(self.commands()))
            return _("{found} is missing.", found=found["names"])
        if found := _CHOICE.fullmatch(message):
            near = get_close_matches(found["value"], self.commands(), n=1)
            hint = _(" Did you mean {near}?", near=near[0]) if near else ""
            return _("There is no command {found}.{hint}", found=found["value"], hint=hint)
        return f"{message[:1].upper()}{message[1:]}."

    def commands(self) -> list[str]:
        """Return the commands below this one."""
        return [name for action in self._actions if isinstance(action.choices, dict) for name in action.choices]

    def options(self) -> list[str]:
        return [name for action in self._actions for name in action.option_strings]


class HelpWanted(Exception):
    """Somebody asked for help; the text is it."""


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *__: object) -> None:
        raise HelpWanted(parser.format_help().strip())


Commands = "argparse._SubParsersAction[Parser]"
Read = Callable[[argparse.Namespace], Any]


def add(commands: Any, name: str, meaning: str, read: Read | None = None, **options: Any) -> Parser:
    """Add a command below a parser; `read` makes a value of what was typed for it."""
    parser: Parser = commands.add_parser(
        name, help=meaning, description=f"{meaning[:1].upper()}{meaning[1:]}.", **options
    )
    parser.set_defaults(command_name=parser.prog.removeprefix(f"{PROGRAM} "))
    if read:
        parser.set_defaults(read=read)
    return parser


def below(parser: Parser, *, is_needed: bool = True) -> Any:
    """Let a parser have commands of its own, one of which must be named if that is needed."""
    return parser.add_subparsers(metavar="COMMAND", required=is_needed, parser_class=Parser)
