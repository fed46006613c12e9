"""Texts of `/status`, `/gpu`, `/compare` and of messages to owners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from backends.diagnose import Diagnosis, DiagnosisStep
from backends.registry import Owner
from cogs.cards import CardPicture
from cogs.comparisons import card as compare_card
from cogs.comparisons import versus_card
from cogs.engines import text as engines_text
from generation.capabilities import Capabilities
from generation.job import JobStatus, JobView
from generation.request import Mode
from scheduling.lane import LaneView
from services.drawing.compare import Comparison, Contender
from services.drawing.versus import Ballot
from services.engines.catalog import Engine
from services.engines.health import checks_for
from services.rentals.providers import Machine
from services.rentals.rentals import HOW_TO_STOP, Bill, Notice
from services.wording.asking import TextState
from tests.cogs.samples import JOB, NOW, PROGRESS, RUNNING, done, failed
from tests.cogs.snapshots import check_snapshot, drawn

OWNER = Owner(kind="user", id="42")
REFUSED = Diagnosis(
    steps=(DiagnosisStep(layer="connect", is_ok=False, message="refused"),),
    is_ok=False,
    message="The server refuses connections.",
    hint="Start it, then `/sdtest`.",
)


def engine(name: str, error: str | None = None, hint: str = "", owner_kind: str = "easel") -> Engine:
    can = Capabilities(modes=frozenset(Mode), default_width=512, default_height=512, default_steps=20)
    return Engine(
        name=name, label=name, kind="a1111", owner_kind=owner_kind, is_fallback=False, capabilities=can, error=error,
        hint=hint,
    )  # fmt: skip


def lane(**values: Any) -> LaneView:
    plain = LaneView(name="gpu", waiting=0, running=0, concurrency=1, paused_s=0, is_broken=False, wait_s=0)
    return replace(plain, **values)


def bill(**values: Any) -> Bill:
    plain = Bill(
        label="mia's Forge", provider="runpod", is_up=True, reminds=True, usd_per_hour=0.34, cost_usd=0.51,
        first_used_at=NOW, last_used_at=NOW + timedelta(minutes=70), since=NOW, at=NOW + timedelta(hours=2), until=None,
    )  # fmt: skip
    return replace(plain, **values)


def test_the_text_engine_has_its_line_in_status() -> None:
    works = engines_text.status([], TextState(model="gemma4:e4b"))
    assert works.endswith("**Text engine**\n🟢 **gemma4:e4b** · writes prompts, describes pictures")
    fails = engines_text.status([], TextState(model="gemma4:e4b", error="gemma4:e4b is *not* running there."))
    assert "🔌 **gemma4:e4b** · gemma4:e4b is \\*not\\* running there. The rules write meanwhile." in fails


def test_status_reads_as_it_was_agreed() -> None:
    pairs = [
        (replace(engine("free"), grade="gold"), lane(seconds_per_cost=0.8)),
        (engine("new"), None),
        (engine("busy"), lane(running=1, waiting=3, wait_s=41.0, seconds_per_cost=2.0)),
        (engine("grid"), lane(paused_s=90.0, waiting=2)),
        (engine("shaky"), lane(is_broken=True, waiting=2, retry_s=20.0)),
        (engine("box", "box is not answering.", "Start it with --api."), lane(waiting=1)),
        (engine("mia's Forge", "mia's Forge is not answering.", "Tell nobody.", "user"), lane()),
    ]
    lines = [engines_text.engine(item, its_lane, NOW) for item, its_lane in pairs]
    check_snapshot("status", engines_text.status([*lines, *engines_text.reasons(REFUSED)]))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("running", bill()),
        ("gone", bill(is_up=False, until=NOW + timedelta(minutes=90))),
        ("without_price", bill(usd_per_hour=None, cost_usd=None, reminds=False)),
        ("unknown_provider", bill(provider="", usd_per_hour=None, cost_usd=None, first_used_at=None)),
        ("for_days", bill(at=NOW + timedelta(days=3), cost_usd=24.48)),
        ("free", bill(provider="", usd_per_hour=0.0, cost_usd=0.0)),
        ("never_up", bill(since=None, cost_usd=None, is_up=False, first_used_at=None)),
    ],
)
def test_a_bill_reads_as_it_was_agreed(name: str, shown: Bill) -> None:
    check_snapshot(f"gpu_{name}", engines_text.bill(shown))


def machine(**values: Any) -> Machine:
    plain = Machine(
        provider="runpod", id="abc123", name="my_forge", gpu="RTX 3090", state="running", usd_per_hour=0.334
    )  # fmt: skip
    return replace(plain, **values)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("machine_running", bill(machine=machine())),
        ("machine_boots", bill(machine=machine(gpu=""), is_up=False)),
        ("machine_stopped", bill(machine=machine(state="stopped"))),
        ("machine_untold", bill(machine_error="RunPod refuses the API key.")),
    ],
)
def test_a_bill_with_its_providers_word_reads_as_it_was_agreed(name: str, shown: Bill) -> None:
    check_snapshot(f"gpu_{name}", engines_text.bill(shown))


def test_start_and_stop_read_as_they_were_agreed() -> None:
    guild = Owner(kind="guild", id="1")
    vast = machine(provider="vast", usd_per_hour=None, state="starting")
    check_snapshot(
        "gpu_start_stop",
        "\n\n".join([
            engines_text.started(bill(machine=machine(state="starting")), OWNER),
            engines_text.started(bill(machine=vast, provider="vast"), guild),
            engines_text.started(bill(machine=machine()), OWNER),
            engines_text.before_stop(bill(machine=machine(), jobs=1), engines_text.SURE_BY_SLASH),
            engines_text.before_stop(bill(machine=vast, jobs=3), engines_text.SURE_BY_PREFIX),
            engines_text.before_stop(bill(machine=machine(state="stopped")), engines_text.SURE_BY_SLASH),
            engines_text.stopped(bill(machine=machine(state="stopped")), guild),
        ]),
    )  # fmt: skip


def test_letters_about_machines_read_as_they_were_agreed() -> None:
    resting = bill(machine=machine(state="stopped"))
    letters = [
        Notice(kind="stopped", owner=OWNER, bill=resting),
        Notice(kind="asleep", owner=Owner(kind="guild", id="1"), bill=resting),
        Notice(kind="idle", owner=OWNER, bill=bill(), message="I could not stop it: RunPod refuses the API key.",
               lines=("`/gpu stop`", HOW_TO_STOP["runpod"])),
    ]  # fmt: skip
    check_snapshot("letters_machines", "\n\n".join(engines_text.notice(item) for item in letters))


def test_letters_to_owners_read_as_they_were_agreed() -> None:
    idle = Notice(kind="idle", owner=OWNER, bill=bill(), lines=(HOW_TO_STOP["runpod"],))
    down = Notice(kind="down", owner=OWNER, bill=bill(), message=REFUSED.message, lines=tuple(checks_for(REFUSED)))
    check_snapshot("letters", "\n\n".join(engines_text.notice(item) for item in (idle, down)))


def comparison(*contenders: tuple[str, str, str]) -> Comparison:
    return Comparison(
        id="c0ffee",
        door="discord",
        prompt="a fox in a *library*",
        seed=81245,
        contenders=tuple(Contender(lane=name, label=name, job_id=job, error=error) for name, job, error in contenders),
        created_at=NOW,
    )


def test_a_comparison_under_way_reads_as_it_was_agreed() -> None:
    shown = comparison(("gpu", "1", ""), ("grid", "2", ""), ("cloud", "3", ""), ("old", "", "It cannot do txt2img."))
    views = {
        "1": done(),
        "2": JobView(job=RUNNING, progress=PROGRESS),
        "3": JobView(job=JOB, position=2, eta_s=30.0),
    }
    check_snapshot("compare_running", drawn(compare_card.card(shown, views, "42", NOW)))


def test_a_finished_comparison_reads_as_it_was_agreed() -> None:
    shown = comparison(("gpu", "1", ""), ("grid", "2", ""), ("cloud", "3", ""), ("box", "4", ""), ("lost", "5", ""))
    views = {
        "1": done(notes=("sampler Euler a -> k_euler_a",)),
        "2": failed("box is not answering.", code="backend_unavailable"),
        "3": done(),
        "4": JobView(job=replace(JOB, status=JobStatus.CANCELLED)),
        "5": JobView(job=replace(JOB, status=JobStatus.EXPIRED)),
    }
    picture = CardPicture(data=b"x", filename="a-fox.jpg", alt_text=compare_card.alt_text(shown, views))
    check_snapshot("compare_done", drawn(compare_card.card(shown, views, "42", NOW, (picture,))))


@pytest.mark.parametrize("votes", [(0, 0), (3, 5), (2, 2)])
def test_a_vote_reads_as_it_was_agreed(votes: tuple[int, int]) -> None:
    for_a, for_b = votes
    until = NOW + timedelta(hours=1)
    ballot = Ballot(
        id="c0ffee", job_a="1", job_b="2", hours=1, created_at=NOW, opened_at=NOW, closes_at=until, for_a=for_a,
        for_b=for_b,
    )  # fmt: skip
    cards = [
        versus_card.card("c0ffee", [done(), JobView(job=RUNNING, progress=PROGRESS)], None, NOW),
        versus_card.card("c0ffee", [done(), done()], ballot, NOW),
        versus_card.card("c0ffee", [done(), done()], ballot, until),
        versus_card.card("c0ffee", [failed("It ran out of memory."), done()], None, NOW),
    ]
    check_snapshot(f"versus_{for_a}_{for_b}", "\n\n".join(map(drawn, cards)))
