"""Jobs at Replicate: begun, limited, found again, announced, taken back."""

import asyncio
from dataclasses import replace

import pytest

from backends.base import BackendConfig, unnoted
from backends.kinds import make_backend
from backends.replicate.backend import ReplicateBackend
from generation.capabilities import Refused, fit
from generation.errors import BackendError, CapabilityError, RateLimited
from generation.job import Progress
from generation.request import Mode
from tests.backends.queued_rig import fitted, ignore, know_none
from tests.backends.test_replicate_answers import FLUX, LIGHTNING, asked, drawn_by, picture
from tests.backends.test_replicate_contract import connect
from tests.engines.listener import Fault
from tests.engines.replicate_server import ERRORS, KEY, ReplicateServer
from tests.waiting import until
from utils.clock import SystemClock


class HastyClock(SystemClock):
    """A clock whose waits are over at once."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.offset_s

    async def sleep(self, seconds: float) -> None:
        self.offset_s += seconds
        await super().sleep(min(seconds, 0.005))

    async def wait(self, bell: asyncio.Event, seconds: float) -> None:
        await super().wait(bell, min(seconds, 0.005))
        if not bell.is_set():
            self.offset_s += seconds


async def test_a_large_picture_is_sent_as_a_file_once() -> None:
    async with ReplicateServer() as server:
        large = picture(noise=True)
        assert len(large.data) > 256 * 1024
        await drawn_by(server, asked(mode=Mode.IMG2IMG, init_image=large, batch_size=2))
        assert list(server.files.values()) == [large.data]
        assert [run.sources["image"] for run in server.runs.values()] == [large.data] * 2


async def test_a_prediction_is_given_no_more_time_than_the_job_has() -> None:
    async with ReplicateServer() as server:
        await drawn_by(server, asked(), timeout_s=120.0)
        assert [run.deadline for run in server.runs.values()] == ["120s"]


async def test_what_is_drawn_is_kept_where_another_picture_of_it_fails() -> None:
    async with ReplicateServer() as server:
        server.plans += ["draw", "nsfw", "draw"]
        result = await drawn_by(server, asked(batch_size=3))
        assert ([image.seed for image in result.images], result.is_complete) == ([812, 814], False)
        assert any(ERRORS["nsfw"] in note for note in result.notes)
        assert result.cost_usd == pytest.approx(0.006)


async def test_a_small_account_waits_for_its_next_picture_and_a_first_one_pauses_the_lane() -> None:
    slow = (429, {"detail": "Request was throttled.", "status": 429, "retry_after": 1})
    async with ReplicateServer() as server:
        server.refusals.append(slow)
        with pytest.raises(RateLimited) as caught:
            await drawn_by(server, asked())
        assert (caught.value.retry_after, server.runs) == (1.0, {})
        backend = connect(server, clock=HastyClock())
        request = await fitted(backend, asked(batch_size=3))
        server.refusals = [None, slow, None, slow, slow, None]
        assert len((await backend.generate(request, ignore)).images) == 3
        server.refusals = [None, (429, {**slow[1], "retry_after": 60})]
        result = await backend.generate(request, ignore)
        assert (len(result.images), result.notes) == (1, ("Replicate asks us to slow down.",))
        await backend.aclose()


async def test_a_model_has_the_limit_that_is_set_for_it() -> None:
    async with ReplicateServer() as server:
        backend = connect(server, options={"limits": "flux-schnell=1/60"})
        request = await fitted(backend, asked())
        await backend.generate(request, ignore)
        with pytest.raises(RateLimited) as caught:
            await backend.generate(request, ignore)
        assert 50 < (caught.value.retry_after or 0) <= 61
        await backend.generate(await fitted(backend, asked(model="Flux Dev")), ignore)
        await backend.aclose()


@pytest.mark.parametrize("options", [{"limits": "flux-schnell"}, {"models": "flux"}, {"limits": "a/b=0/5"}])
def test_a_setting_that_cannot_be_read_is_said_at_the_start(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="must be"):
        make_backend(BackendConfig(name="replicate", kind="replicate", options=options))


async def test_any_other_model_is_taken_only_where_the_owner_allows_it() -> None:
    async with ReplicateServer() as server:
        usual = f"{FLUX}-schnell"
        backend = connect(server, options={"models": usual})
        assert isinstance(fit(asked(model=LIGHTNING), await backend.capabilities()), Refused)
        await backend.aclose()
        result = await drawn_by(server, asked(model=LIGHTNING), options={"models": usual, "any_model": "yes"})
        assert result.model == LIGHTNING
        with pytest.raises(CapabilityError, match="no such model"):
            await drawn_by(server, asked(model="nobody/nothing"), options={"any_model": "yes"})


async def test_a_pinned_version_is_the_one_that_runs() -> None:
    async with ReplicateServer() as server:
        slug = f"{LIGHTNING}:{server.models[LIGHTNING]['version']}"
        result = await drawn_by(server, asked(model=slug), options={"models": slug, "model": slug})
        assert (result.model, len(server.runs)) == (slug, 1)
        assert result.cost_usd == pytest.approx(0.0028)


async def test_a_model_that_is_gone_is_left_out_and_the_others_draw() -> None:
    async with ReplicateServer() as server:
        backend = connect(server)
        can = await backend.capabilities()
        listed = [model.title for model in can.models or ()]
        assert listed[:3] == ["Flux Schnell", "Flux Dev", "Flux Pro"]
        assert "Flux 3" not in listed
        assert can.upscalers == ("Real-ESRGAN 2x", "Real-ESRGAN 4x")
        await backend.aclose()


async def test_its_key_goes_to_its_api_alone() -> None:
    async with ReplicateServer() as server:
        await drawn_by(server, asked(batch_size=2))
        assert (server.leaked, server.count("GET", "/delivery/")) == (0, 2)


async def test_a_job_whose_id_was_lost_is_found_and_no_other() -> None:
    """Killed between sending and storing the id: the intent is all there is."""
    async with ReplicateServer() as server:
        server.hold()
        first, intents = connect(server), []
        request = await fitted(first, asked(batch_size=2))

        async def note(intent: str) -> None:
            intents.append(intent)

        remote_id = await first.start(request, note)
        again = connect(server)

        async def taken() -> list[str]:
            return [remote_id]

        assert await again.find(intents[0], replace(request, seed=5), know_none) is None
        assert await again.find(intents[0], request, taken) is None
        assert await again.find(intents[0], request, know_none) == remote_id
        server.release()
        while not (await again.poll(remote_id)).is_finished:
            await asyncio.sleep(0.005)
        result = await again.fetch(remote_id, request)
        assert (len(result.images), len(server.runs)) == (2, 2)
        await first.aclose()
        await again.aclose()


async def test_the_second_of_two_equal_jobs_is_never_taken_for_the_first() -> None:
    async with ReplicateServer() as server:
        backend = connect(server)
        request = await fitted(backend, asked())
        await backend.generate(request, ignore)
        server.faults.append(Fault(kind="status", path="/predictions", status=500, body="no"))
        with pytest.raises(BackendError):
            await backend.generate(request, ignore)
        assert len(server.runs) == 1
        await backend.aclose()


async def test_cancelling_takes_back_what_has_begun() -> None:
    async with ReplicateServer() as server:
        server.hold()
        backend = connect(server)
        job = asyncio.create_task(backend.generate(await fitted(backend, asked(batch_size=3)), ignore))
        await until(lambda: len(server.runs) == 3)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await until(lambda: {run.status for run in server.runs.values()} == {"canceled"})
        await backend.aclose()


async def test_a_webhook_has_it_asked_for_at_once() -> None:
    """The pause between two questions is an hour here: only the announcement can end it."""
    async with ReplicateServer() as server:
        server.hold()
        options = {"webhook_url": "https://easel.example/webhooks/replicate"}
        backend = connect(server, options=options)
        backend._poller._pace = replace(backend._poller._pace, announced_s=3600.0)
        request = await fitted(backend, asked())
        remote_id = await backend.start(request, unnoted)
        run = server.runs[remote_id]
        assert run.webhook == options["webhook_url"]
        run.webhook = ""  # there is nobody at that address
        assert not (await backend.poll(remote_id)).is_finished
        waiting = asyncio.create_task(backend.poll(remote_id))
        server.release()
        await until(lambda: run.has_ended)
        assert not waiting.done()
        assert not backend.announce("p-unknown")
        assert backend.announce(run.id)
        assert (await waiting).is_finished
        assert len((await backend.fetch(remote_id, request)).images) == 1
        await backend.aclose()


async def test_progress_comes_from_the_models_log() -> None:
    async with ReplicateServer() as server:
        server.polls_needed = 3
        seen: list[Progress] = []

        async def report(progress: Progress) -> None:
            seen.append(progress)

        backend = connect(server)
        await backend.generate(await fitted(backend, asked()), report)
        assert any(progress.fraction == 0.38 and progress.note == "being drawn" for progress in seen)
        await backend.aclose()


async def test_the_pauses_between_two_questions_grow() -> None:
    async with ReplicateServer() as server:
        server.hold()
        for options, expected in (({}, [1.0, 1.25, 1.5625]), ({"webhook_url": "https://easel.example/x"}, [0.0] * 3)):
            config = BackendConfig(name="r", kind="replicate", url=server.url, key=KEY, options=options)
            clock = HastyClock()
            backend = ReplicateBackend(config, clock=clock)
            remote_id = await backend.start(await fitted(backend, asked()))
            began = clock.offset_s
            waits = [(await backend.poll(remote_id)).poll_after_s for _ in range(12)]
            assert waits[:3] == expected
            assert waits[-1] == (5.0 if not options else 0.0)
            assert clock.offset_s - began == pytest.approx(11 * 15.0 if options else 0.0)
            await backend.cancel(remote_id)
            await backend.aclose()


async def test_a_models_inputs_are_read_again_after_an_hour() -> None:
    async with ReplicateServer() as server:
        clock = HastyClock()
        backend = connect(server, clock=clock)
        for later_s, reads in ((0.0, 8), (3000.0, 8), (700.0, 16)):
            clock.offset_s += later_s
            await backend.capabilities()
            assert server.count("GET", "/v1/models/") - server.count("GET", "/versions/") == reads
        await backend.aclose()


async def test_a_model_that_needs_more_says_so() -> None:
    async with ReplicateServer() as server:
        slug = f"{FLUX}-schnell"
        server.models[slug]["schema"]["components"]["schemas"]["Input"]["required"].append("aspect_ratio")
        server.models[slug]["schema"]["components"]["schemas"]["Input"]["properties"]["song"] = {"type": "string"}
        server.models[slug]["schema"]["components"]["schemas"]["Input"]["required"].append("song")
        with pytest.raises(CapabilityError, match="Flux Schnell needs “song”"):
            await drawn_by(server, asked(model="Flux Schnell"))
        assert server.runs == {}
