"""Jobs at the same moment never spend more than a budget; what fails is given back, and nothing counts twice."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.base import BackendConfig
from backends.refusals import held_back
from backends.registry import Entry, Owner
from generation.errors import (
    BackendUnavailable,
    ContentBlocked,
    GenerationError,
    RequestRejected,
    UnexpectedAnswer,
)
from generation.job import JobError, JobStatus
from generation.money import BudgetScope, OverBudget, PriceNotAgreed
from generation.request import Draft
from services.drawing.generation import GenerationService
from store.words import WordStore
from tests.fakes import FakeBackend
from tests.paid import PaidBackend
from tests.services.money.rig import ANN, CHIEF, MIA, counter

FOX = Draft(prompt="a fox")
ENDS = st.sampled_from(["done", "dearer", "cheaper", "refused", "lost", "cancel"])


async def test_three_pictures_with_a_budget_for_none_are_refused() -> None:
    engine = PaidBackend()
    async with counter(engine, everybody_usd=0.0001) as shop:
        for __ in range(3):
            with pytest.raises(OverBudget, match=r"\$0.00 of \$0.0001 are used .* this would cost about \$0.04"):
                await shop.ask()
        await shop.settle()
        assert engine.requests == []
        assert await shop.rows() == {}


@settings(max_examples=30, deadline=None)
@given(
    prices=st.lists(st.integers(1, 8), min_size=2, max_size=12),
    budget=st.integers(1, 30),
    server=st.integers(5, 40),
    ends=st.lists(ENDS, min_size=12, max_size=12),
    people=st.lists(st.sampled_from([MIA, ANN]), min_size=12, max_size=12),
)
async def test_jobs_at_the_same_moment_never_overrun_a_budget(prices, budget, server, ends, people) -> None:
    engine = PaidBackend(usd=0.01, hold=True)
    async with counter(engine, concurrency=3, person_usd=budget / 100, server_usd=server / 100) as shop:
        asked = [shop.ask(who, batch_size=price) for price, who in zip(prices, people, strict=False)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert not [answer for answer in answers if not isinstance(answer, str | OverBudget)]
        for who in (MIA, ANN):
            held = await shop.budget(origin=who)
            assert held.used_usd <= held.most_usd + 1e-9
        whole = await shop.budget(BudgetScope.SERVER)
        assert whole.used_usd <= whole.most_usd + 1e-9
        refused = [price for price, answer in zip(prices, answers, strict=True) if isinstance(answer, OverBudget)]
        assert not refused or sum(prices) > min(budget, server), "nobody is refused while there is enough for all"
        taken = [answer for answer in answers if isinstance(answer, str)]
        counted = await finished(shop, engine, taken, ends)
        assert (await shop.budget(BudgetScope.SERVER)).used_usd == pytest.approx(counted)
        assert sum(usd for __, usd in (await shop.rows()).values()) == pytest.approx(counted)
        assert not [state for state, __ in (await shop.rows()).values() if state == "reserved"]


async def finished(shop, engine: PaidBackend, job_ids: list[str], ends: list[str]) -> float:
    """End jobs in their ways, some of them twice; return what all of them have cost."""
    total, now = 0.0, shop.rig.clock.now()
    for job_id, end in zip(job_ids, ends, strict=False):
        await shop.settle()
        job = await shop.rig.jobs.get(job_id)
        price, ran = 0.01 * job.drawn.batch_size, job.status is JobStatus.RUNNING
        if end == "cancel":
            await shop.rig.queue.cancel(job_id)
            await shop.rig.queue.cancel(job_id)
            total += price if ran else 0.0
            continue
        error = {"refused": JobError(code="rejected", user_message="No."), "lost": None}.get(end)
        if end == "lost":
            error = JobError(code="interrupted", user_message="Gone.", may_have_run=True)
        if error is not None:
            for __ in range(2):
                await shop.rig.jobs.finish(job_id, JobStatus.FAILED, now=now, error=error)
            total += price if error.may_have_run else 0.0
            continue
        result = await shop.rig.sink.keep(job, await drawn(engine, job, end), 1.0)
        if not ran:
            await shop.rig.jobs.claim(job_id, lane=job.lane, now=now)
        for __ in range(2):
            await shop.rig.jobs.finish(job_id, JobStatus.DONE, now=now, result=result)
        total += result.cost_usd
    return total


async def drawn(engine: PaidBackend, job, end: str):
    factor = {"done": 1.0, "dearer": 1.5, "cheaper": 0.5}[end]
    other = PaidBackend(usd=0.01, costs=0.01 * factor)
    return await other.generate(job.drawn, report_nothing)


async def report_nothing(_: object) -> None:
    return None


async def test_what_the_engine_says_replaces_the_estimate() -> None:
    async with counter(PaidBackend(usd=0.04, costs=0.055), person_usd=1) as shop:
        job = await shop.ask(batch_size=2)
        assert await shop.rows() == {job: ("reserved", 0.08)}
        await shop.settle()
        assert await shop.rows() == {job: ("paid", 0.11)}
        assert (await shop.budget()).used_usd == pytest.approx(0.11)


async def test_an_engine_that_tells_no_price_counts_as_was_assumed_and_then_as_its_last_pictures_cost() -> None:
    engine = PaidBackend(usd=None, costs=0.3)
    async with counter(engine, person_usd=1, assumed_usd=0.25) as shop:
        first = await shop.ask()
        assert (await shop.rows())[first] == ("reserved", 0.25)
        await shop.settle()
        assert (await shop.rows())[first] == ("paid", 0.3)
        second = await shop.ask()
        assert (await shop.rows())[second] == ("reserved", 0.3)
        engine.costs = 0.0
        await shop.settle()
        assert (await shop.rows())[second] == ("paid", 0.3), "silence is no gift"


@pytest.mark.parametrize(
    ("error", "state", "usd"),
    [
        (RequestRejected("No."), "refunded", 0.0),
        (ContentBlocked("No."), "refunded", 0.0),
        (held_back("shop", ""), "unsure", 0.04),
        (BackendUnavailable("Away."), "refunded", 0.0),
        (BackendUnavailable("Away.", may_have_run=True), "unsure", 0.04),
        (UnexpectedAnswer("What?", may_have_run=True), "unsure", 0.04),
    ],
)
async def test_a_failed_job_is_given_back_unless_it_may_have_been_charged(error, state, usd) -> None:
    engine = PaidBackend()
    engine.fail = [error] * 3
    async with counter(engine, person_usd=1) as shop:
        job = await shop.ask()
        for __ in range(6):
            await shop.rig.advance(600)
        assert await shop.rig.status(await shop.rig.jobs.get(job)) is JobStatus.FAILED
        assert await shop.rows() == {job: (state, usd)}


async def test_a_job_that_is_cancelled_in_time_costs_nothing_and_frees_the_budget() -> None:
    engine = PaidBackend(hold=True)
    async with counter(engine, person_usd=0.08) as shop:
        running, waiting = await shop.ask(), await shop.ask()
        await shop.settle()
        with pytest.raises(OverBudget, match=r"you have used \$0.08 of \$0.08"):
            await shop.ask()
        await shop.rig.queue.cancel(waiting)
        assert (await shop.rows())[waiting] == ("refunded", 0.0)
        await shop.ask()
        await shop.rig.queue.cancel(running)
        assert (await shop.rows())[running] == ("unsure", 0.04), "the service had begun"


async def test_a_retry_is_no_second_charge() -> None:
    engine = PaidBackend()
    engine.fail = [BackendUnavailable("Away.")]
    async with counter(engine, person_usd=1) as shop:
        job = await shop.ask()
        await shop.rig.advance(60)
        assert len(engine.requests) == 2
        assert await shop.rows() == {job: ("paid", 0.04)}


async def test_a_failure_never_takes_a_job_to_another_engine_that_charges() -> None:
    first, second, free = FakeBackend("gpu"), PaidBackend("paid"), FakeBackend("other")
    first.fail = [BackendUnavailable("Away.")] * 5
    free.fail = [BackendUnavailable("Away.")] * 5
    async with counter(first, second, free) as shop:
        await shop.ask()
        for __ in range(6):
            await shop.rig.advance(600)
        assert second.requests == []
        assert free.requests != []


async def test_a_job_that_goes_on_at_a_free_engine_costs_nothing() -> None:
    paid, free = PaidBackend("paid"), FakeBackend("free")
    paid.fail = [BackendUnavailable("Away.")]
    async with counter(paid, free, preferred="paid", person_usd=1) as shop:
        job = await shop.ask()
        assert await shop.rows() == {job: ("reserved", 0.04)}
        await shop.settle()
        assert (await shop.rig.jobs.get(job)).lane == "free"
        assert await shop.rows() == {job: ("paid", 0.0)}


async def test_the_budget_is_new_at_midnight_utc_and_the_refusal_says_when() -> None:
    async with counter(PaidBackend(), person_usd=0.05) as shop:
        await shop.ask()
        await shop.settle()
        with pytest.raises(OverBudget, match=r"It resets in .* \(00:00 UTC\)") as refused:
            await shop.ask()
        now = shop.rig.clock.now()
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), UTC)
        assert refused.value.retry_after == pytest.approx((midnight - now).total_seconds())
        await shop.rig.clock.advance((midnight - now).total_seconds())
        await shop.ask()


async def test_each_budget_counts_whom_it_is_for() -> None:
    async with counter(PaidBackend(), everybody_usd=0.12, server_usd=0.10, person_usd=0.05) as shop:
        await shop.ask(MIA)
        with pytest.raises(OverBudget, match="you have used"):
            await shop.ask(MIA)
        await shop.ask(ANN)
        with pytest.raises(OverBudget, match="in this server"):
            await shop.ask(replace(MIA, user_id="7"))
        elsewhere = replace(MIA, user_id="8", guild_id="2")
        await shop.ask(elsewhere)
        with pytest.raises(OverBudget, match="by everybody together"):
            await shop.ask(replace(elsewhere, user_id="9"))


async def test_a_role_has_its_budget_and_a_server_its_own() -> None:
    async with counter(PaidBackend()) as shop:
        await shop.limit(budget=0.05)
        await shop.limit("2", budget=0.09)
        await shop.ask(ANN)
        with pytest.raises(OverBudget, match=r"of \$0.05 \(everybody\)"):
            await shop.ask(ANN)
        await shop.ask(MIA)
        await shop.ask(MIA)
        with pytest.raises(OverBudget, match=r"of \$0.09 \(the role Fans\)"):
            await shop.ask(MIA)
        await shop.limit("2", budget=0)
        await shop.ask(MIA)
        await shop.rules.change(CHIEF, budget_usd=0.17)
        with pytest.raises(OverBudget, match=r"\$0.16 of \$0.17 are used in this server"):
            await shop.ask(MIA)


async def test_an_engine_of_your_own_is_your_own_affair() -> None:
    async with counter(everybody_usd=0.01, person_usd=0.01, server_usd=0.01) as shop:
        engine = PaidBackend("user-5")
        config = BackendConfig(name="user-5", kind="fake")
        shop.rig.registry.add(Entry(config=config, backend=engine, owner=Owner(kind="user", id="5")))
        await shop.rig.registry.refresh("user-5")
        job = await shop.ask()
        await shop.settle()
        assert (await shop.rows())[job] == ("paid", 0.04)
        assert (await shop.budget()).used_usd == 0


async def test_several_jobs_of_one_request_are_paid_together_or_not_at_all() -> None:
    async with counter(PaidBackend(hold=True), person_usd=0.1) as shop:
        service: GenerationService = shop.service
        with pytest.raises(OverBudget, match=r"would cost about \$0.12"):
            await service.submit_all([FOX] * 3, MIA)
        assert await shop.rig.jobs.active() == []
        assert len(await service.submit_all([FOX] * 2, MIA)) == 2


async def test_a_price_above_the_limit_is_drawn_only_for_who_agrees_to_it() -> None:
    async with counter(PaidBackend(), confirm_above_usd=0.05) as shop:
        await shop.ask()
        with pytest.raises(PriceNotAgreed, match=r"about \$0.12, and more than \$0.05") as asked:
            await shop.ask(batch_size=3)
        assert asked.value.usd == pytest.approx(0.12)
        with pytest.raises(PriceNotAgreed):
            await shop.ask(replace(MIA, agreed_usd=0.08), batch_size=3)
        await shop.ask(replace(MIA, agreed_usd=0.12), batch_size=3)
        await shop.rules.change(CHIEF, confirm_above_usd=0.03)
        with pytest.raises(PriceNotAgreed, match=r"more than \$0.03"):
            await shop.ask()


async def test_free_engines_and_cheaper_models_are_offered_and_nothing_is_chosen_for_anybody() -> None:
    models = {"large": 0.2, "small": 0.01, "tiny": 0.02}
    paid = PaidBackend("paid", usd=0.2, models=models)
    async with counter(paid, FakeBackend("free"), PaidBackend("other", usd=0.03), person_usd=0.1) as shop:
        with pytest.raises(OverBudget) as refused:
            await shop.ask(backend="paid")
        offers = [(offer.label, offer.backend, offer.model, offer.usd) for offer in refused.value.offers]
        assert offers == [("free", "free", None, 0.0), ("other", "other", None, 0.03), ("small", "paid", "small", 0.01)]
        await shop.settle()
        assert not any(backend.requests for backend in shop.rig.backends.values())


async def test_an_offer_names_the_price_of_all_that_was_asked_for() -> None:
    paid = PaidBackend("paid", usd=0.2, models={"large": 0.2, "small": 0.01})
    async with counter(paid, person_usd=0.1) as shop:
        with pytest.raises(OverBudget) as refused:
            await shop.service.submit_all([replace(FOX, backend="paid")] * 3, MIA)
        (offer,) = refused.value.offers
        assert (offer.model, offer.usd) == ("small", pytest.approx(0.03))
        assert "small ($0.03)" in str(refused.value.hint)
        agreed = replace(MIA, agreed_usd=offer.usd)
        assert len(await shop.service.submit_all([replace(FOX, backend="paid", model="small")] * 3, agreed)) == 3


async def test_a_refusal_leaves_no_place_in_the_queue_taken() -> None:
    async with counter(PaidBackend(), person_usd=0.01, limits={"max_waiting_per_user": 1}) as shop:
        for __ in range(3):
            with pytest.raises(OverBudget):
                await shop.ask()


async def test_a_budget_that_is_used_up_between_the_check_and_the_commit_still_holds() -> None:
    async with counter(PaidBackend(hold=True), person_usd=0.05) as shop:
        answers = await asyncio.gather(shop.ask(), shop.ask(), return_exceptions=True)
        kinds = sorted(type(answer).__name__ for answer in answers)
        assert kinds == ["OverBudget", "str"]
        assert next(error for error in answers if isinstance(error, GenerationError)).retry_after


async def test_who_is_forgotten_is_in_no_books_and_has_no_new_day() -> None:
    async with counter(PaidBackend(), person_usd=0.05) as shop:
        job = await shop.ask()
        await shop.settle()
        await WordStore(shop.rig.database).forget_person(MIA.user_key, "forgotten:1")  # type: ignore[arg-type]
        (entry,) = await shop.charges.books("", limit=10)
        assert (entry.user_key, entry.cost_usd) == ("forgotten:1", 0.04)
        with pytest.raises(OverBudget):
            await shop.ask()
        await shop.rig.clock.advance(3 * 86400)
        await shop.budgets.prune()
        rows = await shop.rig.database.fetch("SELECT budget_key FROM charges WHERE job_id = ?", (job,))
        assert [row["budget_key"] for row in rows] == [""]
