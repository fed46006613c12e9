"""House rules: what a Discord server lets its members have drawn, and where. `services.house` applies them."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, Final

from constants import MAX_BUDGET_USD
from generation.foreign import clean_line, finite
from lazy import dataclass

MOST_WORDS: Final = 200
MOST_PATTERNS: Final = 20
MOST_IDS: Final = 25  # as many as a menu of Discord takes
MAX_WORD_CHARS: Final = 60
MAX_PATTERN_CHARS: Final = 200
MAX_NEGATIVE_CHARS: Final = 500


class HouseRule(StrEnum):
    """The name of a rule, as refusals and the API carry it."""

    CHANNELS = "channels"
    ROLES = "roles"
    SEXUAL = "sexual_content"
    MINORS = "minors"
    WORDS = "words"
    PATTERNS = "patterns"
    PICTURE_CHECK = "picture_check"


class SexualContent(StrEnum):
    """The channels in which nudity and sexual content may be asked for."""

    AGE_RESTRICTED = "age_restricted"  # in age-restricted channels alone, as Discord wants it
    NOWHERE = "nowhere"
    ANYWHERE = "anywhere"


class Cover(StrEnum):
    """The pictures that come behind a spoiler."""

    NONE = "none"
    AGE_RESTRICTED = "age_restricted"  # those of age-restricted channels
    ALL = "all"


class Flagged(StrEnum):
    """The fate of a picture that the picture check takes for not safe for work, outside age-restricted channels."""

    UNCHECKED = "unchecked"  # no picture is checked
    COVERED = "covered"  # it comes behind a spoiler
    BLURRED = "blurred"  # its blurred copy is kept in its place
    HIDDEN = "hidden"  # it is not kept


STRICTNESS: Final = tuple(Flagged)  # from the mildest on


@dataclass(frozen=True, kw_only=True)
class HouseRules:
    """The rules of one server. The defaults hold where nobody has set any."""

    channels: tuple[str, ...] = ()  # ids of the channels where people may draw; none: all
    roles: tuple[str, ...] = ()  # ids of the roles that may draw; none: everybody
    moderator_roles: tuple[str, ...] = ()  # ids of the roles that moderate, beside Manage Server
    reports_channel: str = ""  # id of the channel where moderators read reports; empty: nothing can be reported
    sexual_content: SexualContent = SexualContent.AGE_RESTRICTED
    words: tuple[str, ...] = ()  # never drawn here; "drag*" is for all words that begin so
    patterns: tuple[str, ...] = ()  # RE2
    negative_prompt: str = ""  # added to that of every picture drawn from words
    cover: Cover = Cover.NONE
    flagged: Flagged = Flagged.UNCHECKED
    holds_elsewhere: bool = True  # for members in direct messages and the studio as well, where this server is at home
    budget_usd: float = 0.0  # most that pictures may cost here on a day in UTC; 0: no limit
    confirm_above_usd: float = 0.0  # who asks for something that costs more is asked first; 0: never
    labels: tuple[tuple[str, str], ...] = ()  # names of these channels and roles when they were set, by their ids

    def __post_init__(self) -> None:
        for name, most, chars in (
            ("words", MOST_WORDS, MAX_WORD_CHARS),
            ("patterns", MOST_PATTERNS, MAX_PATTERN_CHARS),
        ):
            entries = (" ".join(clean_line(entry)[:chars].split()) for entry in getattr(self, name))
            object.__setattr__(self, name, tuple(dict.fromkeys(filter(None, entries)))[:most])
        for name in ("channels", "roles", "moderator_roles"):
            ids = (str(entry) for entry in getattr(self, name) if str(entry).isdecimal())
            object.__setattr__(self, name, tuple(dict.fromkeys(ids))[:MOST_IDS])
        object.__setattr__(self, "reports_channel", self.reports_channel if self.reports_channel.isdecimal() else "")
        negative = clean_line(self.negative_prompt, MAX_NEGATIVE_CHARS).strip(" ,")
        object.__setattr__(self, "negative_prompt", negative)
        for name in ("budget_usd", "confirm_above_usd"):
            object.__setattr__(self, name, finite(getattr(self, name), 0.0, MAX_BUDGET_USD))
        named = {*self.channels, *self.roles, *self.moderator_roles}
        labels = {key: clean_line(name, MAX_WORD_CHARS) for key, name in self.labels if key in named}
        object.__setattr__(self, "labels", tuple(sorted(labels.items())))

    def names(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of channels or roles as they were when the rule was set."""
        labels = dict(self.labels)
        return tuple(labels.get(key, key) for key in ids)


UNSET: Final = HouseRules()

_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "channels": tuple,
    "roles": tuple,
    "moderator_roles": tuple,
    "sexual_content": SexualContent,
    "words": tuple,
    "patterns": tuple,
    "cover": Cover,
    "flagged": Flagged,
    "budget_usd": float,
    "confirm_above_usd": float,
    "labels": lambda pairs: tuple((str(key), str(name)) for key, name in pairs),
}


def rules_to_json(rules: HouseRules) -> dict[str, Any]:
    """Return what differs from the defaults as plain JSON values."""
    given = {field.name: getattr(rules, field.name) for field in fields(rules)}
    changed = {name: value for name, value in given.items() if value != getattr(UNSET, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()}


def rules_from_json(values: Mapping[str, Any]) -> HouseRules:
    """Read what `rules_to_json` wrote; what this version does not know is passed over, its default holds."""
    known: dict[str, Any] = {}
    for field in fields(HouseRules):
        if field.name in values:
            try:
                known[field.name] = _READERS.get(field.name, lambda value: value)(values[field.name])
            except ValueError:  # a choice of a newer version
                continue
    return HouseRules(**known)
