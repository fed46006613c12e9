"""`/workflow`: people's own ComfyUI workflows by name. Add a file, see what it takes, correct that, delete it."""

from collections.abc import Collection, Sequence
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.cards import Card
from cogs.decorators import prefix_command
from cogs.engines.connections import owner_of
from cogs.origin import person_of, person_of_message
from cogs.plain import block, code, escape, suggest
from cogs.posting import TRANSIENT
from cogs.waiting import answer
from generation.errors import RequestRejected
from generation.person import Person
from services.drawing.workflows import MAX_NAME_CHARS, MAX_WORKFLOW_BYTES, Owner, StoredWorkflow, WorkflowService
from texts.text import _, joined
from utils.text import cut

MAX_CHOICES = 25
MAPPING_CHARS = 1400
LIST_CHARS = 1900
WHOSE = {"user": _("yours"), "guild": _("this server’s"), "easel": _("everybody’s")}
CHANGEABLE = ("user", "guild")
USAGE = _(
    "Say `workflow list`, `workflow add NAME` with a file, `workflow show NAME`, `workflow set NAME FIELD NODE.INPUT`, "
    "`workflow set NAME option OPTION NODE.INPUT --range 0..2`, `workflow set NAME NODE.INPUT FILE` or "
    "`workflow delete NAME`."
)


class Workflows(commands.Cog):
    """Keeps workflows; `--workflow NAME` draws with one."""

    def __init__(self, *, workflows: WorkflowService) -> None:
        self._workflows = workflows

    @nextcord.slash_command(name="workflow", description=_("Your own ComfyUI workflows"))
    async def slash_workflow(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_workflow.subcommand(name="add", description=_("Keep a workflow; in ComfyUI: Workflow, Save"))
    async def slash_add(
        self,
        interaction: nextcord.Interaction,
        file: nextcord.Attachment = SlashOption(
            description=_("The saved .json file, or a picture with a workflow in it")
        ),
        name: str = SlashOption(
            description=_("What to call it; none: as the file"), required=False, max_length=MAX_NAME_CHARS
        ),
        for_server: bool = SlashOption(description=_("For everybody in this server (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        text = await self._add(file, name or "", owner, person_of(interaction))
        await interaction.edit_original_message(content=text)

    @slash_workflow.subcommand(name="list", description=_("What there is to draw with"))
    async def slash_list(self, interaction: nextcord.Interaction) -> None:
        text = list_text(await self._workflows.list(person_of(interaction)))
        await interaction.response.send_message(text, ephemeral=True)

    @slash_workflow.subcommand(name="show", description=_("What a workflow takes, and where that goes"))
    async def slash_show(
        self, interaction: nextcord.Interaction, name: str = SlashOption(description=_("Which one"))
    ) -> None:
        await interaction.response.defer(ephemeral=True)
        stored = await self._workflows.get(name, person_of(interaction))
        problems = await self._workflows.lacking(stored, person_of(interaction))
        await interaction.edit_original_message(content=workflow_text(stored, problems=problems))

    @slash_workflow.subcommand(name="set", description=_("Correct where a value goes"))
    async def slash_set(
        self,
        interaction: nextcord.Interaction,
        name: str = SlashOption(description=_("Which one")),
        field: str = SlashOption(description=_("prompt, seed, steps, width ... or: option NAME"), max_length=40),
        value: str = SlashOption(
            description=_("node.input, like 6.text; an option also takes --range 0..2; “none” takes it away"),
            max_length=200,
        ),
        for_server: bool = SlashOption(description=_("The server's workflow (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        await interaction.response.defer(ephemeral=True)
        stored = await self._workflows.correct(name, field, value, owner)
        text = changed_text(stored, await self._workflows.lacking(stored, person_of(interaction)))
        await interaction.edit_original_message(content=text)

    @slash_workflow.subcommand(name="delete", description=_("Forget a workflow"))
    async def slash_delete(
        self,
        interaction: nextcord.Interaction,
        name: str = SlashOption(description=_("Which one")),
        for_server: bool = SlashOption(description=_("The server's workflow (admins)"), required=False),
    ) -> None:
        owner = owner_of(interaction, for_server=bool(for_server))
        text = deleted_text(await self._workflows.delete(name, owner))
        await interaction.response.send_message(text, ephemeral=True)

    @slash_show.on_autocomplete("name")
    async def suggest_any(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_workflows(self._workflows, interaction, typed)

    @slash_set.on_autocomplete("name")
    async def suggest_to_set(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_workflows(self._workflows, interaction, typed, kinds=CHANGEABLE)

    @slash_delete.on_autocomplete("name")
    async def suggest_to_delete(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_workflows(self._workflows, interaction, typed, kinds=CHANGEABLE)

    @prefix_command(name="workflow", aliases=["workflows"])
    async def workflow_by_prefix(
        self, ctx: commands.Context[Any], what: str = "list", name: str = "", field: str = "", *, place: str = ""
    ) -> None:
        """`!workflow add portrait` with a file, `!workflow set portrait prompt 6.text`."""
        await answer(ctx, self._by_prefix(ctx, what.casefold(), name, field, place))

    async def _by_prefix(self, ctx: commands.Context[Any], what: str, name: str, field: str, place: str) -> Card:
        person = person_of_message(ctx)
        owner = Owner.of(person)
        if what == "list":
            return Card(content=list_text(await self._workflows.list(person)))
        if what == "add" and ctx.message.attachments:
            return Card(content=await self._add(ctx.message.attachments[0], name, owner, person))
        if what == "show" and name:
            stored = await self._workflows.get(name, person)
            problems = await self._workflows.lacking(stored, person)
            return Card(content=workflow_text(stored, problems=problems))
        if what == "set" and place:
            stored = await self._workflows.correct(name, field, place, owner)
            return Card(content=changed_text(stored, await self._workflows.lacking(stored, person)))
        if what == "delete" and name:
            return Card(content=deleted_text(await self._workflows.delete(name, owner)))
        raise RequestRejected(USAGE)

    async def _add(self, file: nextcord.Attachment, name: str, owner: Owner, person: Person) -> str:
        if file.size > MAX_WORKFLOW_BYTES:
            most = MAX_WORKFLOW_BYTES // 2**20
            raise RequestRejected(
                _("That file has {size:.1f} MB; a workflow has at most {most} MB.", size=file.size / 2**20, most=most)
            )
        try:
            content = await file.read()
        except (nextcord.HTTPException, *TRANSIENT) as error:
            raise RequestRejected(_("That file cannot be read from Discord. Please attach it again.")) from error
        analysed = await self._workflows.analyse(content, person)
        stem = file.filename.rpartition(".")[0].replace("_", " ")
        stored = await self._workflows.save(analysed, name or stem[:MAX_NAME_CHARS], owner)
        return workflow_text(stored, analysed.engine, analysed.problems)


async def suggest_workflows(
    workflows: WorkflowService, interaction: nextcord.Interaction, typed: str, *, kinds: Collection[str] = tuple(WHOSE)
) -> None:
    """Answer an autocomplete with the names of what this person may draw with here."""
    needle = typed.casefold().strip()
    there = [item.name for item in await workflows.list(person_of(interaction)) if item.owner_kind in kinds]
    names = [name for name in there if needle in name.casefold()]
    await suggest(interaction, names)


def workflow_text(stored: StoredWorkflow, read_on: str = "", problems: Sequence[str] = ()) -> str:
    """Show what is lacking, what is taken from a request and where it goes, and how to correct that."""
    mapping = block(cut(joined("\n", (*problems, *stored.lines)), MAPPING_CHARS))
    head = f"🧩 **{escape(stored.name)}** · {WHOSE[stored.owner_kind]}" + (
        f" · ✅ {escape(read_on)}" if read_on else ""
    )
    lines = [
        head,
        f"```\n{mapping}\n```",
        _("Draw with it: `/generate prompt:a red fox workflow:{name}`", name=code(stored.name)),
    ]
    if stored.owner_kind != "easel":
        lines.append(
            _(
                "-# Something in the wrong place? `/workflow set name:{name} field:prompt value:6.text` "
                "puts the prompt there (node.input); the value `none` leaves it as it was exported. "
                "`field:option detail value:12.strength --range 0..2` makes an input the option `--detail`.",
                name=code(stored.name),
            )
        )
    return joined("\n", lines)


def changed_text(stored: StoredWorkflow, problems: Sequence[str] = ()) -> str:
    text = workflow_text(stored, problems=problems)
    return text + _("\n-# Pictures made from now on use this; 🎲 on an older one draws with what it had.")


def deleted_text(stored: StoredWorkflow) -> str:
    return _("✅ **{name}** is forgotten. Pictures made with it can still be re-rolled.", name=escape(stored.name))


def list_text(there: Sequence[StoredWorkflow]) -> str:
    """List names with whose they are; what does not fit is counted."""
    if not there:
        return _("No workflow yet. In ComfyUI choose *Workflow → Save*, then `/workflow add` with that file.")
    lines = [_("**Workflows** · draw with `--workflow NAME`")]
    for number, item in enumerate(there):
        line = f"🧩 {escape(item.name)} · {WHOSE[item.owner_kind]}"
        if len(joined("\n", [*lines, line])) > LIST_CHARS:
            lines.append(_("-# and {count} more", count=len(there) - number))
            break
        lines.append(line)
    return joined("\n", lines)
