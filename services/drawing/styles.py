"""Style presets: words that are appended to a prompt. Built-in ones, and the owner's in DATA_DIR/styles.json.

Both files are lists of {"id", "name", "description", "value"}; an own style replaces a built-in one of the same id.

    styles() -> tuple[Style, ...]                            style(style_id) -> Style
    apply(prompt, style_ids) -> str                          split(names) -> (ours, the rest)
    save(person, Style) -> Style                             delete(person, style_id)
"""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from generation.errors import LimitReached, NotAllowed, RequestRejected, StoreUnavailable
from generation.person import Person
from lazy import dataclass, pattern
from texts.text import _
from utils.text import cut

log = logging.getLogger(__name__)

BUILT_IN: Final = Path(__file__).with_name("styles.json")
FILE_NAME: Final = "styles.json"
MAX_OWN_STYLES: Final = 200
MAX_STYLES_AT_ONCE: Final = 5
LEAST_WEIGHT: Final = 0.1
_WEIGHED: Final = pattern(r"(?P<name>.+?)\s*:\s*(?P<weight>\d*[.,]?\d+)")
_PHRASES: Final = pattern(r"\s*,\s*")


@dataclass(frozen=True, kw_only=True)
class Style:
    """One preset; `value` is what a prompt gets."""

    id: str
    name: str
    description: str = ""
    value: str
    is_built_in: bool = False


class _StyleText(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    name: str = Field(min_length=1, max_length=80)
    description: str = Field(default="", max_length=500)
    value: str = Field(min_length=1, max_length=1000)


_STYLES: Final = TypeAdapter(list[_StyleText])
_RIGHT: Final = {
    "id": _("1 to 40 of a-z, 0-9, - and _, like oil-painting"),
    "name": "1 to 80 characters",
    "description": _("at most 500 characters"),
    "value": "1 to 1000 characters",
}


class StyleService:
    """Own styles are read again whenever their file has changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._built_in: dict[str, Style] = {}
        self._own: dict[str, Style] = {}
        self._read_at: int | None = None  # the file's own time, in ns
        self._is_broken = False
        self._turn = asyncio.Lock()

    async def styles(self) -> tuple[Style, ...]:
        """Return all styles by name."""
        async with self._turn:
            await self._read()
        return tuple(sorted(self._all().values(), key=lambda style: style.name.casefold()))

    async def style(self, style_id: str) -> Style:
        """Return one.

        Raises:
            RequestRejected: there is none; the nearest is named.
        """
        styles = {style.id: style for style in await self.styles()}
        called = {name.casefold(): style for style in styles.values() for name in _names_of(style)}
        wanted = style_id.strip().casefold()
        if wanted in called:
            return called[wanted]
        near = get_close_matches(wanted, styles, n=1)
        hint = _("Did you mean {near}?", near=near[0]) if near else _("Available: {styles}.", styles=", ".join(styles))
        raise RequestRejected(
            _("There is no style “{style_id}”.", style_id=cut(style_id, 40)), field="style", hint=hint
        )

    async def apply(self, prompt: str, style_ids: Iterable[str]) -> str:
        """Return a prompt with the words of these styles behind it; what is in it already is not said twice.

        `id:0.7` takes so much of a style's phrases.
        """
        wanted = [*dict.fromkeys(style_ids)]
        if len(wanted) > MAX_STYLES_AT_ONCE:
            raise RequestRejected(
                _("Use at most {most} styles at once.", most=MAX_STYLES_AT_ONCE),
                field="style",
            )
        for name in wanted:
            style_id, weight = weighed(name)
            value = share_of((await self.style(style_id)).value, weight)
            if value not in prompt:
                prompt = f"{prompt}, {value}" if prompt else value
        return prompt

    async def split(self, names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the ids of those that are presets here, by id or by name, and the others, which an engine may have."""
        known = {key.casefold(): style.id for style in await self.styles() for key in _names_of(style)}
        ours, others = list[str](), list[str]()
        for name in dict.fromkeys(names):
            plain, weight = weighed(name)
            if name.casefold() in known:
                ours.append(known[name.casefold()])
            elif plain.casefold() in known:
                ours.append(f"{known[plain.casefold()]}:{weight:g}")
            else:
                others.append(name)
        return tuple(ours), tuple(others)

    async def save(self, person: Person, style: Style) -> Style:
        """Store an own style in place of one of the same id; for admins.

        Raises:
            RequestRejected: a value cannot be.
        """
        _check_admin(person)
        saved = _checked(style)
        async with self._turn:
            await self._read()
            if saved.id not in self._own and len(self._own) >= MAX_OWN_STYLES:
                raise LimitReached(
                    _(
                        "There are {most} own styles, the maximum. Delete one first.",
                        most=MAX_OWN_STYLES,
                    )
                )
            await self._write(self._own | {saved.id: saved})
        return saved

    async def delete(self, person: Person, style_id: str) -> None:
        """Delete an own style; a built-in one of the same id comes back. For admins."""
        _check_admin(person)
        async with self._turn:
            await self._read()
            if style_id not in self._own:
                raise RequestRejected(
                    _("There is no style of your own called “{style_id}”.", style_id=cut(style_id, 40)), field="style"
                )
            await self._write({name: style for name, style in self._own.items() if name != style_id})

    def _all(self) -> dict[str, Style]:
        return self._built_in | self._own

    async def _read(self) -> None:
        if not self._built_in:
            self._built_in = await asyncio.to_thread(_load, BUILT_IN, is_built_in=True)
        changed_at = await asyncio.to_thread(_changed_at, self._path)
        if changed_at == self._read_at:
            return
        self._read_at, self._is_broken = changed_at, False
        if changed_at is None:
            self._own = {}
            return
        self._is_broken = True
        try:
            self._own = await asyncio.to_thread(_load, self._path, is_built_in=False)
            self._is_broken = False
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors()[0]["loc"])
            log.warning(
                "%s cannot be read: look at %s. It must be a list of id, name, description and value.",
                FILE_NAME,
                where or "its JSON",
                extra={"action": "styles_failed"},
            )
        except (OSError, UnicodeDecodeError) as error:
            log.warning("%s cannot be read: %s", FILE_NAME, error, extra={"action": "styles_failed"})

    async def _write(self, own: dict[str, Style]) -> None:
        if self._is_broken:  # what somebody wrote by hand must not be lost over a comma
            raise StoreUnavailable(
                _("{file_name} cannot be read, so it is left as it is. Repair or remove it.", file_name=FILE_NAME)
            )
        try:
            await asyncio.to_thread(_store, self._path, own)
        except OSError as error:
            log.warning("%s cannot be written: %s", FILE_NAME, error, extra={"action": "styles_failed"})
            raise StoreUnavailable(_("The style cannot be stored: the disk is full or read-only.")) from error
        self._own, self._read_at = own, await asyncio.to_thread(_changed_at, self._path)


def _names_of(style: Style) -> tuple[str, ...]:
    """Return what people call it."""
    return (f"{style.name} style", style.id.replace("-", " "), style.name, style.id)  # no text: names


def weighed(name: str) -> tuple[str, float]:
    """Read `cyberpunk:0.7`, a style and how much of it.

    Raises:
        RequestRejected: more than all of it, or nearly nothing.
    """
    match = _WEIGHED.fullmatch(name.strip())
    if match is None:
        return name, 1.0
    weight = float(match["weight"].replace(",", "."))
    if not LEAST_WEIGHT <= weight <= 1:
        raise RequestRejected(
            _("A style's weight is {least:g} to 1, not {weight:g}.", least=LEAST_WEIGHT, weight=weight),
            field="styles",
            hint=_("For example: {example}", example="--style cyberpunk:0.7"),
        )
    return match["name"], weight


def share_of(words: str, weight: float) -> str:
    """Return so much of a style's phrases, from the first on, at least one; understood by every engine."""
    phrases = _PHRASES.split(words)
    return words if weight >= 1 else ", ".join(phrases[: max(1, round(len(phrases) * weight))])


def _check_admin(person: Person) -> None:
    if not person.is_admin:
        raise NotAllowed(_("Only admins may change styles, since everybody sees them."))


def _checked(style: Style) -> Style:
    try:
        text = _StyleText(id=style.id, name=style.name, description=style.description, value=style.value)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        raise RequestRejected(
            _("The style's {field} must be {allowed}.", field=field, allowed=_RIGHT[field]), field=field
        ) from error
    return Style(**text.model_dump())


def _load(path: Path, *, is_built_in: bool) -> dict[str, Style]:
    styles = _STYLES.validate_json(path.read_bytes())
    return {style.id: Style(**style.model_dump(), is_built_in=is_built_in) for style in styles}


def _store(path: Path, own: dict[str, Style]) -> None:
    """Replace the file in one step, so that a crash leaves the old one or the new one."""
    lines = [{name: value for name, value in asdict(style).items() if name != "is_built_in"} for style in own.values()]
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(json.dumps(lines, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)


def _changed_at(path: Path) -> int | None:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
