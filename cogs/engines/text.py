"""Texts of `/status` and `/gpu`, and of messages to owners: values in, text out."""

from datetime import datetime, timedelta

from cogs.jobs.card import timestamp
from cogs.plain import escape, sentence
from constants import DISCORD_CONTENT_CHARS
from services.drawing.generation import LaneView
from services.engines.catalog import Engine
from services.engines.connections import Diagnosis, Owner
from services.engines.health import checks_for
from services.rentals.bills import command
from services.rentals.providers import Machine
from services.rentals.rentals import HOW_TO_STOP, PRICES, TITLES, Bill, Notice
from services.wording.asking import TextState
from texts.text import _, _n, joined, phrase
from utils.text import cut, duration

CLOCK_ONLY = timedelta(hours=18)
SURE_BY_SLASH = _("`/gpu stop` again with `sure:True`")
SURE_BY_PREFIX = _("`gpu stop yes`")
STATES = {"running": "running", "starting": "starting", "stopped": "stopped", "unknown": _("in a state I do not know")}


def engine(item: Engine, lane: LaneView | None, now: datetime, *, shows_advice: bool = True) -> str:
    """Return in one line how an engine is: up, busy, paused, down and why, and how fast.

    `shows_advice`: also what to look at, which helps nobody but who runs it.
    """
    name = escape(item.label)
    parts: list[str] = []
    if item.error:
        mark = "🔌"
        parts.append(sentence(phrase(item.error)))
        if shows_advice and item.owner_kind == "easel":
            parts += [sentence(phrase(hint)) for hint in (item.hint, item.owner_hint) if hint]
    elif lane and lane.is_stopped:
        mark = "⏸"
        parts.append(_("paused by an admin"))
    elif lane and lane.paused_s > 0:
        mark = "⏸"
        parts.append(
            _("asked us to slow down, goes on {timestamp}", timestamp=timestamp(now + timedelta(seconds=lane.paused_s)))
        )
    elif lane and lane.is_broken:
        mark = "🟠"
        parts.append(_("kept failing"))
    elif lane and (lane.running or lane.waiting):
        mark = "🟡"
    else:
        mark = "🟢"
        parts.append(_("free") if item.capabilities else _("not asked yet"))
    grade = [_("{grade} support", grade=item.grade)] if item.grade else []
    return joined(" · ", [f"{mark} **{name}**", *parts, *_queue(lane, now), *_pace(item, lane), *grade])


def status(lines: list[str], text: TextState | None = None) -> str:
    """Put the lines of `/status` together."""
    writer = [_("**Text engine**"), text_engine(text)] if text else []
    return cut(joined("\n", ["**Engines**", *(lines or [_("None yet.")]), *writer]), DISCORD_CONTENT_CHARS)


def text_engine(text: TextState) -> str:
    """Return in one line how the text engine is."""
    name = escape(text.model)
    if text.error:
        return _("🔌 **{name}** · {error} The rules write meanwhile.", name=name, error=sentence(text.error))
    return _("🟢 **{name}** · writes prompts, describes pictures", name=name)


def reasons(diagnosis: Diagnosis) -> list[str]:
    """Return what its owner should look at, the likeliest first."""
    lines = [_("**Your connection** · {message}", message=sentence(diagnosis.message))]
    hints = [sentence(hint) for hint in (diagnosis.hint, diagnosis.owner_hint) if hint]
    return [*lines, *hints, *_numbered(checks_for(diagnosis))]


def bill(item: Bill) -> str:
    """Return since when a rented engine runs, what that costs, and how it is stopped."""
    lines = [f"**{escape(item.label)}**" + (f" · {TITLES[item.provider]}" if item.provider else "")]
    machine = item.machine
    if machine is not None:
        lines.append(_machine(item, machine))
    if machine is None or machine.state != "stopped":
        lines.append(_cost(item))
    if item.machine_error:
        lines.append(_("-# Its provider says nothing: {machine_error}", machine_error=sentence(item.machine_error)))
    if item.first_used_at and item.last_used_at:
        lines.append(
            _(
                "First used {timestamp}, last {used_at}",
                timestamp=timestamp(item.first_used_at),
                used_at=timestamp(item.last_used_at),
            )
        )
    if machine is not None and machine.state == "stopped":
        lines.append(_("`/gpu start` starts it."))
    elif item.usd_per_hour is None:
        lines += [
            _("Tell me what it costs an hour: `/gpu price dollars:0.34`"),
            *(
                _("-# {titles}, about: {hints}", titles=TITLES[name], hints=_hints(name))
                for name in PRICES
                if name == (item.provider or name)
            ),
        ]
    elif item.usd_per_hour and (item.is_up or machine is not None):
        here = _("`/gpu stop`, or at ") if machine is not None else ""
        lines.append(_("To stop paying: {here}{how_to_stop}", here=here, how_to_stop=HOW_TO_STOP[item.provider]))
    if not item.reminds:
        lines.append(_("-# Reminders are off."))
    return joined("\n", lines)


def started(item: Bill, owner: Owner) -> str:
    """Return words that a machine starts, or runs already."""
    machine = item.machine
    if machine is None or machine.state == "running":
        return _("It runs already.\n") + bill(item)
    lines = [
        _(
            "▶️ {titles} starts {named}. It is billed from now on{rate}.",
            titles=TITLES[machine.provider],
            named=_named(machine),
            rate=_rate(machine),
        ),
        _("It boots for some minutes; what waits for it is drawn when it answers."),
        _("To stop paying: {command}", command=command("stop", owner)),
    ]
    if machine.provider == "vast":
        lines.append(_("-# It may come back at another port. Then `/sdconnect` again."))
    return joined("\n", lines)


def before_stop(item: Bill, how: str) -> str:
    """Return what a stop would stop, and how it is confirmed."""
    machine = item.machine
    if machine is None or machine.state == "stopped":
        return _("It is stopped already.\n") + bill(item)
    lines = [_("This stops {named} at {titles}.", named=_named(machine), titles=TITLES[machine.provider])]
    if item.jobs:
        lines.append(
            _n(
                "{count} picture is drawn or waiting there.",
                "{count} pictures are drawn or waiting there.",
                count=item.jobs,
            )
        )
    lines += [f"-# {HOW_TO_STOP[machine.provider]}", _("Go ahead: {how}", how=how)]
    return joined("\n", lines)


def stopped(item: Bill, owner: Owner) -> str:
    """Return words that a machine was stopped, and what is still billed."""
    title = TITLES[item.machine.provider] if item.machine else _("Its provider")
    named = _named(item.machine) if item.machine else "it"
    lines = [
        _("⏹️ {title} stops {named}. Again: {command}", title=title, named=named, command=command("start", owner)),
        _cost(item),
    ]
    return joined("\n", [*lines, f"-# {HOW_TO_STOP[item.provider]}"])


def notice(item: Notice) -> str:
    """Write to the owner of a connection."""
    name = escape(item.bill.label)
    if item.kind == "down":
        head = [
            _(
                "🔌 **{name}** does not answer, and pictures are asked of it. They wait for it, but not for ever.",
                name=name,
            ),
            sentence(item.message),
        ]
        return joined(
            "\n", [*filter(None, head), *_numbered(item.lines), _("-# I ask it again by myself. Test: `/sdtest`")]
        )
    if item.kind == "asleep":
        machine = item.bill.machine
        where = _(" at {titles}", titles=TITLES[machine.provider]) if machine else ""
        price = _rate(machine) if machine else ""
        head = [
            _("🔌 **{name}** is stopped{where}, and pictures wait for it, but not for ever.", name=name, where=where)
        ]
        return joined(
            "\n", [*head, _("{command} starts it{price}.", command=command("start", item.owner), price=price)]
        )
    since = item.bill.last_used_at or item.bill.since
    if item.kind == "stopped":
        unused = _(" since {clock}", clock=_clock(since, item.bill.at)) if since else ""
        return _(
            "💤 **{name}** had drawn nothing{unused}.\n{stopped}",
            name=name,
            unused=unused,
            stopped=stopped(item.bill, item.owner),
        )
    idle = _(" since {clock}", clock=_clock(since, item.bill.at)) if since else ""
    head = [
        _("💤 **{name}** has drawn nothing{idle}, and is probably still billed.", name=name, idle=idle),
        sentence(item.message),
        _cost(item.bill),
    ]
    off = _("-# I say this once for each idle time. Never again: `/gpu stop-reminder`")
    return joined("\n", [*filter(None, head), *(_("To stop paying: {line}", line=line) for line in item.lines), off])


def _machine(item: Bill, machine: Machine) -> str:
    """Return what its provider tells of a machine."""
    answers = "" if item.is_up or machine.state != "running" else _(", but what should draw on it does not answer yet")
    facts = [
        _(
            "{titles} says: {states}{answers}",
            titles=TITLES[machine.provider],
            states=STATES[machine.state],
            answers=answers,
        ),
        escape(machine.gpu),
    ]
    if machine.usd_per_hour is not None and machine.state != "stopped":
        facts.append(_("${usd_per_hour:.3g} an hour", usd_per_hour=machine.usd_per_hour))
    return joined(" · ", filter(None, facts))


def _named(machine: Machine) -> str:
    return f"**{escape(cut(machine.name, 60))}**" + (f" ({escape(machine.gpu)})" if machine.gpu else "")


def _rate(machine: Machine) -> str:
    return _(", about ${usd_per_hour:.3g} an hour", usd_per_hour=machine.usd_per_hour) if machine.usd_per_hour else ""


def _cost(item: Bill) -> str:
    if item.since is None:
        return _("It has not been up since it was connected.")
    since = _clock(item.since, item.at)
    span = (
        _("Up since {since}", since=since)
        if item.until is None
        else _("Up from {since} to {clock}", since=since, clock=_clock(item.until, item.at))
    )
    if item.cost_usd is None:
        return span
    if not item.usd_per_hour:
        return _("It costs nothing, as you said.")
    return _(
        "{span}: about ${cost_usd:.2f} at ${usd_per_hour:g} an hour",
        span=span,
        cost_usd=item.cost_usd,
        usd_per_hour=item.usd_per_hour,
    )


def _queue(lane: LaneView | None, now: datetime) -> list[str]:
    if lane is None:
        return []
    counts = ((lane.running, _("being drawn")), (lane.waiting, "waiting"))
    words = ", ".join(f"{count} {what}" for count, what in counts if count)
    parts = [words] if words else []
    if lane.retry_s > 0:
        parts.append(_("next try {timestamp}", timestamp=timestamp(now + timedelta(seconds=lane.retry_s))))
    elif lane.waiting and lane.wait_s >= 1 and not lane.paused_s and not lane.is_broken:
        parts.append(_("about {wait} to wait", wait=duration(lane.wait_s)))
    return parts


def _pace(item: Engine, lane: LaneView | None) -> list[str]:
    """Return what a picture of the engine's own size takes, as far as that was learned."""
    if lane is None or lane.seconds_per_cost is None or item.capabilities is None:
        return []
    can = item.capabilities
    cost = can.default_width * can.default_height / 1e6 * can.default_steps
    return [_("about {seconds_per_cost} a picture", seconds_per_cost=duration(lane.seconds_per_cost * cost))]


def _hints(provider: str) -> str:
    return ", ".join(f"{card} ${price}" for card, price in PRICES[provider].items())


def _numbered(lines: list[str] | tuple[str, ...]) -> list[str]:
    return [f"{number}. {line}" for number, line in enumerate(lines, 1)]  # ours: they quote nobody


def _clock(moment: datetime, now: datetime) -> str:
    """Return the time of day, in each reader's own time zone; with the date when that is longer ago."""
    style = "t" if now - moment < CLOCK_ONLY else "f"
    return f"<t:{round(moment.timestamp())}:{style}>"
