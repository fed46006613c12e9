"""The forms behind `/setup`: what they show, and how what was chosen is read. Values only, no calls to Discord."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from cogs.cards import Choice, make_id
from cogs.house.text import COVER, FLAGGED, SEXUAL
from cogs.wire.fields import CheckField, PickField, RadioField, TextField
from cogs.wire.forms import FilledForm, Form
from generation.errors import RequestRejected
from generation.house import MAX_NEGATIVE_CHARS, MOST_IDS, Cover, Flagged, HouseRules, SexualContent
from lazy import pattern
from texts.text import _

ACTION: Final = "setup"
PLACES, CONTENT, PICTURES, TRIAL = "places", "content", "pictures", "trial"
# Text, voice, announcement, stage and forum channels, by Discord's numbers.
CHANNEL_TYPES: Final = (0, 2, 5, 13, 15)
WRITTEN_TYPES: Final = (0, 5)
_BETWEEN: Final = pattern(r"[,\n]")

Chosen = TypeVar("Chosen", bound=StrEnum)


def places_form(rules: HouseRules) -> Form:
    """Channels, roles that may draw, roles that moderate."""
    fields = (
        PickField(
            name="channels",
            label=_("Channels with drawing"),
            note=_("None: all. Threads belong to their channel."),
            kind="channel",
            most=MOST_IDS,
            picked=rules.channels,
            channel_types=CHANNEL_TYPES,
            is_required=False,
        ),
        PickField(
            name="roles",
            label=_("Roles that may draw"),
            note=_("None: everybody."),
            kind="role",
            most=MOST_IDS,
            picked=rules.roles,
            is_required=False,
        ),
        PickField(
            name="moderators",
            label=_("Roles that moderate"),
            note=_("Beside people with Manage Server."),
            kind="role",
            most=MOST_IDS,
            picked=rules.moderator_roles,
            is_required=False,
        ),
        PickField(
            name="reports",
            label=_("Where moderators read reports"),
            note=_("None: pictures cannot be reported."),
            kind="channel",
            picked=(rules.reports_channel,) if rules.reports_channel else (),
            channel_types=WRITTEN_TYPES,
            is_required=False,
        ),
    )
    return Form(title=_("Channels and roles"), custom_id=make_id(ACTION, PLACES), fields=fields)


def content_form(rules: HouseRules) -> Form:
    """Sexual content, words, patterns, what is always left out, direct messages and the studio."""
    fields = (
        RadioField(
            name="sexual",
            label=_("Nudity and sexual content"),
            note=_("Discord allows it in age-restricted channels only."),
            choices=_choices(SEXUAL, rules.sexual_content),
        ),
        TextField(
            name="words",
            label=_("Words that are never drawn"),
            note=_("With commas between. drag* is for all words that begin so."),
            value=", ".join(rules.words),
            is_long=True,
            is_required=False,
        ),
        TextField(
            name="patterns",
            label=_("Patterns (RE2), each on a line"),
            value="\n".join(rules.patterns),
            is_long=True,
            is_required=False,
            example="\\bguns?\\b",
        ),
        TextField(
            name="negative",
            label=_("Always left out (negative prompt)"),
            note=_("Where the engine has a negative prompt."),
            value=rules.negative_prompt,
            limit=MAX_NEGATIVE_CHARS,
            is_required=False,
        ),
        CheckField(
            name="elsewhere",
            label=_("In direct messages and the studio too"),
            is_checked=rules.holds_elsewhere,
        ),
    )
    return Form(title=_("What may be drawn"), custom_id=make_id(ACTION, CONTENT), fields=fields)


def pictures_form(rules: HouseRules) -> Form:
    """Spoilers, and the check of finished pictures."""
    fields = (
        RadioField(name="cover", label=_("Behind a spoiler"), choices=_choices(COVER, rules.cover)),
        RadioField(
            name="flagged",
            label=_("A picture that seems not safe for work"),
            note=_("Outside age-restricted channels. The check helps, and proves nothing."),
            choices=_choices(FLAGGED, rules.flagged),
        ),
    )
    return Form(title=_("Finished pictures"), custom_id=make_id(ACTION, PICTURES), fields=fields)


def trial_form() -> Form:
    """A prompt to be judged."""
    field = TextField(
        name="prompt", label=_("Would this be drawn?"), is_long=True, example=_("a red fox --negative blurry")
    )
    return Form(title=_("Test a prompt"), custom_id=make_id(ACTION, TRIAL), fields=(field,))


def read_places(filled: FilledForm) -> dict[str, Any]:
    return {
        "channels": filled.choices("channels"),
        "roles": filled.choices("roles"),
        "moderator_roles": filled.choices("moderators"),
        "reports_channel": next(iter(filled.choices("reports")), ""),
    }


def read_content(filled: FilledForm) -> dict[str, Any]:
    """Read that form; a choice that was not offered is refused."""
    return {
        "sexual_content": _chosen(SexualContent, filled, "sexual"),
        "words": tuple(_BETWEEN.split(filled.text("words"))),
        "patterns": tuple(filled.text("patterns").splitlines()),
        "negative_prompt": filled.text("negative"),
        "holds_elsewhere": filled.is_checked("elsewhere"),
    }


def read_pictures(filled: FilledForm) -> dict[str, Any]:
    """Read that form; a choice that was not offered is refused."""
    return {"cover": _chosen(Cover, filled, "cover"), "flagged": _chosen(Flagged, filled, "flagged")}


FORMS: Final[Mapping[str, Callable[[HouseRules], Form]]] = {
    PLACES: places_form,
    CONTENT: content_form,
    PICTURES: pictures_form,
}
READERS: Final[Mapping[str, Callable[[FilledForm], dict[str, Any]]]] = {
    PLACES: read_places,
    CONTENT: read_content,
    PICTURES: read_pictures,
}


def _choices(titles: Mapping[Any, str], current: StrEnum) -> tuple[Choice, ...]:
    return tuple(Choice(label=title, value=choice, is_default=choice is current) for choice, title in titles.items())


def _chosen(kind: type[Chosen], filled: FilledForm, name: str) -> Chosen:
    try:
        return kind(filled.choice(name))
    except ValueError as error:
        raise RequestRejected(_("Choose one of the lines of the form."), field=name) from error
