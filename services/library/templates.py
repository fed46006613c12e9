"""Prompts saved for another time: your own, and those that others share.

templates(person) -> list[PromptTemplate]                popular(limit=20) -> list[PromptTemplate]
template(person, template_id) -> PromptTemplate          use(person, template_id) -> PromptTemplate (counted)
create(person, TemplateText(...)) -> PromptTemplate      change(person, template_id, TemplateText(...))
delete(person, template_id) -> None
"""

import secrets
from dataclasses import asdict, replace
from typing import Final

from constants import MAX_PROMPT_CHARS
from generation.errors import LimitReached, NotAllowed, RequestRejected
from generation.person import Person
from generation.policy import may_change_prompt, may_remove
from lazy import dataclass
from services.library.gallery import checked_description, checked_name
from store.templates import PromptTemplate as PromptTemplate
from store.templates import TemplateStore
from texts.text import _
from utils.clock import Clock
from utils.text import cut

MAX_TEMPLATES: Final = 200  # of one person
MAX_POPULAR: Final = 100


@dataclass(frozen=True, kw_only=True)
class TemplateText:
    """A person's description of a template; all of it replaces what was said before."""

    name: str
    prompt: str
    negative_prompt: str = ""
    description: str = ""
    is_shared: bool = False


class TemplateService:
    """A template is its maker's; a shared one everybody may read and use. Admins may delete any."""

    def __init__(self, *, store: TemplateStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def templates(self, person: Person) -> list[PromptTemplate]:
        """Return the person's own by name, then the shared ones."""
        return await self._store.visible(person.user_key)

    async def popular(self, limit: int = 20) -> list[PromptTemplate]:
        """Return the shared templates that are used most."""
        if not 1 <= limit <= MAX_POPULAR:
            raise RequestRejected(
                _("Ask for 1 to {most} templates, not {limit}.", most=MAX_POPULAR, limit=limit),
                field="limit",
            )
        return await self._store.popular(limit)

    async def template(self, person: Person, template_id: str) -> PromptTemplate:
        """Return one.

        Raises:
            RequestRejected: there is none that this person may see.
        """
        found = await self._store.get(person.user_key, template_id)
        if found is None:
            raise _unknown(template_id)
        return found

    async def use(self, person: Person, template_id: str) -> PromptTemplate:
        """Return a template that is used now; that is counted."""
        found = await self._store.use(person.user_key, template_id, self._clock.now())
        if found is None:
            raise _unknown(template_id)
        return found

    async def create(self, person: Person, text: TemplateText) -> PromptTemplate:
        values = asdict(_checked(text))
        if await self._store.count(person.user_key) >= MAX_TEMPLATES:
            raise LimitReached(
                _(
                    "You have {most} templates, the maximum. Delete one first.",
                    most=MAX_TEMPLATES,
                )
            )
        made = await self._store.add(person.user_key, secrets.token_hex(8), values, self._clock.now())
        if made is None:
            raise _taken(values["name"])
        return made

    async def change(self, person: Person, template_id: str, text: TemplateText) -> PromptTemplate:
        """Replace your own template; what it was used is counted on."""
        values = asdict(_checked(text))
        if not may_change_prompt(person, (await self.template(person, template_id)).user_key):
            raise NotAllowed(_("Only its maker may change this template. Save one of your own."))
        changed = await self._store.change(person.user_key, template_id, values, self._clock.now())
        if changed is None:
            raise _taken(values["name"])
        return changed

    async def delete(self, person: Person, template_id: str) -> None:
        owner = (await self.template(person, template_id)).user_key
        if not may_remove(person, owner) or not await self._store.delete(owner, template_id):
            raise NotAllowed(_("Only its maker and admins may delete this template."))


def _checked(text: TemplateText) -> TemplateText:
    text = replace(
        text,
        name=checked_name(text.name),
        prompt=text.prompt.strip(),
        negative_prompt=text.negative_prompt.strip(),
        description=checked_description(text.description),
    )
    if not text.prompt:
        raise RequestRejected(_("A template needs a prompt."), field="prompt")
    for field, value in (("prompt", text.prompt), ("negative_prompt", text.negative_prompt)):
        if len(value) > MAX_PROMPT_CHARS:
            raise RequestRejected(
                _(
                    "A prompt has at most {most} characters, this one {count}.",
                    most=MAX_PROMPT_CHARS,
                    count=len(value),
                ),
                field=field,
            )
    return text


def _unknown(template_id: str) -> RequestRejected:
    return RequestRejected(_("There is no template {template_id}.", template_id=cut(template_id, 30)), field="template")


def _taken(name: str) -> RequestRejected:
    return RequestRejected(_("You have a template “{name}” already. Choose another name.", name=name), field="name")
