"""Options of a workflow in a slash command: one text of them in prompt syntax, suggested as far as they are known."""

from collections.abc import Iterable

import nextcord

from cogs.picture_sources import who
from cogs.plain import suggest
from generation.errors import GenerationError
from generation.prompt_syntax import parse_prompt
from generation.request import WorkflowRef
from generation.workflow_options import CHOICE, FLAG, WorkflowOption
from services.workflows import WorkflowService


def read_options(text: str | None) -> tuple[tuple[str, str], ...]:
    """Read what was typed into that option: `--detail 1.3 --look soft`, the first dashes may be missing."""
    text = (text or "").strip()
    return parse_prompt(text if text.startswith("-") else f"--{text}", has_workflow=True).draft.options if text else ()


async def suggest_options(
    workflows: WorkflowService, interaction: nextcord.Interaction, typed: str, workflow: str | None
) -> None:
    """Answer an autocomplete with the options of the workflow that was chosen, or the values of the last one typed."""
    offered: tuple[WorkflowOption, ...] = ()
    if workflow:
        try:
            stored = await workflows.get(workflow, *who(interaction))
            loaded = await workflows.load(WorkflowRef(name=stored.name, id=stored.version))
            offered = await workflows.options(loaded, *who(interaction))
        except GenerationError:  # what is wrong with it is told when it is drawn with
            offered = ()
    await suggest(interaction, suggestions(typed, offered))


def suggestions(typed: str, offered: Iterable[WorkflowOption]) -> dict[str, str]:
    """Return what may come next: what is shown, and the whole text it stands for."""
    options = {option.name: option for option in offered}
    before, _, last = typed.rpartition("--")
    name, space, value = last.partition(" ")
    before = f"{before.rstrip()} " if before.strip() else ""
    option = options.get(name.casefold())
    if option and space:
        return {f"--{name} {one}": f"{before}--{name} {one}" for one in _values(option, value.strip())}
    said = {one for one, _ in read_options(before)}
    return {
        f"--{one.name} · {one.allowed} ({one.default})": f"{before}--{one.name} "
        for one in options.values()
        if one.name not in said and one.name.startswith(name.casefold())
    }


def _values(option: WorkflowOption, typed: str) -> list[str]:
    if option.kind == CHOICE:
        return [one for one in option.choices if typed.casefold() in one.casefold()]
    if option.kind == FLAG:
        return [one for one in ("yes", "no") if one.startswith(typed.casefold())]
    return [typed or option.default]
