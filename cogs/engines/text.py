"""What `/status` and `/gpu` say, and what an owner is written: values in, text out."""

from datetime import datetime, timedelta

from cogs.jobs.card import timestamp
from cogs.plain import escape, sentence
from constants import DISCORD_CONTENT_CHARS
from services.drawing.generation import LaneView
from services.engines.catalog import Engine
from services.engines.connections import Diagnosis, Owner
from services.engines.health import checks_for
from services.rentals.bills import command
from services.rentals.machines import Machine
from services.rentals.rentals import HOW_TO_STOP, PRICES, TITLES, Bill, Notice
from utils.text import cut, duration

CLOCK_ONLY = timedelta(hours=18)
SURE_BY_SLASH = "`/gpu stop` once more with `sure:True`"
SURE_BY_PREFIX = "`gpu stop yes`"
STATES = {"running": "running", "starting": "starting", "stopped": "stopped", "unknown": "in a state I do not know"}


def engine(one: Engine, lane: LaneView | None, now: datetime) -> str:
    """Say in one line how an engine is: up, busy, paused, down and why, and how fast."""
    name = escape(one.label)
    parts: list[str] = []
    if one.error:
        mark = "🔌"
        parts.append(sentence(one.error))
        if one.hint and one.owner_kind == "easel":
            parts.append(sentence(one.hint))
    elif lane and lane.paused_s > 0:
        mark = "⏸"
        parts.append(f"asked us to slow down, goes on {timestamp(now + timedelta(seconds=lane.paused_s))}")
    elif lane and lane.is_broken:
        mark = "🟠"
        parts.append("kept failing")
    elif lane and (lane.running or lane.waiting):
        mark = "🟡"
    else:
        mark = "🟢"
        parts.append("free" if one.capabilities else "not asked yet")
    grade = [f"{one.grade} support"] if one.grade else []
    return " · ".join([f"{mark} **{name}**", *parts, *_queue(lane, now), *_pace(one, lane), *grade])


def status(lines: list[str]) -> str:
    """Put the lines of `/status` together."""
    return cut("\n".join(["**Engines**", *(lines or ["None yet."])]), DISCORD_CONTENT_CHARS)


def reasons(diagnosis: Diagnosis) -> list[str]:
    """Say what its owner should look at, the likeliest first."""
    lines = [f"**Your connection** · {sentence(diagnosis.message)}"]
    hints = [sentence(hint) for hint in (diagnosis.hint, diagnosis.owner_hint) if hint]
    return [*lines, *hints, *_numbered(checks_for(diagnosis))]


def bill(one: Bill) -> str:
    """Say since when a rented engine runs, what that costs, and how it is stopped."""
    lines = [f"**{escape(one.label)}**" + (f" · {TITLES[one.provider]}" if one.provider else "")]
    machine = one.machine
    if machine is not None:
        lines.append(_machine(one, machine))
    if machine is None or machine.state != "stopped":
        lines.append(_cost(one))
    if one.machine_error:
        lines.append(f"-# Its provider says nothing: {sentence(one.machine_error)}")
    if one.first_used_at and one.last_used_at:
        lines.append(f"First used {timestamp(one.first_used_at)}, last {timestamp(one.last_used_at)}")
    if machine is not None and machine.state == "stopped":
        lines.append("`/gpu start` starts it.")
    elif one.usd_per_hour is None:
        lines += [
            "Tell me what it costs an hour: `/gpu price dollars:0.34`",
            *(f"-# {TITLES[name]}, about: {_hints(name)}" for name in PRICES if name == (one.provider or name)),
        ]
    elif one.usd_per_hour and (one.is_up or machine is not None):
        here = "`/gpu stop`, or at " if machine is not None else ""
        lines.append(f"To stop paying: {here}{HOW_TO_STOP[one.provider]}")
    if not one.reminds:
        lines.append("-# Reminders are off.")
    return "\n".join(lines)


def started(one: Bill, owner: Owner) -> str:
    """Say that a machine starts, or runs already."""
    machine = one.machine
    if machine is None or machine.state == "running":
        return "It runs already.\n" + bill(one)
    lines = [
        f"▶️ {TITLES[machine.provider]} starts {_named(machine)}. It is billed from now on{_rate(machine)}.",
        "It boots for some minutes; what waits for it is drawn when it answers.",
        f"To stop paying: {command('stop', owner)}",
    ]
    if machine.provider == "vast":
        lines.append("-# It may come back at another port. Then `/sdconnect` once more.")
    return "\n".join(lines)


def before_stop(one: Bill, how: str) -> str:
    """Say what a stop would stop, and how it is confirmed."""
    machine = one.machine
    if machine is None or machine.state == "stopped":
        return "It is stopped already.\n" + bill(one)
    lines = [f"This stops {_named(machine)} at {TITLES[machine.provider]}."]
    if one.jobs:
        lines.append(f"{one.jobs} {'picture is' if one.jobs == 1 else 'pictures are'} drawn or waiting there.")
    lines += [f"-# {HOW_TO_STOP[machine.provider]}", f"Go ahead: {how}"]
    return "\n".join(lines)


def stopped(one: Bill, owner: Owner) -> str:
    """Say that a machine was stopped, and what is still billed."""
    title = TITLES[one.machine.provider] if one.machine else "Its provider"
    named = _named(one.machine) if one.machine else "it"
    lines = [f"⏹️ {title} stops {named}. Again: {command('start', owner)}", _cost(one)]
    return "\n".join([*lines, f"-# {HOW_TO_STOP[one.provider]}"])


def notice(one: Notice) -> str:
    """Write to the owner of a connection."""
    name = escape(one.bill.label)
    if one.kind == "down":
        head = [
            f"🔌 **{name}** does not answer, and pictures are asked of it. They wait for it, but not for ever.",
            sentence(one.message),
        ]
        return "\n".join([*filter(None, head), *_numbered(one.lines), "-# I ask it again by myself. Test: `/sdtest`"])
    if one.kind == "asleep":
        machine = one.bill.machine
        where = f" at {TITLES[machine.provider]}" if machine else ""
        price = _rate(machine) if machine else ""
        head = [f"🔌 **{name}** is stopped{where}, and pictures wait for it, but not for ever."]
        return "\n".join([*head, f"{command('start', one.owner)} starts it{price}."])
    since = one.bill.last_used_at or one.bill.since
    if one.kind == "stopped":
        unused = f" since {_clock(since, one.bill.at)}" if since else ""
        return f"💤 **{name}** had drawn nothing{unused}.\n{stopped(one.bill, one.owner)}"
    idle = f" since {_clock(since, one.bill.at)}" if since else ""
    head = [
        f"💤 **{name}** has drawn nothing{idle}, and is probably still billed.",
        sentence(one.message),
        _cost(one.bill),
    ]
    off = "-# I say this once for each idle time. Never again: `/gpu stop-reminder`"
    return "\n".join([*filter(None, head), *(f"To stop paying: {line}" for line in one.lines), off])


def _machine(one: Bill, machine: Machine) -> str:
    """Say what its provider tells of a machine."""
    answers = "" if one.is_up or machine.state != "running" else ", but what should draw on it does not answer yet"
    facts = [f"{TITLES[machine.provider]} says: {STATES[machine.state]}{answers}", escape(machine.gpu)]
    if machine.usd_per_hour is not None and machine.state != "stopped":
        facts.append(f"${machine.usd_per_hour:.3g} an hour")
    return " · ".join(filter(None, facts))


def _named(machine: Machine) -> str:
    return f"**{escape(cut(machine.name, 60))}**" + (f" ({escape(machine.gpu)})" if machine.gpu else "")


def _rate(machine: Machine) -> str:
    return f", about ${machine.usd_per_hour:.3g} an hour" if machine.usd_per_hour else ""


def _cost(one: Bill) -> str:
    if one.since is None:
        return "It has not been up since it was connected."
    since = _clock(one.since, one.at)
    span = f"Up since {since}" if one.until is None else f"Up from {since} to {_clock(one.until, one.at)}"
    if one.cost_usd is None:
        return span
    if not one.usd_per_hour:
        return "It costs nothing, as you said."
    return f"{span}: about ${one.cost_usd:.2f} at ${one.usd_per_hour:g} an hour"


def _queue(lane: LaneView | None, now: datetime) -> list[str]:
    if lane is None:
        return []
    counts = ((lane.running, "being drawn"), (lane.waiting, "waiting"))
    words = ", ".join(f"{count} {what}" for count, what in counts if count)
    parts = [words] if words else []
    if lane.retry_s > 0:
        parts.append(f"next try {timestamp(now + timedelta(seconds=lane.retry_s))}")
    elif lane.waiting and lane.wait_s >= 1 and not lane.paused_s and not lane.is_broken:
        parts.append(f"about {duration(lane.wait_s)} to wait")
    return parts


def _pace(one: Engine, lane: LaneView | None) -> list[str]:
    """Say what a picture of the engine's own size takes, as far as that was learned."""
    if lane is None or lane.seconds_per_cost is None or one.capabilities is None:
        return []
    can = one.capabilities
    cost = can.default_width * can.default_height / 1e6 * can.default_steps
    return [f"about {duration(lane.seconds_per_cost * cost)} a picture"]


def _hints(provider: str) -> str:
    return ", ".join(f"{card} ${price}" for card, price in PRICES[provider].items())


def _numbered(lines: list[str] | tuple[str, ...]) -> list[str]:
    return [f"{number}. {line}" for number, line in enumerate(lines, 1)]  # ours: they quote nobody


def _clock(moment: datetime, now: datetime) -> str:
    """Return the time of day, in each reader's own time zone; with the date when that is longer ago."""
    style = "t" if now - moment < CLOCK_ONLY else "f"
    return f"<t:{round(moment.timestamp())}:{style}>"
