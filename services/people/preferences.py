"""Preferences of a person, a channel or a server: set in the words of a prompt, and told with where it comes from.

The person's own go before the channel's, those before the server's; what is said in a request goes before them all.
`services.drawing.choosing` lays them under each request; how answers are shown (`Habits`) is asked for by the doors.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from enum import StrEnum
from typing import Final

from generation.errors import NotAllowed, RequestRejected
from generation.fields import FIELDS, Kind
from generation.habits import HABITS, Habits, habit_text, take_habits
from generation.person import Person
from generation.prompt_syntax import format_prompt, parse_prompt
from generation.request import Draft, Mode
from lazy import dataclass
from store.preferences import NO_HABITS, PreferenceStore
from texts.text import _

_OF_ONE_PICTURE: Final = (Kind.SEED, Kind.WORKFLOW, Kind.EXTRA, Kind.FACTOR, Kind.CHOICE)
_IN_A_DRAFT: Final = frozenset(field.name for field in fields(Draft))
PREFERABLE: Final = frozenset(
    name
    for field in FIELDS
    if field.is_option and field.kind not in _OF_ONE_PICTURE and Mode.TXT2IMG in field.modes
    for name in (("width", "height") if field.kind is Kind.SIZE else (field.name,))
    if name in _IN_A_DRAFT - {"zoom"}
) | {"upscaler"}
SIZE: Final = frozenset({"width", "height", "aspect"})  # set and dropped together


class Scope(StrEnum):
    """For whom they hold."""

    ME = "me"
    CHANNEL = "channel"
    SERVER = "server"


@dataclass(frozen=True, kw_only=True)
class Preferred:
    """One of them, written as in a prompt. `is_used` is False where a nearer scope says otherwise."""

    name: str  # of the field or the habit
    text: str
    scope: Scope
    is_used: bool


class PreferenceService:
    """Reads and writes them. Whether somebody may set a server's is the door's to know: `is_manager`."""

    def __init__(self, store: PreferenceStore) -> None:
        self._store = store

    async def explain(self, person: Person) -> list[Preferred]:
        """Return what holds here for a person, the nearest scope first."""
        found: list[Preferred] = []
        taken: set[str] = set()
        for scope in Scope:
            if not (key := key_of(scope, person)):
                continue
            own = await self._store.get(key)
            names = [name for name in _said(own) if name != "height"]
            found += [
                Preferred(name=name, text=_written(own, name), scope=scope, is_used=not _alike(name) & taken)
                for name in names
            ]
            habits = (await self._store.habits(key)).given()
            found += [
                Preferred(name=name, text=habit_text(name, value), scope=scope, is_used=name not in taken)
                for name, value in habits.items()
            ]
            taken.update(names, habits)
        return found

    async def habits(self, person: Person) -> Habits:
        """Return how a person wants answers here: their own word, then the channel's, then the server's."""
        held = Habits()
        for habits in await self._store.each_habits(keys_of(person)):
            held = held.over(habits)
        return held

    async def add(
        self, person: Person, scope: Scope, text: str = "", *, habits: Habits = NO_HABITS, is_manager: bool = False
    ) -> None:
        """Set what a text says, `--steps 30 --size 768x512 --previews off`; what it does not say stays.

        `habits`: the same, said apart; they go before those in the text.

        Raises:
            RequestRejected: it says something that belongs to a single picture, or nothing.
            NotAllowed: see `reset`.
        """
        key = _allowed(scope, person, is_manager=is_manager)
        typed, text = take_habits(text)
        habits = habits.over(typed)
        parsed = parse_prompt(text)
        given = _said(parsed.draft)
        alone = Draft(**{name: getattr(parsed.draft, name) for name in given.keys() - PREFERABLE - {"prompt"}})
        if parsed.repeat > 1 or alone != Draft():
            options = format_prompt(alone) or "--repeat"
            raise _refused(_("{options} belongs to a single picture and cannot be kept.", options=options))
        if unread := "; ".join(parsed.notes) or parsed.draft.prompt:
            raise _refused(_("Settings are options, not a prompt: “{text}” cannot be kept.", text=unread))
        if not given and not habits.given():
            raise _refused(_("There is no option in this."))
        draft, held = await self._store.get(key), await self._store.habits(key)
        await self._store.set(key, parsed.draft.over(draft), habits.over(held))

    async def reset(
        self, person: Person, scope: Scope, options: Iterable[str] = (), *, is_manager: bool = False
    ) -> None:
        """Drop what is set in one scope: the named options (`steps`, `--ar`), or everything.

        Raises:
            RequestRejected: there is no such option, or no such scope here.
            NotAllowed: the channel's are for its moderators, the server's for people who manage it.
        """
        key = _allowed(scope, person, is_manager=is_manager)
        names = [name for option in options for name in _named(option)]
        if not names:
            await self._store.clear(key)
            return
        unset, dropped = Draft(), {name for name in names if name in HABITS}
        left = replace(await self._store.get(key), **{name: getattr(unset, name) for name in set(names) - dropped})
        habits = replace(await self._store.habits(key), **dict.fromkeys(dropped))
        await (self._store.set(key, left, habits) if _said(left) or habits.given() else self._store.clear(key))


def one_by_one(preferred: Draft) -> list[tuple[Draft, str]]:
    """Return each setting alone, width and height as one, and as it is written in a prompt."""
    names = [name for name in _said(preferred) if name != "height"]
    return [(_alone(preferred, name), _written(preferred, name)) for name in names]


def key_of(scope: Scope, person: Person) -> str:
    """Return where the store has what is preferred there; empty where there is no such scope."""
    if scope is Scope.ME:
        return f"user:{person.user_key}"
    if scope is Scope.CHANNEL:
        return f"channel:{person.channel_id}" if person.channel_id else ""
    return f"guild:{person.guild_id}" if person.guild_id else ""


def keys_of(person: Person) -> list[str]:
    """Return where the store has what a person prefers, and what is preferred where they are; the nearest first."""
    return [key for scope in Scope if (key := key_of(scope, person))]


def _allowed(scope: Scope, person: Person, *, is_manager: bool) -> str:
    key = key_of(scope, person)
    if not key or (scope is Scope.CHANNEL and not person.guild_id):
        raise RequestRejected(_("There is no server here, only you."), field="scope")
    if scope is Scope.CHANNEL and not (person.is_moderator or is_manager):
        raise NotAllowed(_("Only moderators of this channel change its settings."))
    if scope is Scope.SERVER and not is_manager:
        raise NotAllowed(_("Only people who may manage this server change its settings."))
    return key


def _refused(why: str) -> RequestRejected:
    return RequestRejected(why, field="options", hint=_("For example: `--steps 30 --size 768x512`"))


def _said(draft: Draft) -> dict[str, object]:
    return {field.name: value for field in fields(draft) if (value := getattr(draft, field.name)) not in (None, "", ())}


def _alike(name: str) -> set[str]:
    return set(SIZE) if name in SIZE else {name}


def _written(draft: Draft, name: str) -> str:
    return format_prompt(_alone(draft, name))


def _alone(draft: Draft, name: str) -> Draft:
    alike = {"width": ("width", "height")}.get(name, (name,))
    return Draft(**{each: getattr(draft, each) for each in alike})


def _named(option: str) -> set[str]:
    typed = option.lstrip("-—").casefold()
    if typed in HABITS:
        return {typed}
    for field in FIELDS:
        if typed in {field.name, field.option, *field.aliases} and (names := _fields_of(field.name) & PREFERABLE):
            return _alike(next(iter(names)))
    raise RequestRejected(
        _("“{option}” is not a setting.", option=option), field="options", hint=_("`/settings show` lists them.")
    )


def _fields_of(name: str) -> set[str]:
    return {"width", "height"} if name == "size" else {name}
