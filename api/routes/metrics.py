"""Figures for Prometheus, in its own text format."""

import asyncio
from collections.abc import Iterator
from typing import Final

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from api.caller import Reader
from api.context import Web, web_of
from api.errors import errors
from api.events import lane_state
from api.routing import Router
from generation.errors import NotAllowed
from generation.person import Person
from lazy import dataclass
from services.drawing.generation import LaneView
from services.money.books import MoneyTotals
from services.reports.bus_state import BusFigures
from services.reports.statistics import DailyCost, Metrics
from services.wording.asking import TextUse
from utils.loops import LoopState

router = Router(tags=["health"], responses=errors(401, 403))

TIMER_S: Final = 0.01
MOST_NAME_CHARS: Final = 100
MOST_PEOPLE: Final = 100  # each is a series of its own
TEXT: Final = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus's text format."}


@router.get("/metrics", response_class=Response, responses={200: TEXT})
async def metrics(request: Request, caller: Reader) -> Response:
    """Figures for Prometheus: for whoever sits at this machine, keys and admins."""
    if caller.how in ("session", "link") and not caller.is_admin:
        raise NotAllowed("These figures are the owner's. /api/dashboard shows your own.")
    web = web_of(request)
    statistics = web.services.records.statistics
    registry = CollectorRegistry()
    registry.register(
        _Collector(
            figures=await statistics.metrics(),
            people=await statistics.costs(caller, days=1),
            texts=await web.services.wording.totals(),
            money=await web.services.money.books.totals(),
            rented_usd=await web.services.money.books.rented_usd(),
            lanes=web.services.generation.lanes(),
            memory=await _memory(web, caller),
            bus=await web.own.bus.figures(),
            labels=_labels(web),
            streams=web.hub.streams,
            loops=web.services.loops.states(),
            refusals=dict(web.services.records.alerts.refusals),
            lag_s=await _loop_lag(),
        )
    )
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Collector(Collector):
    """The figures of one scrape, put into Prometheus's words."""

    figures: Metrics
    people: list[DailyCost]
    texts: list[TextUse]
    money: MoneyTotals
    rented_usd: float
    lanes: list[LaneView]
    memory: list[tuple[str, str, str, int]]  # engine, device, "free" or "total", bytes
    bus: BusFigures | None
    labels: dict[str, str]
    streams: int
    loops: list[LoopState]
    refusals: dict[str, int]
    lag_s: float

    def collect(self) -> Iterator[Metric]:
        yield from self._of_engines()
        yield from self._of_lanes()
        yield from self._of_bus()
        yield from self._of_people()
        yield from self._of_texts()
        yield from self._of_money()
        yield self._of_loops()
        yield self._of_refusals()
        yield GaugeMetricFamily("easel_generations_hour", "Jobs done this hour.", self.figures.generations_this_hour)
        yield GaugeMetricFamily("easel_failed_hour", "Jobs failed this hour.", self.figures.failed_this_hour)
        yield GaugeMetricFamily("easel_cost_today_usd", "Cost of today (UTC).", self.figures.cost_today_usd)
        yield GaugeMetricFamily("easel_users_today", "People whose jobs ended today (UTC).", self.figures.users_today)
        yield GaugeMetricFamily("easel_event_streams", "Open event streams.", self.streams)
        yield GaugeMetricFamily("easel_loop_lag_seconds", "How late a timer of the event loop was.", self.lag_s)

    def _of_refusals(self) -> Metric:
        refusals = CounterMetricFamily("easel_house_refusals", "Requests that house rules refused.", labels=["rule"])
        for rule, count in self.refusals.items():
            refusals.add_metric([rule], count)
        return refusals

    def _of_engines(self) -> Iterator[Metric]:
        jobs = CounterMetricFamily("easel_jobs", "Jobs that ended, by engine and status.", labels=["engine", "status"])
        pictures = CounterMetricFamily("easel_pictures", "Pictures drawn.", labels=["engine"])
        cost = CounterMetricFamily("easel_cost_usd", "What jobs have cost in US dollars.", labels=["engine"])
        seconds = SummaryMetricFamily("easel_job_seconds", "How long drawn jobs took.", labels=["engine"])
        success = GaugeMetricFamily("easel_success_ratio", "Share of jobs that did not fail.", labels=["engine"])
        errors_ratio = GaugeMetricFamily("easel_error_ratio", "Share of jobs that failed.", labels=["engine"])
        for item in self.figures.engines:
            figures, engine = item.figures, [item.label]
            ends = {
                "done": figures.generations,
                "failed": figures.failed,
                "cancelled": figures.cancelled,
                "expired": figures.expired,
            }
            for status, number in ends.items():
                jobs.add_metric([*engine, status], number)
            pictures.add_metric(engine, figures.images)
            cost.add_metric(engine, figures.cost_usd)
            seconds.add_metric(engine, figures.drawn, figures.seconds)
            if figures.success_rate is not None and figures.error_rate is not None:
                success.add_metric(engine, figures.success_rate)
                errors_ratio.add_metric(engine, figures.error_rate)
        yield from (jobs, pictures, cost, seconds, success, errors_ratio)

    def _of_lanes(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("easel_queue_waiting", "Jobs that wait.", labels=["engine"])
        running = GaugeMetricFamily("easel_queue_running", "Jobs that run.", labels=["engine"])
        wait = GaugeMetricFamily("easel_queue_wait_seconds", "Until a new job would start.", labels=["engine"])
        usable = GaugeMetricFamily("easel_engine_usable", "1 while it takes jobs.", labels=["engine"])
        for lane in self.lanes:
            engine = [self.labels.get(lane.name, lane.name)]
            waiting.add_metric(engine, lane.waiting)
            running.add_metric(engine, lane.running)
            wait.add_metric(engine, lane.wait_s)
            usable.add_metric(engine, lane_state(lane) in ("up", "busy"))
        yield from (waiting, running, wait, usable)

    def _of_bus(self) -> Iterator[Metric]:
        labels = ["engine", "device", "kind"]
        memory = GaugeMetricFamily("easel_engine_memory_bytes", "Of a GPU, where told.", labels=labels)
        for engine, device, kind, size in self.memory:
            memory.add_metric([engine, device, kind], size)
        yield memory
        if self.bus is not None:
            yield GaugeMetricFamily("easel_bus_up", "1 while the message bus answers.", self.bus.is_up)
            yield GaugeMetricFamily("easel_bus_untold", "Finished jobs it is to be told of.", self.bus.untold)

    def _of_money(self) -> Iterator[Metric]:
        money = self.money
        yield CounterMetricFamily("easel_charged_usd", "What jobs and answers were charged, by the books.", money.paid)
        yield CounterMetricFamily("easel_refunded_usd", "Reserved for jobs that then cost nothing.", money.refunded)
        yield GaugeMetricFamily("easel_reserved_usd", "Reserved for jobs that have not ended.", money.reserved)
        yield CounterMetricFamily("easel_rented_usd", "What rented machines have cost.", self.rented_usd)

    def _of_loops(self) -> Metric:
        restarts = CounterMetricFamily("easel_loop_restarts", "Parts of Easel that died.", labels=["loop"])
        for loop in self.loops:
            restarts.add_metric([loop.name], loop.restarts)
        return restarts

    def _of_people(self) -> Iterator[Metric]:
        cost = GaugeMetricFamily("easel_user_cost_today_usd", "What one person's jobs of today cost.", labels=["user"])
        sums: dict[str, float] = {}
        for entry in self.people:
            sums[entry.user_key] = sums.get(entry.user_key, 0.0) + entry.cost_usd
        for user, usd in sorted(sums.items(), key=lambda item: -item[1])[:MOST_PEOPLE]:
            cost.add_metric([user], usd)
        yield cost

    def _of_texts(self) -> Iterator[Metric]:
        answers = CounterMetricFamily(
            "easel_text_answers", "Questions to the text engine.", labels=["model", "purpose", "status"]
        )
        tokens = CounterMetricFamily("easel_text_tokens", "Tokens it read and wrote.", labels=["model", "direction"])
        cost = CounterMetricFamily("easel_text_cost_usd", "What they have cost in US dollars.", labels=["model"])
        for model in dict.fromkeys(use.model for use in self.texts):
            uses = [use for use in self.texts if use.model == model]
            for use in uses:
                answers.add_metric([model, use.purpose, "done"], use.answered)
                answers.add_metric([model, use.purpose, "failed"], use.failed)
            tokens.add_metric([model, "in"], sum(use.tokens_in for use in uses))
            tokens.add_metric([model, "out"], sum(use.tokens_out for use in uses))
            cost.add_metric([model], sum(use.cost_usd for use in uses))
        yield from (answers, tokens, cost)


async def _memory(web: Web, caller: Person) -> list[tuple[str, str, str, int]]:
    """Return the memory of GPUs whose engines tell it."""
    catalog, labels, found = web.services.catalog, _labels(web), []
    for name, devices in (await catalog.memory(catalog.engines(caller, with_fallback=True))).items():
        for device, each in {each.device[:MOST_NAME_CHARS]: each for each in devices}.items():
            engine = labels.get(name, name), device
            found += [(*engine, "free", each.free_bytes), (*engine, "total", each.total_bytes)]
    return found


def _labels(web: Web) -> dict[str, str]:
    """Return the names of all engines; two of the same name are told apart by their lanes."""
    names: dict[str, str] = {}
    for lane in web.services.generation.lanes():
        label = web.services.generation.label(lane.name)
        names[lane.name] = f"{label} ({lane.name})" if label in names.values() else label
    return names


async def _loop_lag() -> float:
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.sleep(TIMER_S)
    return max(0.0, loop.time() - before - TIMER_S)
