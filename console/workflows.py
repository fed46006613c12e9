"""`python main.py workflow add | list | show | set | delete`: workflows for everybody, in the bot's own data folder.

A bot that runs there sees the change at once. Files are read as they are exported by ComfyUI.
"""

import asyncio
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from console.arguments import add, below
from console.drawing import BAD_INPUT, explain
from console.text import say, tell
from generation.errors import GenerationError
from generation.person import NOBODY
from lazy import dataclass
from services.drawing.workflows import MAX_NAME_CHARS, MAX_WORKFLOW_BYTES, StoredWorkflow, WorkflowService
from texts.text import _, joined
from utils.text import cut


@dataclass(frozen=True, kw_only=True)
class WorkflowCommand:
    """A task for workflows. `place` is where the value `field` goes: "6.text", or "none"."""

    action: Literal["add", "list", "show", "set", "delete"]
    name: str = ""
    file: Path | None = None
    field: str = ""
    place: str = ""

    @property
    def needs_engines(self) -> bool:
        return self.action in ("add", "set")


def add_to(commands: Any) -> None:
    """Describe `workflow` and what stands below it to the command line."""
    actions = below(add(commands, "workflow", _("ComfyUI workflows for --workflow NAME")))
    new = add(actions, "add", _("keep a workflow that ComfyUI exported"), _added)
    new.add_argument("file", metavar="FILE", type=Path)
    new.add_argument("--name", metavar="NAME", help=_("its name; by default that of its file"))
    add(actions, "list", _("show the workflows"), lambda __: WorkflowCommand(action="list"))
    show = add(actions, "show", _("show where the values go"), lambda v: WorkflowCommand(action="show", name=v.name))
    show.add_argument("name", metavar="NAME")
    change = add(actions, "set", _("set where a value goes, or make an input an option"), _corrected)
    change.add_argument("name", metavar="NAME")
    change.add_argument("field", metavar="FIELD", help=_("prompt, seed, steps ...; option; or an input, 4.ckpt_name"))
    change.add_argument(
        "place",
        metavar="NODE.INPUT",
        nargs="+",
        help=_("6.text; none; for an option: NAME NODE.INPUT; for an input: a file there"),
    )
    change.add_argument("--range", metavar="LOW..HIGH", help=_("of an option"))
    gone = add(actions, "delete", _("forget a workflow"), lambda v: WorkflowCommand(action="delete", name=v.name))
    gone.add_argument("name", metavar="NAME")


async def manage_workflows(workflows: WorkflowService, command: WorkflowCommand) -> int:
    """Do it and tell; return the exit code."""
    try:
        if command.action == "add":
            return await _add(workflows, command)
        if command.action == "list":
            _list(await workflows.list(NOBODY))
        elif command.action == "show":
            _show(await workflows.get(command.name, NOBODY))
        elif command.action == "set":
            stored = await workflows.correct(command.name, command.field, command.place)
            _show(stored, await workflows.lacking(stored, NOBODY))
        else:
            gone = await workflows.delete(command.name)
            tell(_("{name} is forgotten. Pictures made with it can still be made again.", name=gone.name))
    except GenerationError as error:
        return explain(error.code, error.user_message, error.hint)
    return 0


def _added(values: Namespace) -> WorkflowCommand:
    name = values.name or values.file.stem.replace("_", " ")[:MAX_NAME_CHARS]
    return WorkflowCommand(action="add", file=values.file, name=name)


def _corrected(values: Namespace) -> WorkflowCommand:
    within = ["--range", values.range] if values.range else []
    place = " ".join([*values.place, *within])
    return WorkflowCommand(action="set", name=values.name, field=values.field, place=place)


async def _add(workflows: WorkflowService, command: WorkflowCommand) -> int:
    assert command.file is not None, "there is no adding without a file"
    try:
        content = await asyncio.to_thread(_read, command.file)
    except OSError as error:
        tell(_("✖ {file} cannot be read: {strerror}.", file=command.file, strerror=error.strerror))
        return BAD_INPUT
    analysed = await workflows.analyse(content, NOBODY)
    stored = await workflows.save(analysed, command.name)
    tell(_("{engine} can draw with it.", engine=analysed.engine))
    _show(stored, analysed.problems)
    return 0


def _read(path: Path) -> bytes:
    """Read a little more than may be kept: a file that is too large is refused by its size, not loaded whole."""
    with path.open("rb") as file:
        return file.read(MAX_WORKFLOW_BYTES + 1)


def _list(there: Sequence[StoredWorkflow]) -> None:
    if not there:
        say(_("There are no workflows. In ComfyUI: Workflow, Save; then python main.py workflow add FILE"))
        return
    say(f"{'name':<30}{'changed':<18}takes")
    for item in there:
        takes = ", ".join(line.partition(":")[0] for line in item.lines if ", node " in line)
        say(f"{cut(item.name, 28):<30}{f'{item.updated_at:%Y-%m-%d %H:%M}':<18}{takes}")


def _show(stored: StoredWorkflow, problems: Sequence[str] = ()) -> None:
    for problem in problems:
        tell(problem)
    say(joined("\n", [stored.name, *(f"  {line}" for line in stored.lines)]))
    tell(_('Draw with it: python main.py generate "a red fox" --workflow "{name}"', name=stored.name))
    tell(_('Something in the wrong place? python main.py workflow set "{name}" prompt 6.text', name=stored.name))
