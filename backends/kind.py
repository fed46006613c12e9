"""Facts about a kind of engine: one frozen value, defined in the engine's own folder as `KIND`.

Settings, `/sdconnect`, the studio's form, the test of a connection and the docs are made from it, so that an engine
needs nothing outside its folder.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from importlib import import_module
from typing import Any, Final, Literal

from backends.base import Backend, BackendConfig, ClosablePictureCheck
from generation.request import Mode
from lazy import dataclass
from texts.text import _
from utils.provenance import TRAINED

Make = Callable[[BackendConfig], Backend]
ON: Final = frozenset({"1", "true", "yes", "on"})
OFF: Final = frozenset({"0", "false", "no", "off"})
MAX_NUMBER: Final = 100_000
MAX_NAME_CHARS: Final = 40

OptionType = Literal["text", "switch", "number", "seconds", "choice"]
KeyUse = Literal["proxy", "bearer", "apikey", "login"]


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting of a kind beyond those that every engine has: `recover` is `GPU1_RECOVER`.

    `default` is in words, for the docs. A choice takes one of `choices`, a list (`is_list`) several, with commas
    between. Numbers are whole and from `low` to `high`; seconds may be parts of one.
    """

    name: str
    help: str
    type: OptionType = "text"
    default: str = ""
    low: float = 1
    high: float = MAX_NUMBER
    choices: tuple[str, ...] = ()
    is_list: bool = False

    @property
    def rule(self) -> str:
        """Return what a value must be, in words."""
        if self.type == "switch":
            return _("yes or no")
        if self.type == "choice":
            listed = _("{choices} or {last}", choices=", ".join(self.choices[:-1]), last=self.choices[-1])
            return _("{listed}, with commas between", listed=listed) if self.is_list else listed
        if self.type in {"number", "seconds"}:
            unit = _("a whole number") if self.type == "number" else _("a number of seconds")
            return _("{unit}, {low:g} to {high:g}", unit=unit, low=self.low, high=self.high)
        return _("a text")

    def accepts(self, value: str) -> bool:
        """Return whether the engine can read a value."""
        text = value.strip()
        if self.type == "switch":
            return text.lower() in ON | OFF
        if self.type == "choice":
            words = [word.strip() for word in text.split(",")] if self.is_list else [text]
            return all(word in self.choices or word.lower() in self.choices for word in words)
        if self.type == "number":
            return re.fullmatch(r"[0-9]{1,9}", text) is not None and self.low <= int(text) <= self.high
        if self.type == "seconds":
            return re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) is not None and self.low <= float(text) <= self.high
        return True


@dataclass(frozen=True, kw_only=True)
class Product:
    """The product that answers at an address. `kind` is the backend kind that can speak to it, empty if none could."""

    name: str
    version: str = ""
    kind: str = ""
    has_api: bool = True  # False: its API has to be switched on first

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}".strip()


def clean_name(text: str) -> str:
    """Return a foreign server's own words, safe to show: printable, short, no markup."""
    return "".join(sign for sign in text if sign.isalnum() or sign in " .-+()")[:MAX_NAME_CHARS].strip()


@dataclass(frozen=True, kw_only=True)
class Sign:
    """The sign of a kind: what the body of a 200 answer at `path` says, None if it is another product's.

    A late one is asked only where no early one answered. `read` runs in a thread and must not raise.
    """

    path: str
    read: Callable[[bytes], Product | None]
    is_late: bool = False


def made_by(place: str) -> Make:
    """Return what makes instances of the class at "module:Class"; the module is loaded with the first of them.

    Most people use one kind of engine, and what the others need would cost every start time and memory.
    """

    def make(config: BackendConfig) -> Backend:
        module, __, name = place.partition(":")
        backend: Backend = getattr(import_module(module), name)(config)
        return backend

    return make


@dataclass(frozen=True, kw_only=True)
class CheckKind:
    """A check of finished pictures: its maker, whether its packages are there, and the way to get them."""

    make: Callable[[], ClosablePictureCheck]
    is_there: Callable[[], bool]
    absent_hint: str


@dataclass(frozen=True, kw_only=True)
class EngineKind:
    """One kind of engine.

    `title` stands alone in lists ("AI Horde"), `noun` in a sentence ("an AI Horde"). `labels` are the words that people
    may type for it, each with what such a connection is called; `form` is the one that the studio's form sends, the
    first if it is empty. `paths` below are without the ends in `cut`, which people type too.
    """

    name: str
    title: str
    noun: str
    make: Make
    labels: Mapping[str, str] = field(default_factory=dict)
    also: frozenset[str] = frozenset()  # more words for it, which no list shows
    form: str = ""
    help: str = ""  # one or two sentences for the studio's form
    example: str = ""  # an address as people type it
    options: tuple[Option, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)  # other names of its settings: "ACME_API_KEY": "key"

    check_path: str = "/"  # answers at every server of this kind
    models_path: str = ""  # a list, one item a model
    models_in: str = ""  # the name under which that answer holds the list, where it is no list itself
    account_path: str = ""  # answers only a key that is known
    public_url: str = ""  # used where no address is given
    addresses: Mapping[str, str] = field(default_factory=dict)  # of words that stand for another; empty: for none
    local_url: str = ""  # the same, for a kind that is on this machine
    cut: tuple[str, ...] = ()
    port: int = 443
    local_ports: tuple[int, ...] = ()  # where it is looked for on this machine
    signs: tuple[Sign, ...] = ()

    key_use: KeyUse = "proxy"
    needs_key: bool = False
    key_header: str = "apikey"  # the header of a key that has one of its own
    key_prefix: str = ""  # what stands before the key in that header
    anonymous_key: str = ""  # sent where there is none
    refuses_keys_as_bad: bool = False  # it answers a wrong one with 400, a bad request
    start_hint: str = _("Start it, and check the port in the address.")
    key_hint: str = _("Connect again with the user:password or token of the proxy in front of it.")
    api_off_hint: str = ""  # where a page without the API means that it has to be switched on
    no_models: str = _("has no models.")
    no_models_hint: str = _("Put a checkpoint into its models folder and test again.")

    is_inside: bool = False  # a part of this process: it is at no address
    is_fallback: bool = False  # there without any setting, and used only when there is nothing else
    fills: frozenset[Mode] = frozenset()  # of a fallback: what it does wherever no other engine can
    finishes_with: frozenset[Mode] = (
        frozenset()
    )  # there where others fill these: it takes what a fallback draws further
    is_there: Callable[[], bool] = lambda: True  # False: packages that it needs are not installed
    # given its options: True where it is there without any setting, as an engine like those that are set; may block
    comes_with: Callable[[Mapping[str, str]], bool] = lambda options: False
    absent_hint: str = ""  # how to get it then, for people whose engines lack what it does
    check: CheckKind | None = None  # of one that can also look at finished pictures
    # of one whose models Easel fetches: given its options, the hub's address and a token, what keeps them
    keep_models: Callable[[Mapping[str, str], str, str], Any] | None = None
    is_flux_app: bool = False
    source_type: str = TRAINED  # how IPTC calls what its pictures come from

    @property
    def is_hosted(self) -> bool:
        """Return whether it is a service with an address that everybody knows."""
        return bool(self.public_url)

    @property
    def needs_address(self) -> bool:
        """Return whether it is nowhere until an address is set."""
        return not (self.public_url or self.local_url or self.is_inside)

    @property
    def is_connectable(self) -> bool:
        """Return whether people may bring one of their own."""
        return bool(self.labels)

    @property
    def typed(self) -> str:
        """Return what the studio's form sends for it."""
        return self.form or next(iter(self.labels), self.name)

    @property
    def word(self) -> str:
        """Return what to call it where people type it: its name if that is one of the words for it."""
        return self.name if self.name in self.labels else self.typed

    def address_for(self, word: str) -> str:
        """Return where what people mean by a word is, empty if that is nowhere until an address is given."""
        return self.addresses.get(word.strip().lower(), self.public_url)

    @property
    def key_variable(self) -> str:
        """Return what its key is called in `.env`: the name that people know it by, else our own."""
        known = (variable for variable, setting in self.variables.items() if setting == "key")
        return next(known, f"{self.name.upper()}_KEY")

    def option(self, name: str) -> Option | None:
        return next((option for option in self.options if option.name == name), None)


def option_of(options: Mapping[str, str], name: str, default: str = "") -> str:
    """Return what was set for an option, in lower case and without blanks at its ends."""
    return options.get(name, "").strip().lower() or default


def is_on(options: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    """Return a switch."""
    text = option_of(options, name)
    return text in ON if text in ON | OFF else default


def number_of(options: Mapping[str, str], name: str, default: int) -> int:
    """Return a whole number; anything else there leaves the default."""
    text = option_of(options, name)
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else default


def max_side(default: str) -> Option:
    return Option(
        name="max_side", type="number", low=64, default=default, help=_("longest side in pixels that is accepted")
    )


def max_batch() -> Option:
    return Option(name="max_batch", type="number", high=100, default="8", help=_("pictures per job"))
