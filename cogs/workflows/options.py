"""Options of a workflow in a slash command: one text of them in prompt syntax, suggested as far as they are known."""

from collections.abc import Iterable
from dataclasses import replace

import nextcord

from cogs.origin import person_of
from cogs.plain import suggest
from generation.errors import GenerationError
from generation.prompt_syntax import parse_prompt
from generation.replaced_options import REPLACED
from generation.request import Draft, WorkflowRef
from generation.workflow_options import CHOICE, FLAG, WorkflowOption
from services.drawing.workflows import WorkflowService


def read_options(text: str | None) -> Draft:
    """Read what was typed into that option: `--detail 1.3 --look soft`, the first dashes may be missing.

    Easel's own options are read as everywhere; words beside them are not taken for the prompt.
    """
    text = (text or "").strip()
    if not text:
        return Draft()
    return replace(parse_prompt(text if text.startswith("-") else f"--{text}", has_workflow=True).draft, prompt="")


async def suggest_options(
    workflows: WorkflowService, interaction: nextcord.Interaction, typed: str, workflow: str | None
) -> None:
    """Answer an autocomplete with the options of the workflow that was chosen, or the values of the last one typed."""
    offered: tuple[WorkflowOption, ...] = ()
    if workflow:
        try:
            stored = await workflows.get(workflow, person_of(interaction))
            loaded = await workflows.load(WorkflowRef(name=stored.name, id=stored.version))
            offered = await workflows.options(loaded, person_of(interaction))
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
        return {f"--{name} {item}": f"{before}--{name} {item}" for item in _values(option, value.strip())}
    draft = read_options(before)
    given = {item for item, _ in draft.options} | {
        item for item, field in REPLACED.items() if getattr(draft, field) is not None
    }
    return {
        f"--{item.name} · {item.allowed} ({item.default})": f"{before}--{item.name} "
        for item in options.values()
        if item.name not in given and item.name.startswith(name.casefold())
    }


def _values(option: WorkflowOption, typed: str) -> list[str]:
    if option.kind == CHOICE:
        return [choice for choice in option.choices if typed.casefold() in choice.casefold()]
    if option.kind == FLAG:
        return [item for item in ("yes", "no") if item.startswith(typed.casefold())]
    return [typed or option.default]
