"""From a draft to a job: which engine, what is refused and why, the cache, and what people may do with a job."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest

from backends.base import BackendConfig
from backends.registry import Entry, Owner
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendUnavailable, CapabilityError, LimitReached, NotAllowed, RequestRejected
from generation.job import Job, JobStatus, Origin
from generation.person import Person
from generation.request import Draft, GenerationRequest, Lora, Mode
from generation.result import JobResult
from services.drawing.generation import GenerationService
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig

ANN = Origin(door="test", user_id="ann", guild_id="g", channel_id="c")
DONE, CANCELLED, QUEUED = JobStatus.DONE, JobStatus.CANCELLED, JobStatus.QUEUED
UPSCALES_ONLY = Capabilities(modes=frozenset({Mode.UPSCALE}))


class FakeMedia:
    """Remembers results by engine and request, as the media store does."""

    def __init__(self) -> None:
        self.results: dict[tuple[str, str], str] = {}
        self.gone: set[str] = set()
        self.discarded: list[str] = []

    def remember(self, job: Job) -> None:
        self.results[(job.lane, job.drawn.key())] = job.id

    async def recall(self, lane: str, request: GenerationRequest, asked: GenerationRequest) -> str | None:
        return self.results.get((lane, request.key()))

    async def has_all(self, result: JobResult) -> bool:
        return not self.gone.intersection(image.media_id for image in result.images)

    async def discard(self, job_id: str) -> None:
        self.discarded.append(job_id)


@dataclass
class House:
    rig: Rig
    service: GenerationService
    preferences: PreferenceStore
    media: FakeMedia = field(default_factory=FakeMedia)

    async def engine(self, name: str, owner: str = "easel", *, is_down: bool = False, **how: object) -> FakeBackend:
        """Connect an engine: its owner is "easel", "user:ID" or "guild:ID"."""
        fallback = bool(how.pop("is_fallback", False))
        backend = FakeBackend(name, **how)  # type: ignore[arg-type]
        kind, _, owner_id = owner.partition(":")
        config = BackendConfig(name=name, kind="fake", label=name.capitalize())
        entry = Entry(config=config, backend=backend, owner=Owner(kind=kind, id=owner_id), is_fallback=fallback)
        self.rig.registry.add(entry)
        await self.rig.registry.refresh(name)
        if is_down:
            entry.error = BackendUnavailable(f"{name} is away.")
        self.rig.backends[name] = backend
        return backend

    async def ask(self, prompt: str = "a fox", origin: Origin = ANN, **reply: object) -> Job:
        fresh = bool(reply.pop("fresh", False))
        view = await self.service.submit(Draft(prompt=prompt, **reply), origin, fresh=fresh)  # type: ignore[arg-type]
        await self.rig.settle()
        job = await self.rig.row(view.job)
        if job.status is DONE:
            self.media.remember(job)
        return job


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with queue_rig(cooldown_s=0, max_waiting_per_user=5) as rig:
        preferences = PreferenceStore(rig.database)  # type: ignore[arg-type]
        media = FakeMedia()
        service = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=media,  # type: ignore[arg-type]
            preferences=preferences,
            clock=rig.clock,
        )
        yield House(rig, service, preferences, media)


async def test_what_was_not_said_comes_from_user_then_channel_then_guild_then_engine(house: House) -> None:
    await house.engine("gpu")
    await house.preferences.set("user:test:ann", Draft(steps=11))
    await house.preferences.set("channel:c", Draft(steps=12, width=640, height=640))
    await house.preferences.set("guild:g", Draft(steps=13, width=704, height=704, cfg_scale=3.0))
    job = await house.ask()
    assert (job.request.steps, job.request.width, job.request.cfg_scale) == (11, 640, 3.0)
    assert (await house.ask(steps=14)).request.steps == 14
    stranger = await house.ask(origin=Origin(door="test", user_id="bob"))
    assert (stranger.request.steps, stranger.request.cfg_scale) == (20, 7.0)


@pytest.mark.parametrize(
    ("engines", "chosen"),
    [
        ({"shared": "easel", "server": "guild:g", "own": "user:ann"}, ("own", "server", "shared")),
        ({"shared": "easel", "server": "guild:g"}, ("server", "shared")),
        ({"shared": "easel", "server": "guild:elsewhere", "own": "user:bob"}, ("shared",)),
    ],
)
async def test_ones_own_engine_comes_before_the_servers_and_everybodys(
    house: House, engines: dict[str, str], chosen: tuple[str, ...]
) -> None:
    for name, owner in engines.items():
        await house.engine(name, owner)
    job = await house.ask()
    assert job.lane == chosen[0]
    assert job.candidates == chosen


async def test_a_healthy_engine_comes_before_a_broken_one_of_ones_own(house: House) -> None:
    await house.engine("own", "user:ann", is_down=True)
    await house.engine("shared")
    assert (await house.ask()).candidates == ("shared", "own")


async def test_what_costs_money_is_asked_last_unless_it_is_named(house: House) -> None:
    await house.engine("cloud", "user:ann", is_paid=True)
    await house.engine("shared")
    assert (await house.ask()).candidates == ("shared", "cloud")
    assert (await house.ask(backend="cloud")).lane == "cloud"


async def test_the_engine_that_has_the_model_in_memory_is_preferred(house: House) -> None:
    able = Capabilities(modes=frozenset(Mode), models=(ModelInfo(name="a", title="a"), ModelInfo(name="b", title="b")))
    await house.engine("first", capabilities=able)
    await house.engine("second", capabilities=able)
    await house.ask(model="a", backend="first")
    await house.ask(model="b", backend="second")
    assert (await house.ask(model="b")).lane == "second"
    assert (await house.ask(model="a")).lane == "first"


async def test_jobs_of_a_group_are_due_apart_from_single_ones(house: House) -> None:
    await house.engine("gpu", hold=True)
    single = await house.ask()
    shared = await house.ask(origin=replace(ANN, group_id="g1"))
    assert [job.id for job in await house.service.due("test")] == [single.id]
    groups = await house.service.due_in_groups("test")
    assert [job.id for job in groups["g1"]] == [shared.id]


async def test_among_equals_the_shortest_wait_is_chosen(house: House) -> None:
    await house.engine("one", hold=True)
    await house.engine("two", hold=True)
    assert [(await house.ask()).lane for _ in range(4)] == ["one", "two", "one", "two"]


async def test_what_is_asked_for_at_the_same_moment_is_spread_over_the_engines(house: House) -> None:
    for name in ("one", "two", "three"):
        await house.engine(name, hold=True)
    people = [Origin(door="test", user_id=f"user{n}") for n in range(6)]
    jobs = await asyncio.gather(*(house.ask(origin=origin) for origin in people))
    assert sorted(job.lane for job in jobs) == ["one", "one", "three", "three", "two", "two"]


async def test_the_fallback_is_used_only_alone_or_by_name(house: House) -> None:
    await house.engine("sketch", is_fallback=True)
    assert (await house.ask()).lane == "sketch"
    await house.engine("gpu")
    assert (await house.ask()).candidates == ("gpu",)
    assert (await house.ask(backend="sketch")).candidates == ("sketch",)


async def test_an_engine_is_found_by_label_and_an_unknown_one_names_those_there_are(house: House) -> None:
    await house.engine("gpu")
    await house.engine("grid")
    assert (await house.ask(backend="Grid")).lane == "grid"
    with pytest.raises(RequestRejected, match=r"no engine “nope” here\. Available: Gpu, Grid"):
        await house.ask(backend="nope")


async def test_a_refusal_names_every_engines_reason(house: House) -> None:
    await house.engine("up", capabilities=UPSCALES_ONLY)
    await house.engine("gpu", capabilities=Capabilities(modes=frozenset(Mode), loras=()))
    with pytest.raises(CapabilityError) as refusal:
        await house.ask(loras=(Lora(name="ink"),))
    assert "Up: it cannot do txt2img" in refusal.value.user_message
    assert "Gpu: it has no LoRA “ink”" in refusal.value.user_message


async def test_an_only_engine_that_never_answered_says_why_itself(house: House) -> None:
    backend = await house.engine("gpu")
    entry = house.rig.registry.get("gpu")
    assert entry
    entry.capabilities = None
    backend.is_down = BackendUnavailable("It is away.", hint="Start it.")
    await house.rig.advance(5)
    with pytest.raises(BackendUnavailable, match="It is away"):
        await house.ask()


async def test_a_request_without_words_is_refused_and_an_upscale_is_not(house: House) -> None:
    await house.engine("gpu")
    with pytest.raises(RequestRejected, match="Say what you would like to see"):
        await house.ask(prompt="")
    with pytest.raises(RequestRejected):
        await house.ask(steps=100_000)


async def test_limits_hold_and_what_comes_together_is_refused_together(house: House) -> None:
    await house.engine("gpu", hold=True)
    with pytest.raises(LimitReached):
        async with house.service.together(6) as submission:
            await submission.add(Draft(prompt="a fox"), ANN)
    assert await house.rig.jobs.active() == []


async def test_remarks_of_the_parser_and_of_the_fit_go_with_the_job(house: House) -> None:
    await house.engine("gpu")
    view = await house.service.submit(Draft(prompt="a fox", width=515, height=512), ANN, notes=("unknown --foo",))
    assert view.job.notes[0] == "unknown --foo"
    assert len(view.job.notes) == 2


async def test_the_same_request_with_its_own_seed_is_answered_from_the_cache_and_says_so(house: House) -> None:
    gpu = await house.engine("gpu")
    first = await house.ask(seed=7)
    again = await house.ask(seed=7)
    assert len(gpu.requests) == 1
    assert again.id != first.id
    assert again.result
    assert first.result
    assert again.result.from_cache
    assert again.result.images == first.result.images
    assert (again.result.seconds, again.status) == (0.0, DONE)


async def test_the_cache_answers_neither_without_a_seed_nor_a_fresh_request_nor_when_pictures_are_gone(
    house: House,
) -> None:
    gpu = await house.engine("gpu")
    first = await house.ask(seed=7)
    await house.ask(seed=first.request.seed, fresh=True)
    await house.ask(seed=8)
    await house.ask()
    assert len(gpu.requests) == 4
    last = await house.ask(seed=9)
    assert last.result
    house.media.gone.add(last.result.images[0].media_id)
    await house.ask(seed=9)
    assert len(gpu.requests) == 6


async def test_a_preferred_seed_is_not_an_explicit_one(house: House) -> None:
    gpu = await house.engine("gpu")
    await house.preferences.set("user:test:ann", Draft(seed=5))
    await house.ask()
    await house.ask()
    assert len(gpu.requests) == 2


async def test_running_again_draws_a_new_seed_and_stays_on_the_engine(house: House) -> None:
    await house.engine("gpu")
    await house.engine("grid")
    old = await house.ask(backend="grid", steps=25, seed=7)
    view = await house.service.again(old.id, ANN)
    new = view.job
    assert (new.lane, new.request.steps, new.request.prompt) == ("grid", 25, "a fox")
    assert new.request.seed != 7
    assert new.origin.parent_job_id == old.id


async def test_running_again_with_changes_takes_them_and_can_go_elsewhere_or_forget(house: House) -> None:
    await house.engine("gpu")
    await house.engine("grid")
    old = await house.ask(backend="grid", negative_prompt="blur", seed=7)
    same = await house.service.again(old.id, ANN, Draft(seed=7, backend="gpu"))
    assert (same.job.lane, same.job.request.seed, same.job.request.negative_prompt) == ("gpu", 7, "blur")
    dropped = await house.service.again(old.id, ANN, drop=("negative_prompt",))
    assert dropped.job.request.negative_prompt == ""


async def test_a_new_prompt_forgets_the_loras_of_the_old_one(house: House) -> None:
    await house.engine("gpu", capabilities=Capabilities(modes=frozenset(Mode), loras=("ink",)))
    old = await house.ask(loras=(Lora(name="ink"),))
    assert (await house.service.again(old.id, ANN)).job.request.loras == (Lora(name="ink"),)
    assert (await house.service.again(old.id, ANN, Draft(prompt="a cat"))).job.request.loras == ()


async def test_the_cache_answers_for_a_day_although_a_favourite_is_kept_longer(house: House) -> None:
    await house.engine("gpu")
    await house.ask(seed=7)
    ends = house.rig.clock.now().timestamp() + 10
    await house.rig.database.write("UPDATE jobs SET result = json_set(result, '$.expires_at', ?)", (ends,))
    assert (await house.ask(seed=7)).result.from_cache
    await house.rig.advance(11)
    assert not (await house.ask(seed=7)).result.from_cache


async def test_running_again_the_same_seed_bypasses_the_cache(house: House) -> None:
    gpu = await house.engine("gpu")
    old = await house.ask(seed=7)
    await house.service.again(old.id, ANN, Draft(seed=7))
    await house.rig.settle()
    assert len(gpu.requests) == 2


async def test_running_again_goes_elsewhere_when_the_engine_is_gone(house: House) -> None:
    await house.engine("gpu")
    await house.engine("grid")
    old = await house.ask(backend="grid")
    await house.rig.registry.remove("grid")
    assert (await house.service.again(old.id, ANN)).job.lane == "gpu"


async def test_only_the_asker_and_moderators_move_a_waiting_job_up(house: House) -> None:
    await house.engine("gpu", hold=True)
    _, second, third = [await house.ask(f"fox {number}") for number in range(3)]
    ann, bob = Person(user_key="test:ann"), Person(user_key="test:bob", channel_id="c")
    with pytest.raises(NotAllowed, match="may move it"):
        await house.service.move_up(third.id, bob)
    assert (await house.service.move_up(third.short_id, ann)).position == 1
    assert (await house.service.move_up(second.id, replace(bob, is_moderator=True))).position == 1
    with pytest.raises(RequestRejected, match="not waiting behind another"):
        await house.service.move_up(second.id, ann)


async def test_only_the_asker_and_moderators_cancel_or_delete(house: House) -> None:
    await house.engine("gpu", hold=True)
    jobs = [await house.ask() for _ in range(3)]
    bob = Person(user_key="test:bob", channel_id="c")
    with pytest.raises(NotAllowed, match="may cancel it"):
        await house.service.cancel(jobs[0].id, bob)
    with pytest.raises(NotAllowed, match="may delete it"):
        await house.service.delete(jobs[0].id, bob)
    assert await house.service.cancel(jobs[0].short_id, Person(user_key="test:ann"))
    assert await house.service.cancel(jobs[1].id, replace(bob, is_moderator=True))
    assert await house.service.cancel(jobs[1].id, Person(user_key="test:ann")) is None
    await house.service.delete(jobs[2].id, Person(user_key="test:ann"))
    assert {await house.rig.status(job) for job in jobs} == {CANCELLED}


async def test_deleting_forgets_the_pictures_but_not_those_of_another_job(house: House) -> None:
    await house.engine("gpu")
    first, cached = await house.ask(seed=7), await house.ask(seed=7)
    assert cached.result
    assert cached.result.from_cache
    for job in (cached, first):
        await house.service.delete(job.id, Person(user_key="test:ann"))
    assert house.media.discarded == [cached.id, first.id]  # the first one has drawn nothing


async def test_an_unknown_job_is_refused(house: House) -> None:
    with pytest.raises(RequestRejected, match="There is no job ffffff"):
        await house.service.get("ffffff")


async def test_a_lane_is_emptied(house: House) -> None:
    await house.engine("gpu", hold=True)
    await house.engine("grid", hold=True)
    for name in ("gpu", "gpu", "grid"):
        await house.ask(backend=name)
    assert await house.service.cancel_lane("gpu") == 2
    assert [job.lane for job in await house.rig.jobs.active()] == ["grid"]


async def test_what_is_active_and_what_is_due(house: House) -> None:
    await house.engine("gpu", hold=True)
    first = await house.ask()
    await house.rig.advance(1)
    second = await house.ask()
    assert [view.job.id for view in await house.service.active_of("test:ann")] == [first.id, second.id]
    house.rig.backends["gpu"].release()
    await house.rig.settle()
    assert [job.id for job in await house.service.due("test")] == [first.id, second.id]
    assert await house.service.due("another") == []
    assert await house.service.delivered(first.id)
    assert not await house.service.delivered(first.id)
    assert [job.id for job in await house.service.due("test")] == [second.id]


async def test_an_engine_is_called_by_its_label(house: House) -> None:
    await house.engine("gpu")
    assert (house.service.label("gpu"), house.service.label("gone")) == ("Gpu", "gone")
