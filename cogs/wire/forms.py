"""Forms (modals) with labels, menus, radio buttons, checkboxes and files, the same on nextcord 2.6 and 3.2.

A form is a value, so a test reads it without Discord:

    form = Form(
        title=_("Rules of this server"),
        custom_id=make_id("ruled", "-"),  # the route that reads it, with `takes_forms=True` (`cogs.presses`)
        fields=(
            TextField(name="words", label=_("Never draw"), is_long=True, is_required=False),
            SelectField(name="size", label=_("Largest size"), choices=(Choice(label="1024", value="1024"), ...)),
            PickField(name="roles", label=_("Who may draw"), kind="role", most=5, is_required=False),
            UploadField(name="picture", label=_("Picture"), is_required=False),
            RadioField(name="nsfw", label=_("Where"), choices=(...)),
            CheckField(name="spoiler", label=_("Hide every picture"), is_checked=True),
        ),
    )
    await open_form(interaction, form)  # only as the first answer, and never to a form

and in the handler of its route:

    filled = filled_in(interaction)
    filled.text("words"), filled.choice("size"), filled.choices("roles"), filled.is_checked("spoiler")
    filled.files("picture")  # `address_of` of `cogs.attachments` gives what an order holds

At most five fields. What comes back may be forged: a choice that was not offered, a file of any kind, a field that is
not there. Check a choice against your list; a field that is missing reads as empty.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import nextcord

from cogs.plain import label
from cogs.wire.fields import FormField, FormText
from lazy import dataclass

MAX_TITLE: Final = 45
MAX_FIELDS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form as a value. `custom_id` comes back with what was filled in."""

    title: str
    custom_id: str
    fields: tuple[FormField | FormText, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.fields) <= MAX_FIELDS:
            raise ValueError(f"{self.custom_id}: {len(self.fields)} fields, Discord takes 1 to {MAX_FIELDS}")

    def payload(self) -> dict[str, Any]:
        components = [entry.payload() for entry in self.fields]
        return {"title": label(self.title, MAX_TITLE), "custom_id": self.custom_id, "components": components}


@dataclass(frozen=True, kw_only=True)
class UploadedFile:
    """A file that was put into a form; its bytes lie at `url` for about a day."""

    id: str
    filename: str
    url: str
    size: int
    content_type: str = ""


class FilledForm:
    """The answers of a person to a form, by the names of its fields."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._items = {str(item.get("custom_id")): item for item in _items(data.get("components"))}
        resolved = data.get("resolved") or {}
        self._files: Mapping[str, Any] = resolved.get("attachments") or {}

    def text(self, name: str) -> str:
        """Return what was written, "" where nothing was."""
        value = self._items.get(name, {}).get("value")
        return value if isinstance(value, str) else ""

    def texts(self) -> dict[str, str]:
        """Return what was written in all fields for text, and what single choices stand for."""
        return {name: self.choice(name) for name in self._items}

    def choices(self, name: str) -> tuple[str, ...]:
        """Return what was chosen, ticked or picked; of users, roles and channels that is their ids."""
        values = self._items.get(name, {}).get("values")
        return tuple(map(str, values)) if isinstance(values, list) else ()

    def choice(self, name: str) -> str:
        """Return the one choice of a menu or of radio buttons, "" where there is none."""
        return next(iter(self.choices(name)), self.text(name))

    def is_checked(self, name: str) -> bool:
        return self._items.get(name, {}).get("value") is True

    def files(self, name: str) -> tuple[UploadedFile, ...]:
        found = (self._files.get(file_id) for file_id in self.choices(name))
        return tuple(_file(raw) for raw in found if isinstance(raw, Mapping))


def filled_in(interaction: nextcord.Interaction) -> FilledForm:
    """Read a form that was sent from the interaction itself, never from an object shared by all users."""
    data: Any = interaction.data
    return FilledForm(data or {})


async def open_form(interaction: nextcord.Interaction, form: Form) -> None:
    """Answer with a form. It must be the first answer, and cannot be one to a form."""
    await interaction.response.send_modal(_Modal(form))


class _Modal(nextcord.ui.Modal):
    """nextcord's form with a payload of ours; it has no items, since 2.6 knows no other than text."""

    def __init__(self, form: Form) -> None:
        super().__init__(label(form.title, MAX_TITLE), timeout=None, custom_id=form.custom_id, auto_defer=False)
        self._payload = form.payload()
        self.stop()  # what is filled in reaches us through a listener; the library must not keep every form shown

    def to_components(self) -> list[Any]:
        components: list[Any] = self._payload["components"]
        return components

    def to_dict(self) -> dict[str, Any]:
        return self._payload


def _items(components: Any) -> Iterator[Mapping[str, Any]]:
    """Yield what was filled in; forms of older versions stand in rows."""
    for row in components if isinstance(components, list) else ():
        if isinstance(row.get("component"), Mapping):
            yield row["component"]
        yield from (item for item in row.get("components") or () if isinstance(item, Mapping))


def _file(raw: Mapping[str, Any]) -> UploadedFile:
    return UploadedFile(
        id=str(raw.get("id", "")),
        filename=str(raw.get("filename", "")),
        url=str(raw.get("url", "")),
        size=int(raw.get("size") or 0),
        content_type=str(raw.get("content_type") or ""),
    )
