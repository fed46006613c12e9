"""Looks: a style with a code that can be passed on, made from a picture or from words, for every engine.

A look is words, colours, LoRAs and a sampler, laid under what somebody says: engines that have none of its LoRAs draw
it without, and a remark says so. What somebody else keeps for themselves is as if not there.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from generation.errors import LimitReached, NotAllowed, RequestRejected
from generation.job import Job
from generation.look_codes import is_code, new_code
from generation.person import Person
from generation.request import Draft, Mode
from lazy import pattern
from services.drawing.styles import Style, share_of, weighed
from services.engines.catalog import Catalog
from services.pictures.media import MediaService
from store.looks import LookStore
from store.looks import SavedLook as SavedLook
from texts.text import _
from utils.clock import Clock
from utils.images import thumbnail
from utils.palettes import colour_name, main_colours
from utils.text import cut

MAX_LOOKS: Final = 200  # of one owner
MAX_NAME_CHARS: Final = 40
MAX_WORDS_CHARS: Final = 600
PICTURE_SIDE_PX: Final = 512
SHOWN_COLOURS: Final = 3
_PARTS: Final = pattern(r"\s*[,.;]\s+")


class LookService:
    """Makes, finds and lays them. Whether somebody manages a server is the door's to know: `is_manager`."""

    def __init__(self, *, store: LookStore, catalog: Catalog, media: MediaService, clock: Clock) -> None:
        self._store = store
        self._catalog = catalog
        self._media = media
        self._clock = clock

    async def looks(self, person: Person) -> list[SavedLook]:
        """Return a person's own and those of the server they are in."""
        return await self._store.of(_owners(person))

    async def look(self, person: Person, code: str) -> SavedLook:
        """Return one by its code, or by its name one of the person's or of the server.

        Raises:
            RequestRejected: there is none, or it is kept by somebody else, which is put the same way.
        """
        wanted = code.strip()
        found = await self._store.get(wanted.casefold()) if is_code(wanted.casefold()) else None
        if found is None or not (found.is_shared or found.owner in _owners(person)):
            named = (each for each in await self.looks(person) if each.name.casefold() == wanted.casefold())
            found = next(named, None)
        if found is None:
            raise RequestRejected(
                _("There is no look “{code}” for you.", code=cut(wanted, 40)),
                field="looks",
                hint=_("`/style list` shows yours and the server's."),
            )
        return found

    async def from_picture(self, person: Person, job: Job, index: int = 0) -> SavedLook:
        """Make a look of one picture of a job; of a private one it is its maker's alone until it is shared.

        Raises:
            RequestRejected: the picture is no longer kept, or is a video.
        """
        images = [image for image in job.result.images if not image.is_video] if job.result else []
        chosen = images[index : index + 1] or images[:1]
        media = await self._media.get(chosen[0].media_id) if chosen else None
        if media is None:
            raise RequestRejected(_("The picture is no longer kept here, so its look cannot be taken."), field="look")
        palette = await asyncio.to_thread(main_colours, media.data)
        small = await asyncio.to_thread(thumbnail, media.data, PICTURE_SIDE_PX)
        request = job.drawn
        draft = Draft(
            prompt=_manner_of(job.request.prompt),
            negative_prompt=request.negative_prompt or None,
            loras=request.loras,
            sampler=request.sampler,
            scheduler=request.scheduler,
        )
        name = cut(job.request.prompt, MAX_NAME_CHARS - 6) or _("a picture")
        return await self._add(person.user_key, str(name), draft, palette, small, is_shared=not job.origin.private)

    async def from_words(
        self, person: Person, name: str, words: str, *, for_server: bool = False, is_manager: bool = False
    ) -> SavedLook:
        """Make a style of words, the person's or, by people who manage it, the server's.

        Raises:
            RequestRejected: it has no words, or the name is taken.
            NotAllowed: the server's are for people who manage it.
        """
        name, words = " ".join(name.split()), " ".join(words.split())
        if not 1 <= len(name) <= MAX_NAME_CHARS or ":" in name:
            raise RequestRejected(
                _("The name of a style has 1 to {most} characters, and no colon.", most=MAX_NAME_CHARS), field="name"
            )
        if not 1 <= len(words) <= MAX_WORDS_CHARS:
            raise RequestRejected(_("A style has 1 to {most} characters.", most=MAX_WORDS_CHARS), field="words")
        owner = _checked_owner(person, is_manager=is_manager) if for_server else person.user_key
        if any(each.name.casefold() == name.casefold() for each in await self._store.of([owner])):
            raise RequestRejected(
                _("There is a style “{name}” already. Choose another name, or delete that first.", name=name),
                field="name",
            )
        return await self._add(owner, name, Draft(prompt=words), (), None, is_shared=True)

    async def from_style(self, person: Person, style: Style) -> SavedLook:
        """Make a look of a preset, which goes on as it is now; the same one again is the same look."""
        for look in await self._store.of([person.user_key]):
            if not look.palette and look.draft == Draft(prompt=style.value):
                return look
        name = cut(" ".join(style.name.replace(":", " ").split()), MAX_NAME_CHARS - 6)
        return await self._add(person.user_key, name, Draft(prompt=style.value), (), None, is_shared=True)

    async def share(self, person: Person, code: str) -> SavedLook:
        """Let everybody who has the code use a look of the person's."""
        look = await self.look(person, code)
        if look.owner != person.user_key:
            raise NotAllowed(_("Only its maker can share this look."))
        await self._store.share(look.code, is_shared=True)
        return replace(look, is_shared=True)

    async def delete(self, person: Person, code: str, *, is_manager: bool = False) -> SavedLook:
        """Delete the person's own, or as somebody who manages it the server's.

        Raises:
            NotAllowed: it is somebody else's.
        """
        look = await self.look(person, code)
        is_servers = look.owner == f"guild:{person.guild_id}" and is_manager
        if look.owner != person.user_key and not is_servers:
            raise NotAllowed(_("Only its maker, or for a server's who manages it, can delete this style."))
        await self._store.delete(look.code)
        return look

    async def picture(self, look: SavedLook) -> bytes | None:
        return await self._store.picture(look.code)

    async def laid(self, draft: Draft, person: Person) -> tuple[Draft, tuple[str, ...]]:
        """Lay the looks that a draft names under it, and the styles of this server and of the person.

        Raises:
            RequestRejected: there is no such look for this person.
        """
        if not (draft.looks or draft.styles):
            return draft, ()
        if draft.mode is Mode.RESTYLE:
            return await self._lent(draft, person), ()
        found = [(await self.look(person, name), weight) for name, weight in map(weighed, draft.looks)]
        own = {each.name.casefold(): each for each in await self.looks(person)} if draft.styles else {}
        styles = []
        for style in draft.styles:
            name, weight = weighed(style)
            if look := own.get(style.casefold()) or own.get(name.casefold()):
                found.append((look, weight if look.name.casefold() == name.casefold() else 1.0))
            else:
                styles.append(style)
        given = full = replace(draft, looks=(), styles=tuple(styles))
        for look, weight in found:
            full = _over(full, look, weight)
        return self._known(full, given, person)

    async def _lent(self, draft: Draft, person: Person) -> Draft:
        """Lend the picture of a look to what is painted in its style, which takes a picture and no words."""
        codes = [name for name, __ in map(weighed, draft.looks)]
        codes += [style for style in draft.styles if is_code(style.casefold())]
        if not codes:
            return draft
        rest = replace(draft, looks=(), styles=tuple(style for style in draft.styles if style not in codes))
        if draft.more_images:
            return rest
        look = await self.look(person, codes[0])
        picture = await self.picture(look)
        if picture is None:
            raise RequestRejected(
                _("The look “{code}” has no picture to paint like.", code=look.code),
                field="looks",
                hint=_("*Save look* under a picture makes one that has."),
            )
        return replace(rest, more_images=(await self._media.take_input(picture),))

    def _known(self, full: Draft, given: Draft, person: Person) -> tuple[Draft, tuple[str, ...]]:
        """Leave out what only the looks brought, beyond what was `given`, and no engine here has."""
        brought = Draft(
            loras=tuple(lora for lora in full.loras if lora not in given.loras),
            sampler=None if given.sampler else full.sampler,
            scheduler=None if given.scheduler else full.scheduler,
        )
        known, notes = self._catalog.without_unknown(brought, person)
        kept = replace(
            full,
            loras=given.loras + known.loras,
            sampler=given.sampler or known.sampler,
            scheduler=given.scheduler or known.scheduler,
        )
        return kept, tuple(_("the look: {note}", note=note) for note in notes)

    async def _add(
        self, owner: str, name: str, draft: Draft, palette: tuple[str, ...], picture: bytes | None, *, is_shared: bool
    ) -> SavedLook:
        if await self._store.count(owner) >= MAX_LOOKS:
            raise LimitReached(_("There are {most} styles, and that is the most. Delete one first.", most=MAX_LOOKS))
        while True:
            code = new_code()
            look = SavedLook(
                code=code, owner=owner, name=name, draft=draft, palette=palette, picture=picture, is_shared=is_shared
            )
            if await self._store.add(look, self._clock.now()):
                return look
            name = f"{cut(name, MAX_NAME_CHARS - 6)} {code}"  # a code may be taken, or another picture is called so


def words_of(look: SavedLook, weight: float = 1.0) -> str:
    """Return what a prompt gets of a look: its words and the names of its colours."""
    parts = [share_of(look.draft.prompt, weight)] if look.draft.prompt else []
    colours = [*dict.fromkeys(colour_name(colour) for colour in look.palette)][:SHOWN_COLOURS]
    if colours:
        parts.append(f"palette of {', '.join(colours)}")  # no text: words for an engine
    return ", ".join(parts)


def _over(draft: Draft, look: SavedLook, weight: float) -> Draft:
    words = words_of(look, weight)
    prompt = draft.prompt if not words or words in draft.prompt else ", ".join(filter(None, (draft.prompt, words)))
    taken = {lora.name for lora in draft.loras}
    loras = tuple(
        replace(lora, weight=round(lora.weight * weight, 3)) if weight != 1 else lora
        for lora in look.draft.loras
        if lora.name not in taken
    )
    under = replace(look.draft, prompt="", loras=())
    return replace(draft.over(under), prompt=prompt, loras=draft.loras + loras)


def _manner_of(prompt: str) -> str:
    """Return the words of a prompt about how it is drawn: what comes after its first part, which says what is."""
    parts = [part for part in _PARTS.split(prompt.strip(" .,;")) if part]
    kept: list[str] = []
    for part in parts[1:]:
        if sum(map(len, kept)) + len(part) <= MAX_WORDS_CHARS:
            kept.append(part)
    return ", ".join(kept)


def _owners(person: Person) -> list[str]:
    return [person.user_key, *([f"guild:{person.guild_id}"] if person.guild_id else [])]


def _checked_owner(person: Person, *, is_manager: bool) -> str:
    if not person.guild_id:
        raise RequestRejected(_("There is no server here, only you."), field="for_server")
    if not is_manager:
        raise NotAllowed(_("Only people who may manage this server change its styles."))
    return f"guild:{person.guild_id}"


def codes_of(looks: Iterable[SavedLook]) -> dict[str, str]:
    """Return the codes by what is shown of each in a list of suggestions."""
    return {f"{look.name} · {look.code}": look.code for look in looks}
