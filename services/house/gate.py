"""The one place that decides whether a request may be drawn here: every door's requests come through it.

A `Submission` asks twice. `let_in` runs `before`, the checks of who asks and where, ahead of any work. `judge` runs
`after`, the checks of what would be drawn: the request is complete by then (preferences, styles, wildcards, remixes,
forms), so nothing reaches an engine with other words or sizes than were judged. A check raises the refusal, which
names the rule, the value and what is right, and otherwise returns nothing. A new rule is a new entry of one of the
lists, put there by `app.services`.

Whose rules hold: those of the server that was asked in. A direct message, and the studio for who signed in with
Discord, have those of the servers at home here (`services.moderation.homes`) that extend theirs; in a direct message
without such a server the defaults hold. Keys without a person of Discord and the command line have no server: they
belong to the owner of this Easel. Sexual pictures of minors are refused at every door, and no rule allows them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Final

from constants import MAX_PROMPT_CHARS
from generation.errors import HouseRefusal, RequestRejected
from generation.house import STRICTNESS, UNSET, Cover, Flagged, HouseRule, HouseRules, SexualContent
from generation.job import Origin
from generation.request import Draft, GenerationRequest
from lazy import dataclass
from services.house.patterns import PatternList
from services.house.rules import HouseRuleService
from services.house.words import WordList, sexual_word, sexualises_minor
from services.moderation.homes import Homes
from texts.text import _, joined

CheckBefore = Callable[[Draft, Origin], Awaitable[None]]
CheckAfter = Callable[[GenerationRequest, Origin], Awaitable[None]]

MOST_NAMED: Final = 5
OF_WORDS: Final = frozenset({HouseRule.WORDS, HouseRule.PATTERNS, HouseRule.SEXUAL, HouseRule.MINORS})
HORDE_NEGATIVE: Final = "###"  # what stands behind it in a prompt is what the AI Horde leaves out


@dataclass(frozen=True, kw_only=True)
class Wording:
    """The words of a request: those it asks for, and those it wants left out."""

    asked: str
    left_out: str

    @classmethod
    def of(cls, request: Draft | GenerationRequest) -> "Wording":
        """Take in all words that reach an engine, names of styles and LoRAs too."""
        names = [*request.styles, *(lora.name for lora in request.loras if lora.weight > 0)]
        asked = [request.prompt, *names, *(value for __, value in request.options)]
        negative = request.negative_prompt or ""
        left_out = f"{request.prompt.partition(HORDE_NEGATIVE)[2]}, {negative}"
        if (request.cfg_scale is not None and request.cfg_scale < 1) or ":-" in "".join(negative.split()):
            asked.append(negative)  # turned round, it asks for what it names
        return cls(asked=" . ".join(asked), left_out=left_out)


class Gate:
    """The checks, in order."""

    def __init__(self, rules: HouseRuleService, homes: Homes) -> None:
        self._rules = rules
        self._homes = homes
        self.max_prompt_chars = MAX_PROMPT_CHARS
        self.before: list[CheckBefore] = [self._check_length, self._check_place]
        self.after: list[CheckAfter] = [self._check_words, self._check_picture_check]
        self.has_picture_check = False
        self.on_refusal: list[Callable[[Origin, HouseRefusal], None]] = []  # told of what people wanted drawn

    async def let_in(self, draft: Draft, origin: Origin) -> None:
        """Refuse a request for who asks, or where.

        Raises:
            GenerationError: the first refusal.
        """
        for check in self.before:
            await check(draft, origin)

    async def judge(self, request: GenerationRequest, origin: Origin) -> None:
        """Refuse a request for what it would draw.

        Raises:
            GenerationError: the first refusal.
        """
        try:
            for check in self.after:
                await check(request, origin)
        except HouseRefusal as refusal:
            if refusal.rule in OF_WORDS:
                for note in self.on_refusal:
                    note(origin, refusal)
            raise

    async def rules_for(self, origin: Origin) -> Sequence[HouseRules]:
        """Return the rules that hold for a request; of several servers all do."""
        if origin.guild_id:
            return (await self._rules.load(origin.guild_id),)
        if not has_account(origin):
            return ()
        if origin.is_elsewhere:  # seen by people of a server that has set nothing here: what holds everywhere holds
            return (UNSET, *await self._holding_elsewhere())
        at_home = [await self._rules.load(guild_id) for guild_id in self._homes.at_home]
        if not at_home and origin.door == "discord":
            return (UNSET,)
        return await self._holding_elsewhere()

    async def _holding_elsewhere(self) -> tuple[HouseRules, ...]:
        at_home = [await self._rules.load(guild_id) for guild_id in self._homes.at_home]
        return tuple(rules for rules in at_home if rules.holds_elsewhere)

    async def refusal_for(self, origin: Origin) -> HouseRefusal | None:
        """Return why somebody may draw nothing where they are, None where they may."""
        try:
            await self._check_place(Draft(), origin)
        except HouseRefusal as refusal:
            return refusal
        return None

    async def trial(self, draft: Draft, origin: Origin, *, is_age_restricted: bool) -> HouseRefusal | None:
        """Return why the words of a draft would be refused in such a channel, None where they would pass."""
        try:
            await self._check_words(draft, replace(origin, is_age_restricted=is_age_restricted))
        except HouseRefusal as refusal:
            return refusal
        return None

    async def covers(self, origin: Origin) -> bool:
        """Return whether a picture comes behind a spoiler by rule."""
        covers = {rules.cover for rules in await self.rules_for(origin)}
        return Cover.ALL in covers or (Cover.AGE_RESTRICTED in covers and origin.is_age_restricted)

    async def fate(self, origin: Origin) -> Flagged:
        """Return what becomes of a finished picture that seems not safe for work; of several rules the strictest."""
        if origin.is_age_restricted:
            return Flagged.UNCHECKED
        fates = [rules.flagged for rules in await self.rules_for(origin)]
        return max(fates, key=STRICTNESS.index, default=Flagged.UNCHECKED)

    def may_preview(self, origin: Origin) -> bool:
        """Return whether unfinished pictures, which nothing checks, may be shown: not where finished ones are checked.

        Asked for each step, so it takes rules that were loaded; where they were not yet, nothing is shown.
        """
        if origin.is_age_restricted or not (origin.guild_id or has_account(origin)):
            return True
        if origin.is_elsewhere and UNSET.flagged is not Flagged.UNCHECKED:
            return False
        guild_ids = (origin.guild_id,) if origin.guild_id else self._homes.at_home
        loaded = [self._rules.loaded(guild_id) for guild_id in guild_ids]
        return all(
            rules is not None and (rules.flagged is Flagged.UNCHECKED or not (origin.guild_id or rules.holds_elsewhere))
            for rules in loaded
        )

    async def negative_prompt(self, origin: Origin) -> str:
        """Return what is to be left out of every picture here."""
        return ", ".join(rules.negative_prompt for rules in await self.rules_for(origin) if rules.negative_prompt)

    async def _check_length(self, draft: Draft, origin: Origin) -> None:
        if len(draft.prompt) > self.max_prompt_chars:
            raise RequestRejected(
                _(
                    "The prompt has {count:,} characters; at most {most:,} are allowed.",
                    count=len(draft.prompt),
                    most=self.max_prompt_chars,
                ),
                field="prompt",
            )

    async def _check_place(self, draft: Draft, origin: Origin) -> None:
        for rules in await self.rules_for(origin):
            check_place(rules, origin)

    async def _check_picture_check(self, request: GenerationRequest, origin: Origin) -> None:
        if not self.has_picture_check and await self.fate(origin) is not Flagged.UNCHECKED:
            raise unchecked()

    async def _check_words(self, request: Draft | GenerationRequest, origin: Origin) -> None:
        wording = Wording.of(request)
        check_minors(wording)
        for rules in await self.rules_for(origin):
            check_words(rules, wording, is_age_restricted=origin.is_age_restricted)


def has_account(origin: Origin) -> bool:
    """Return whether somebody is known by their Discord account."""
    return bool(origin.person.account)


def check_place(rules: HouseRules, origin: Origin) -> None:
    """Refuse a channel without drawing, and a person without a role that may draw.

    Raises:
        HouseRefusal: with the channels or roles that would be right.
    """
    if origin.guild_id and rules.channels and not set(rules.channels) & set(origin.places):
        raise HouseRefusal(
            _("Pictures are not drawn in this channel."),
            rule=HouseRule.CHANNELS,
            hint=_("Ask in {channels}.", channels=_listed(rules.names(rules.channels), "#")),
        )
    if rules.roles and not set(rules.roles) & set(origin.roles):
        roles = _listed(rules.names(rules.roles), "@")
        if not origin.guild_id or origin.via:
            raise HouseRefusal(
                _("Only people with the role {roles} may draw, and your roles are not known here.", roles=roles),
                rule=HouseRule.ROLES,
                hint=_("Ask in a channel of the server."),
            )
        raise HouseRefusal(
            _("Only people with the role {roles} may draw here.", roles=roles),
            rule=HouseRule.ROLES,
            hint=_("A moderator of the server can give you one of them."),
        )


def unchecked() -> HouseRefusal:
    """Return the refusal where pictures are to be checked and nothing here can do so."""
    return HouseRefusal(
        _("Finished pictures are to be checked here, and this Easel has no picture check."),
        rule=HouseRule.PICTURE_CHECK,
        hint=_("Whoever runs Easel can add it (`make run ART=1`); managers can do without it in `/setup start`."),
    )


def check_minors(wording: Wording) -> None:
    """Refuse sexual pictures of minors, whatever the rules.

    Raises:
        HouseRefusal: this is one.
    """
    if sexualises_minor(wording.asked, wording.left_out):
        raise HouseRefusal(
            _("Sexual pictures of minors are never drawn."),
            rule=HouseRule.MINORS,
            hint=_("If you meant something else, use other words."),
        )


def check_words(rules: HouseRules, wording: Wording, *, is_age_restricted: bool) -> None:
    """Refuse words that a server does not want drawn.

    Raises:
        HouseRefusal: with the word, and what would be right.
    """
    if rules.sexual_content is not SexualContent.ANYWHERE and (word := sexual_word(wording.asked, wording.left_out)):
        if rules.sexual_content is SexualContent.NOWHERE:
            raise HouseRefusal(
                _("Nudity and sexual content are not drawn here: “{word}”.", word=word),
                rule=HouseRule.SEXUAL,
                hint=_("Leave it out."),
            )
        if not is_age_restricted:
            raise HouseRefusal(
                _("Nudity and sexual content are drawn in age-restricted channels only: “{word}”.", word=word),
                rule=HouseRule.SEXUAL,
                hint=_("Leave it out, or ask in an age-restricted channel."),
            )
    if word := WordList(rules.words).find_in(wording.asked):
        raise HouseRefusal(
            _("“{word}” is not drawn here.", word=word), rule=HouseRule.WORDS, hint=_("Use other words.")
        )
    if rules.patterns and PatternList(rules.patterns).find(wording.asked):
        raise HouseRefusal(
            _("Some of these words are not drawn here."), rule=HouseRule.PATTERNS, hint=_("Use other words.")
        )


def _listed(names: Sequence[str], mark: str) -> str:
    shown = [f"{mark}{name}" for name in names[:MOST_NAMED]]
    if len(names) > MOST_NAMED:
        shown.append("…")
    return joined(", ", shown)
