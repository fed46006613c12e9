"""Jobs on a stand-in app over a real socket: one at a time, what is reported, login, pictures to start from."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from backends.base import BackendConfig
from backends.gradio_flux.backend import GradioFluxBackend
from generation.errors import BackendAuthError, BackendUnavailable, CapabilityError, RateLimited
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from tests.backends.test_gradio_flux_contract import connect
from tests.engines.gradio_app import GradioApp
from tests.utils.pictures import picture
from tests.waiting import until

MAJORS = pytest.mark.parametrize("major", [4, 5, 6])


def request(**changes: object) -> GenerationRequest:
    values: dict[str, object] = {
        "prompt": "a fox", "width": 256, "height": 256, "steps": 4, "cfg_scale": 0.0, "seed": 7,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


async def ignore(_: Progress) -> None:
    """Take no notice of progress."""


def recorder() -> tuple[list[Progress], Callable[[Progress], Awaitable[None]]]:
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    return seen, report


async def cancelled(job: asyncio.Task[Any]) -> None:
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job


@MAJORS
async def test_next_picture_is_not_sent_before_a_cancelled_one_has_ended(major: int) -> None:
    async with GradioApp(major) as app:
        backend = connect(app)
        app.engine.hold()
        job = asyncio.create_task(backend.generate(request(prompt="unwanted"), ignore))
        await until(lambda: app.engine.drawing)
        await cancelled(job)
        seen, report = recorder()
        following = asyncio.create_task(backend.generate(request(prompt="wanted"), report))
        await until(lambda: seen)
        await asyncio.sleep(0.03)
        assert [reply["Prompt"] for reply in app.engine.submitted] == ["unwanted"]
        assert seen[0].note == "waiting until the app has ended the picture before"
        app.engine.release()
        await following
        assert app.engine.finished == ["unwanted", "wanted"]
        assert app.engine.most_at_once == 1
        assert not any(path.endswith("/cancel") for _, path in app.requests)
        await backend.aclose()


async def test_cancelled_batch_sends_no_further_picture() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        app.engine.hold()
        job = asyncio.create_task(backend.generate(request(batch_size=4), ignore))
        await until(lambda: app.engine.drawing)
        await cancelled(job)
        app.engine.release()
        await until(lambda: not app.engine.drawing)
        await asyncio.sleep(0.02)
        assert len(app.engine.submitted) == 1
        await backend.aclose()


async def test_nothing_is_reported_after_the_cancellation() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        seen, report = recorder()
        app.engine.hold()
        job = asyncio.create_task(backend.generate(request(), report))
        await until(lambda: seen)
        await cancelled(job)
        count = len(seen)
        app.engine.release()
        await until(lambda: not app.engine.drawing)
        await asyncio.sleep(0.02)
        assert len(seen) == count
        await backend.aclose()


async def test_cancelled_job_that_fails_unseen_frees_the_turn() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        app.engine.hold()
        app.engine.fail_with = ValueError("boom")
        job = asyncio.create_task(backend.generate(request(), ignore))
        await until(lambda: app.engine.drawing)
        await cancelled(job)
        app.engine.release()
        assert (await backend.generate(request(), ignore)).images
        await backend.aclose()


async def test_closing_waits_for_nothing() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        app.engine.hold()
        job = asyncio.create_task(backend.generate(request(), ignore))
        await until(lambda: app.engine.drawing)
        await cancelled(job)
        async with asyncio.timeout(1.0):
            await backend.aclose()


@MAJORS
async def test_each_picture_of_a_batch_can_be_made_again_by_its_seed(major: int) -> None:
    async with GradioApp(major) as app:
        backend = connect(app)
        batch = await backend.generate(request(batch_size=3, seed=2**31 - 2), ignore)
        assert [image.seed for image in batch.images] == [2**31 - 2, 2**31 - 1, 0]
        again = await backend.generate(request(seed=batch.images[1].seed), ignore)
        assert again.images == batch.images[1:2]
        assert all(reply["Randomize seed"] is False for reply in app.engine.submitted)
        assert batch.model == "black-forest-labs/FLUX.1-schnell"
        await backend.aclose()


async def test_seed_that_the_app_reports_is_the_one_that_counts() -> None:
    async with GradioApp() as app:
        app.engine.own_seed = 99
        backend = connect(app)
        assert (await backend.generate(request(), ignore)).images[0].seed == 99
        await backend.aclose()


async def test_app_without_the_names_of_its_parameters_draws() -> None:
    async with GradioApp(4) as app:
        app.info = None
        backend = connect(app)
        assert (await backend.generate(request(), ignore)).images
        await backend.aclose()


async def test_model_that_drew_is_known_as_loaded() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        await backend.generate(request(model="sayakpaul/FLUX.1-merged"), ignore)
        models = (await backend.capabilities()).models or ()
        assert [model.name for model in models if model.is_loaded] == ["sayakpaul/FLUX.1-merged"]
        await backend.aclose()


async def test_progress_of_a_batch_goes_from_picture_to_picture() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        seen, report = recorder()
        await backend.generate(request(batch_size=2), report)
        assert [progress.fraction for progress in seen] == [n / 8 for n in range(8)]
        assert [progress.step for progress in seen] == [0, 1, 2, 3] * 2
        await backend.aclose()


async def test_bars_of_loading_are_no_progress_of_the_picture() -> None:
    def bars(number: int, steps: int) -> list[dict[str, Any]]:
        if number < 2:
            return [{"index": 6, "length": 7, "desc": "Loading pipeline components..."}]
        return [{"index": number, "length": steps, "desc": None}]

    async with GradioApp() as app:
        app.engine.progress = bars
        backend = connect(app)
        seen, report = recorder()
        await backend.generate(request(), report)
        assert [(progress.fraction, progress.note) for progress in seen] == [
            (0.0, "loading the model"), (0.0, "loading the model"), (0.5, ""), (0.75, ""),
        ]  # fmt: skip
        await backend.aclose()


@pytest.mark.parametrize(
    ("bars", "fractions"),
    [
        ([], []),
        ([{"progress": 0.4}], [0.4]),
        ([{"index": None, "length": None, "progress": None}], []),
        ([{"index": 1, "length": 2}, {"index": 1, "length": 4}], [0.25]),
        ([{"index": 9, "length": 3, "unit": {"new": "thing"}}], [1.0]),
    ],
)
async def test_every_form_of_progress_is_read(bars: list[dict[str, Any]], fractions: list[float]) -> None:
    async with GradioApp() as app:
        app.engine.progress = lambda number, _: bars if number == 0 else []
        backend = connect(app)
        seen, report = recorder()
        await backend.generate(request(), report)
        assert [progress.fraction for progress in seen] == fractions
        await backend.aclose()


async def test_people_of_the_web_page_go_first_and_that_is_said() -> None:
    async with GradioApp() as app, _two(app) as (other, backend):
        app.engine.hold()
        first = [asyncio.create_task(other.generate(request(), ignore))]
        await until(lambda: app.engine.drawing)
        stranger = connect(app)
        first.append(asyncio.create_task(stranger.generate(request(), ignore)))
        await until(lambda: app.engine.waiting)
        seen, report = recorder()
        mine = asyncio.create_task(backend.generate(request(), report))
        await until(lambda: seen)
        assert seen[0].note == "1 ahead in the app’s own queue"
        app.engine.release()
        await asyncio.gather(mine, *first)
        await stranger.aclose()


async def test_silent_first_picture_says_that_it_is_at_work() -> None:
    async with GradioApp(heartbeat_s=0.02) as app:
        app.engine.progress = lambda *_: []
        app.engine.hold()
        backend = connect(app, silence_s=0.5)
        seen, report = recorder()
        job = asyncio.create_task(backend.generate(request(), report))
        await until(lambda: any("loads the model" in progress.note for progress in seen))
        app.engine.release()
        assert (await job).images
        await backend.aclose()


async def test_full_queue_of_the_app_pauses_the_lane() -> None:
    async with GradioApp(max_size=1) as app, _two(app) as (other, backend):
        app.engine.hold()
        jobs = [asyncio.create_task(other.generate(request(), ignore))]
        await until(lambda: app.engine.drawing)
        stranger = connect(app)
        jobs.append(asyncio.create_task(stranger.generate(request(), ignore)))
        await until(lambda: app.engine.waiting)
        with pytest.raises(RateLimited) as caught:
            await backend.generate(request(), ignore)
        assert caught.value.retry_after == 10.0
        assert caught.value.user_message == "Flux has a full queue of its own."
        app.engine.release()
        await asyncio.gather(*jobs)
        await stranger.aclose()


@MAJORS
async def test_login_is_done_once_and_again_after_a_restart(major: int) -> None:
    async with GradioApp(major, auth="bot:s3cret:x") as app:
        backend = connect(app, key="bot:s3cret:x")
        for _ in range(2):
            await backend.generate(request(), ignore)
        assert app.logins == 1
        app.forget_logins()
        assert (await backend.generate(request(), ignore)).images
        assert app.logins == 2
        await backend.aclose()


@pytest.mark.parametrize(
    ("key", "words"),
    [("", "wants a user name and a password"), ("token", "wants a user"), ("bot:wrong", "refuses this user name")],
)
async def test_wrong_login_is_told(key: str, words: str) -> None:
    async with GradioApp(auth="bot:s3cret") as app:
        backend = connect(app, key=key)
        with pytest.raises(BackendAuthError) as caught:
            await backend.capabilities()
        assert words in caught.value.user_message
        assert "wrong" not in f"{caught.value} {caught.value.hint}"
        await backend.aclose()


async def test_pictures_are_fetched_once_and_left_where_they_are() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        await backend.generate(request(), ignore)
        assert sum("/file=" in path for _, path in app.requests) == 1
        assert {method for method, _ in app.requests} <= {"GET", "POST", "HEAD"}
        assert not [path for _, path in app.requests if "delete" in path or "cancel" in path]
        assert any(key for key in app.engine.files)
        await backend.aclose()


def test_an_app_may_be_silent_for_three_of_its_signs_of_life() -> None:
    backend = GradioFluxBackend(BackendConfig(name="flux", kind="gradio_flux"))
    assert backend._server._silence.read == 45.0


async def test_picture_to_start_from_is_uploaded_and_named() -> None:
    async with GradioApp(6, "two-tabs-gradio6") as app:
        backend = connect(app)
        source = picture("PNG")
        wanted = request(mode=Mode.IMG2IMG, init_image=SourceImage.of(source), denoising_strength=0.5, seed=0)
        image = (await backend.generate(wanted, ignore)).images[0]
        reply = app.engine.submitted[0]
        assert app.engine.files[reply["Input Image"]["path"]] == source
        assert reply["Input Image"]["meta"] == {"_type": "gradio.FileData"}
        assert reply["Strength"] == 0.5
        assert reply["Seed (0 = random)"] == image.seed != 0
        await backend.aclose()


async def test_app_without_a_picture_input_refuses_img2img() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        with pytest.raises(CapabilityError):
            await backend.generate(request(mode=Mode.IMG2IMG, init_image=SourceImage.of(b"x")), ignore)
        assert app.engine.submitted == []
        await backend.aclose()


async def test_app_that_was_updated_is_read_anew_after_a_failure() -> None:
    async with GradioApp() as app:
        backend = connect(app)
        await backend.generate(request(), ignore)
        next(d for d in app.config["dependencies"] if d["api_name"] == "infer")["id"] = 9
        with pytest.raises(BackendUnavailable):
            await backend.generate(request(), ignore)
        assert (await backend.generate(request(), ignore)).images
        await backend.aclose()


class _two:
    """Two clients of one app: two people with the page open."""

    def __init__(self, app: GradioApp) -> None:
        self._backends = connect(app), connect(app)

    async def __aenter__(self) -> tuple[GradioFluxBackend, GradioFluxBackend]:
        return self._backends

    async def __aexit__(self, *_: object) -> None:
        for backend in self._backends:
            await backend.aclose()
