"""Caps: how much a member may ask for, by role and by channel. Values and their arithmetic, without I/O.

For each limit the most generous of a person's roles wins; a channel limits further. What nobody has limited is free.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from typing import Any, Final

from constants import MAX_BUDGET_USD, MIN_SIDE_PX
from generation.errors import RequestRejected
from generation.foreign import clean_line
from generation.request import Draft, GenerationRequest, Mode
from lazy import dataclass
from texts.text import _

NO_LIMIT: Final = 0  # as it is set: "as many as you like", which a role may have over another one's number
GRID_PX: Final = 64  # which suits every engine: one that makes sides longer would go over the limit
FINE_GRID_PX: Final = 8
LEAST_FACTOR: Final = 1.1  # enlarging by less is none
MAX_NAME_CHARS: Final = 100


class CapKind(StrEnum):
    """The subject of a cap. The role that everybody has bears the id of the server."""

    ROLE = "role"
    CHANNEL = "channel"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The numbers of one role or channel; None: it sets none."""

    pixels: int | None = None  # width x height of one picture
    steps: int | None = None
    batch: int | None = None  # pictures of one request
    daily: int | None = None  # pictures of a day in UTC
    waiting: int | None = None  # jobs
    running: int | None = None  # jobs
    budget: float | None = None  # US dollars of a day in UTC
    weight: float | None = None  # turns in the queue against those of others, 1 for everybody
    priority: float | None = None  # 1: they may say --priority high, which nobody may without


NAMES: Final = tuple(field.name for field in fields(Limits))
HIGHEST: Final[Mapping[str, float]] = {
    "pixels": 16384 * 16384, "steps": 1000, "batch": 100, "daily": 100_000, "waiting": 10_000, "running": 1000,
    "budget": MAX_BUDGET_USD, "weight": 100,
    "priority": 1,
}  # fmt: skip
LEAST: Final[Mapping[str, float]] = {"weight": 0.1, "priority": 1}  # of the others 0, which is no limit


@dataclass(frozen=True, kw_only=True)
class Cap:
    """The limits of one role or channel; `name` as it was called when they were set."""

    kind: CapKind
    target_id: str
    name: str
    limits: Limits

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_line(self.name)[:MAX_NAME_CHARS])


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """A limit that holds for somebody, and what sets it."""

    most: float
    cap: Cap

    def whose(self, guild_id: str) -> str:
        """Return who is limited so, in the words of a refusal."""
        if self.cap.kind is CapKind.CHANNEL:
            return _("in #{name}, members", name=self.cap.name)
        return _("everybody") if self.cap.target_id == guild_id else _("the role {name}", name=self.cap.name)


class OverCap(RequestRejected):
    """That is more than you may ask for here."""

    code = "over_cap"

    def __init__(self, user_message: str, *, field: str, remedy: Draft | None = None, hint: str = "") -> None:
        super().__init__(user_message, field=field, hint=hint)
        self.remedy = remedy  # what would be right, to be laid over what was asked


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """The limits that hold for a person in a place."""

    guild_id: str
    limits: Mapping[str, Allowed]

    def most(self, name: str) -> int | None:
        """Return a limit as a number; None: there is none."""
        allowed = self.limits.get(name)
        return None if allowed is None else int(allowed.most)

    @property
    def weight(self) -> float:
        allowed = self.limits.get("weight")
        return allowed.most if allowed else 1.0

    def refusal(self, request: GenerationRequest) -> OverCap | None:
        """Return why a request is too much for these limits, and what would be right; None: it is not."""
        return self._too_large(request) or self._too_many(request, "steps") or self._too_many(request, "batch")

    def _too_large(self, request: GenerationRequest) -> OverCap | None:
        allowed, pixels = self.limits.get("pixels"), pixels_of(request)
        if allowed is None or pixels <= allowed.most:
            return None
        wide, high = size_of(request)
        remedy = _smaller(request, allowed.most)
        best = _("{wide}×{high}", wide=remedy.width, high=remedy.height) if remedy and remedy.width else ""
        if remedy and remedy.upscale_factor:
            best = f"{remedy.upscale_factor:g}×"
        return OverCap(
            _(
                "{wide}×{high} is too large: {whose} may draw {most} pixels a picture.",
                wide=wide,
                high=high,
                whose=allowed.whose(self.guild_id),
                most=f"{int(allowed.most):,}",
            ),
            field="size",
            remedy=remedy,
            hint=_("{best} would be right.", best=best) if best else "",
        )

    def _too_many(self, request: GenerationRequest, name: str) -> OverCap | None:
        allowed = self.limits.get(name)
        asked = max(request.steps, (request.hires.steps or 0) if request.hires else 0)
        asked = request.batch_size if name == "batch" else asked
        if allowed is None or asked <= allowed.most:
            return None
        most, whose = int(allowed.most), allowed.whose(self.guild_id)
        if name == "batch":
            text = _(
                "{asked} pictures are too many: {whose} may ask for {most} at once.", **_values(asked, whose, most)
            )
            return OverCap(text, field="batch_size", remedy=Draft(batch_size=most))
        text = _("{asked} steps are too many: {whose} may have {most}.", **_values(asked, whose, most))
        return OverCap(text, field="steps", remedy=Draft(steps=most))


def allowance_of(guild_id: str, caps: Iterable[Cap], roles: Iterable[str], places: Iterable[str]) -> Allowance:
    """Lay the caps of a server together for somebody with these roles, in a channel (and the one above a thread)."""
    own, here = {guild_id, *roles}, set(places)
    limits: dict[str, Allowed] = {}
    known = list(caps)
    for name in NAMES:
        of_roles = [_allowed(cap, name) for cap in known if cap.kind is CapKind.ROLE and cap.target_id in own]
        best = max(filter(None, of_roles), key=lambda allowed: allowed.most, default=None)
        of_places = [_allowed(cap, name) for cap in known if cap.kind is CapKind.CHANNEL and cap.target_id in here]
        lowest = min(filter(None, [best, *of_places]), key=lambda allowed: allowed.most, default=None)
        if lowest is not None and lowest.most != math.inf:
            limits[name] = lowest
    return Allowance(guild_id=guild_id, limits=limits)


def _allowed(cap: Cap, name: str) -> Allowed | None:
    number = getattr(cap.limits, name)
    if number is None:
        return None
    return Allowed(most=math.inf if number == NO_LIMIT else float(number), cap=cap)


def size_of(request: GenerationRequest) -> tuple[int, int]:
    """Return the sides of what a request draws: of what is enlarged, those of the result."""
    if request.mode is Mode.UPSCALE:
        factor = request.upscale_factor or 1.0
        return round(request.width * factor), round(request.height * factor)
    return request.result_size


def pixels_of(request: GenerationRequest) -> int:
    wide, high = size_of(request)
    return wide * high


def _smaller(request: GenerationRequest, most: float) -> Draft | None:
    """Return the same shape with so many pixels at most; None: there is no such."""
    if request.mode is Mode.UPSCALE:
        factor = math.floor(math.sqrt(most / (request.width * request.height)) * 10) / 10
        if pixels_of(replace(request, upscale_factor=factor)) > most:  # sides are rounded, of a narrow one by much
            factor = round(factor - 0.1, 1)
        return Draft(upscale_factor=factor) if factor >= LEAST_FACTOR else None
    shrink = math.sqrt(most / pixels_of(request))
    sides = [side * shrink for side in (request.width, request.height)]
    grid = GRID_PX if min(sides) >= 4 * GRID_PX else FINE_GRID_PX
    wide, high = (int(side / grid) * grid for side in sides)
    if min(wide, high) < MIN_SIDE_PX:
        return None
    return Draft(width=wide, height=high)


def limits_to_json(limits: Limits) -> dict[str, Any]:
    return {name: getattr(limits, name) for name in NAMES if getattr(limits, name) is not None}


def limits_from_json(values: Mapping[str, Any]) -> Limits:
    """Read what `limits_to_json` wrote; what this version does not know is passed over."""
    return Limits(**{name: values[name] for name in NAMES if name in values})


def changed(limits: Limits, changes: Mapping[str, float | None]) -> Limits:
    """Return limits with others, each in its range.

    Raises:
        RequestRejected: a number is out of range; the field names it.
    """
    for name, number in changes.items():
        least = LEAST.get(name, 0)
        if number is not None and not least <= number <= HIGHEST[name]:
            raise RequestRejected(
                _("{name} may be {least:g} to {most:g}, not {number:g}.", name=name, least=least, most=HIGHEST[name],
                  number=number),
                field=name,
            )  # fmt: skip
    return replace(limits, **changes)  # type: ignore[arg-type]  # names of its own


def _values(asked: int, whose: str, most: int) -> dict[str, object]:
    return {"asked": asked, "whose": whose, "most": most}
