"""One function for every text that people read: `_("{name} is not here.", name=name)`.

A `Text` is the English sentence, or its translation where it is made for a reader with another language, and keeps what
it was made of: its template, which is the code of the message, and its named values. Whoever shows a text from further
down (an error, a note) asks `render` for it, so it may be made long before it is known who reads it.

A catalog is what `gettext` has: `gettext.GNUTranslations` is one, so translations come as .po and .mo files.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from string import Formatter
from typing import Any, Final, Protocol, Self, SupportsIndex

Value = str | int | float
PHRASE: Final = "phrase"  # "{reason:phrase}": a sentence inside another loses its full stop
FIRST: Final = "first"  # "{reason:first}": the first sentence of several, without its full stop
CAPITAL: Final = "capital"  # "{what:capital}": the first letter of a sentence


class TextCatalog(Protocol):
    """The templates of one language by the English ones."""

    def gettext(self, message: str, /) -> str: ...
    def ngettext(self, msgid1: str, msgid2: str, n: int, /) -> str: ...


_reader: ContextVar[TextCatalog | None] = ContextVar("reader", default=None)  # None: English


class Text(str):
    """A sentence for people that keeps its template and its values. Plain `str` methods give plain texts."""

    template: str
    plural: str  # the template for any other number than one, empty if it has no number
    values: Mapping[str, Value]
    catalog: TextCatalog | None

    def __new__(cls, template: str, values: Mapping[str, object], plural: str = "") -> Self:
        """Format the template in the language of who reads here. What is no text and no number is told by its `str`.

        Raises:
            ValueError: the template's names and the values differ.
        """
        for wanted in filter(None, (template, plural)):
            if (names := fields_of(wanted)) != values.keys() and not (plural and names <= values.keys()):
                raise ValueError(f"{wanted!r} does not fit the values {sorted(values)}")
        catalog = _reader.get()
        plain = {name: v if isinstance(v, str | int | float) else str(v) for name, v in values.items()}
        text = super().__new__(cls, _formatted(template, plain, plural, catalog))
        text.template, text.plural, text.values, text.catalog = template, plural, plain, catalog
        return text

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.template, self.values, self.plural

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return Text, self.__getnewargs__()  # nothing else: a copy is read by whoever it was copied for

    def __str__(self) -> str:
        return render(self)

    def __add__(self, other: str) -> str:
        return joined("", (self, other))

    def __radd__(self, other: str) -> str:
        return joined("", (other, self))

    def __format__(self, spec: str) -> str:
        return _field(render(self), spec)


def _(template: str, /, **values: object) -> str:
    """Return a sentence for people. The template is a literal; `{name}` stands for a value, `{{` for a brace."""
    return Text(template, values)


def template(sentence: str, /) -> str:
    """Return the template of a sentence whose values come later: `Text(sentence, values)` makes it."""
    return sentence


def _n(singular: str, plural: str, /, *, count: int, **values: object) -> str:
    """Return a sentence about `{count}` things."""
    return Text(singular, {"count": count, **values}, plural)


def joined(separator: str, parts: Iterable[str]) -> str:
    """Return texts one after the other as a text; each stays translatable."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Text(separator.replace("{", "{{").replace("}", "}}").join(f"{{{name}}}" for name in values), values)


def phrase(text: str) -> str:
    """Return a sentence without its full stop, to stand inside another."""
    return Text("{text:phrase}", {"text": text})


@contextmanager
def reading(catalog: TextCatalog | None) -> Iterator[None]:
    """Make and render the texts of this context, and of the tasks it starts, in the language of a catalog."""
    token = _reader.set(catalog)
    try:
        yield
    finally:
        _reader.reset(token)


def render(text: str) -> str:
    """Return a text in the language of who reads here; what is no `Text` stays as it is."""
    return _rendered(text, _reader.get())


def english(text: str) -> str:
    """Return a text as the code has it: for the log, the store, and where texts are compared."""
    return _rendered(text, None)


def with_values(text: Text, values: Mapping[str, Value]) -> Text:
    """Return the same text with other values."""
    return Text(text.template, values, text.plural)


def text_to_json(text: str) -> str | dict[str, Any]:
    """Return what stores a text so that it stays translatable: its English words and what it was made of."""
    if not isinstance(text, Text):
        return text
    values = {name: text_to_json(value) if isinstance(value, str) else value for name, value in text.values.items()}
    stored = {"text": english(text), "template": text.template, "values": values}
    return stored | {"plural": text.plural} if text.plural else stored


def text_from_json(stored: Any) -> str:
    """Read such a text; what another version cannot make again stays in English."""
    if not isinstance(stored, dict):
        return str(stored)
    try:
        values = {name: text_from_json(v) if isinstance(v, str | dict) else v for name, v in stored["values"].items()}
        return Text(stored["template"], values, stored.get("plural", ""))
    except (AttributeError, KeyError, TypeError, ValueError):
        return str(stored.get("text", ""))


@lru_cache(maxsize=4096)
def fields_of(template: str) -> frozenset[str]:
    """Return the names of the values in a template.

    Raises:
        ValueError: it is not well formed, or asks for more than a name and a format.
    """
    names = set()
    for _literal, name, spec, conversion in _parsed(template):
        if name is None:
            continue
        if not name.isidentifier() or conversion or "{" in (spec or ""):
            raise ValueError(f"{template!r}: a field is a name and perhaps a format")
        names.add(name)
    return frozenset(names)


@lru_cache(maxsize=4096)
def _parsed(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(template))


@lru_cache(maxsize=4096)
def _has_words(template: str) -> bool:
    return any(character.isalpha() for literal, *_rest in _parsed(template) for character in literal)


def _rendered(text: str, catalog: TextCatalog | None) -> str:
    if not isinstance(text, Text):
        return text
    if text.catalog is catalog:
        return str.__str__(text)
    return _formatted(text.template, text.values, text.plural, catalog)


def _formatted(template: str, values: Mapping[str, Value], plural: str, catalog: TextCatalog | None) -> str:
    source = plural if plural and values["count"] != 1 else template
    if catalog is None or not _has_words(template):
        return _filled(source, values, catalog)
    number = int(values["count"]) if plural else 0
    translated = catalog.ngettext(template, plural, number) if plural else catalog.gettext(template)
    try:
        return _filled(translated, values, catalog)
    except (KeyError, ValueError):  # a translation that asks for other values
        return _filled(source, values, catalog)


def _filled(template: str, values: Mapping[str, Value], catalog: TextCatalog | None) -> str:
    parts: list[str] = []
    for literal, name, spec, _conversion in _parsed(template):
        parts.append(literal)
        if name is not None:
            value = values[name]
            parts.append(_field(_rendered(value, catalog) if isinstance(value, str) else value, spec or ""))
    return "".join(parts)


def _field(value: Value, spec: str) -> str:
    if spec == PHRASE:
        return str(value).rstrip(". ")
    if spec == FIRST:
        return str(value).split(". ")[0].rstrip(".")
    if spec == CAPITAL:
        return str(value)[:1].upper() + str(value)[1:]
    return str.__format__(value, spec) if isinstance(value, str) else format(value, spec)
