"""`python main.py workflow add | list | show | set | delete`: workflows for everybody, in the bot's own data folder.

A bot that runs there sees the change at once. Files are read as they are exported by ComfyUI.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from console.drawing import BAD_INPUT, explain
from console.text import say, tell
from generation.errors import GenerationError
from services.workflows import MAX_NAME_CHARS, MAX_WORKFLOW_BYTES, StoredWorkflow, WorkflowService
from utils.text import cut

USAGE: Final = (
    "Write: workflow add FILE [--name NAME], workflow list, workflow show NAME, workflow set NAME FIELD NODE.INPUT, "
    "workflow set NAME option OPTION NODE.INPUT [--range LOW..HIGH], or workflow delete NAME."
)
OPTION: Final = "option"
WORDS_AFTER: Final = {"list": 0, "show": 1, "delete": 1, "set": 3}


@dataclass(frozen=True, kw_only=True)
class WorkflowCommand:
    """What is to be done with workflows. `place` is where the value `field` goes: "6.text", or "none"."""

    action: Literal["add", "list", "show", "set", "delete"]
    name: str = ""
    file: Path | None = None
    field: str = ""
    place: str = ""

    @property
    def needs_engines(self) -> bool:
        return self.action in ("add", "set")


def parse_workflow(words: Sequence[str]) -> WorkflowCommand | str:
    """Read what follows `workflow`; text says what cannot be understood."""
    action, rest = (words[0], list(words[1:])) if words else ("", [])
    if action == "add":
        return _read_add(rest)
    if action == "set" and len(rest) > 3 and rest[1].casefold() == OPTION:
        rest = [*rest[:2], " ".join(rest[2:])]
    if len(rest) != WORDS_AFTER.get(action):
        return USAGE
    name, field, place = (*rest, "", "", "")[:3]
    if action == "set":
        return WorkflowCommand(action="set", name=name, field=field, place=place)
    if action == "show":
        return WorkflowCommand(action="show", name=name)
    return WorkflowCommand(action="delete", name=name) if action == "delete" else WorkflowCommand(action="list")


async def manage_workflows(workflows: WorkflowService, command: WorkflowCommand) -> int:
    """Do it and tell; return the exit code."""
    try:
        if command.action == "add":
            return await _add(workflows, command)
        if command.action == "list":
            _list(await workflows.list("", None))
        elif command.action == "show":
            _show(await workflows.get(command.name, "", None))
        elif command.action == "set":
            _show(await workflows.correct(command.name, command.field, command.place))
        else:
            gone = await workflows.delete(command.name)
            tell(f"{gone.name} is forgotten. Pictures made with it can still be made again.")
    except GenerationError as error:
        return explain(error.code, error.user_message, error.hint)
    return 0


def _read_add(words: list[str]) -> WorkflowCommand | str:
    files: list[str] = []
    name = ""
    while words:
        option, sign, value = words.pop(0).partition("=")
        if option != "--name":
            files.append(option + sign + value)
            continue
        name = value if sign else (words.pop(0) if words else "")
        if not name:
            return f"--name needs a name. {USAGE}"
    if len(files) != 1:
        return USAGE
    file = Path(files[0])
    return WorkflowCommand(action="add", file=file, name=name or file.stem.replace("_", " ")[:MAX_NAME_CHARS])


async def _add(workflows: WorkflowService, command: WorkflowCommand) -> int:
    assert command.file is not None, "there is no adding without a file"
    try:
        content = await asyncio.to_thread(_read, command.file)
    except OSError as error:
        tell(f"✖ {command.file} cannot be read: {error.strerror}.")
        return BAD_INPUT
    analysed = await workflows.analyse(content, "", None)
    stored = await workflows.save(analysed, command.name)
    tell(f"{analysed.engine} can draw with it.")
    _show(stored)
    return 0


def _read(path: Path) -> bytes:
    """Read a little more than may be kept: a file that is too large is refused by its size, not loaded whole."""
    with path.open("rb") as file:
        return file.read(MAX_WORKFLOW_BYTES + 1)


def _list(there: Sequence[StoredWorkflow]) -> None:
    if not there:
        say("There are no workflows. In ComfyUI: Workflow, Save; then python main.py workflow add FILE")
        return
    say(f"{'name':<30}{'changed':<18}takes")
    for one in there:
        takes = ", ".join(line.partition(":")[0] for line in one.lines if ", node " in line)
        say(f"{cut(one.name, 28):<30}{f'{one.updated_at:%Y-%m-%d %H:%M}':<18}{takes}")


def _show(stored: StoredWorkflow) -> None:
    say("\n".join([stored.name, *(f"  {line}" for line in stored.lines)]))
    tell(f'Draw with it: python main.py generate "a red fox" --workflow "{stored.name}"')
    tell(f'Something in the wrong place? python main.py workflow set "{stored.name}" prompt 6.text')
