"""The gradio backend against real gradio 4, 5 and 6 servers with a stand-in pipeline."""

import asyncio
import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from backends.base import BackendConfig
from backends.gradio_flux.backend import GradioFluxBackend
from generation.errors import BackendAuthError, BackendError, BackendUnavailable, OutOfMemory, RateLimited
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from tests.real.apps import RealApp, running
from tests.utils.pictures import picture
from tests.waiting import until

pytestmark = [pytest.mark.timeout(600), pytest.mark.parametrize("major", [4, 5, 6])]


def connect(app: RealApp, key: str = "") -> GradioFluxBackend:
    return GradioFluxBackend(BackendConfig(name="flux", kind="gradio_flux", label="Flux", url=app.url, key=key))


def request(**changes: object) -> GenerationRequest:
    values: dict[str, object] = {
        "prompt": "a fox", "width": 512, "height": 256, "steps": 4, "cfg_scale": 3.5, "seed": 812,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


async def ignore(_: Progress) -> None:
    """Take no notice of progress."""


@pytest.fixture
async def app(major: int) -> AsyncIterator[RealApp]:
    async with running(major, "--seconds", "0.05") as app:
        yield app


@pytest.fixture
async def backend(app: RealApp) -> AsyncIterator[GradioFluxBackend]:
    backend = connect(app)
    yield backend
    await backend.aclose()


async def test_everything_on_one_app(app: RealApp, backend: GradioFluxBackend) -> None:
    await _capabilities_are_the_apps(backend)
    await _pictures_progress_and_seeds(backend)
    await _picture_to_start_from(backend)
    await _failures(backend)
    await _cancelled_one_ends_before_the_next(app, backend)


async def _capabilities_are_the_apps(backend: GradioFluxBackend) -> None:
    can = await backend.capabilities()
    assert can.modes == {Mode.TXT2IMG, Mode.IMG2IMG}
    assert [model.name for model in can.models or ()] == [
        "black-forest-labs/FLUX.1-schnell", "sayakpaul/FLUX.1-merged",
    ]  # fmt: skip
    assert (can.min_side, can.max_side, can.size_grid, can.default_steps) == (256, 2048, 32, 4)


async def _pictures_progress_and_seeds(backend: GradioFluxBackend) -> None:
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    batch = await backend.generate(request(batch_size=2), report)
    assert [image.seed for image in batch.images] == [812, 813]
    with Image.open(io.BytesIO(batch.images[0].data)) as image:
        assert image.size == (512, 256)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] >= 0.5
    again = await backend.generate(request(seed=813), ignore)
    assert again.images == batch.images[1:]
    folded = await backend.generate(request(seed=2**32 - 1), ignore)
    assert folded.images[0].seed == 2**31 - 1


async def _picture_to_start_from(backend: GradioFluxBackend) -> None:
    source = SourceImage.of(picture("PNG", (300, 200)))
    wanted = request(mode=Mode.IMG2IMG, init_image=source, denoising_strength=0.5)
    result = await backend.generate(wanted, ignore)
    with Image.open(io.BytesIO(result.images[0].data)) as image:
        assert image.size == (300, 200)


async def _failures(backend: GradioFluxBackend) -> None:
    with pytest.raises(OutOfMemory):
        await backend.generate(request(prompt="OOM"), ignore)
    with pytest.raises(BackendUnavailable) as caught:
        await backend.generate(request(prompt="CRASH"), ignore)
    assert caught.value.user_message == "Flux failed while drawing and does not say why."


async def _cancelled_one_ends_before_the_next(app: RealApp, backend: GradioFluxBackend) -> None:
    job = asyncio.create_task(backend.generate(request(prompt="unwanted", steps=20), ignore))
    await until(lambda: "BEGIN unwanted" in app.lines, 30.0)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await backend.generate(request(prompt="wanted"), ignore)
    await until(lambda: "END wanted" in app.lines, 30.0)
    assert app.lines[-4:] == ["BEGIN unwanted", "END unwanted", "BEGIN wanted", "END wanted"]


async def test_login_full_queue_shown_errors_and_a_sudden_end(major: int) -> None:
    options = ("--seconds", "0.2", "--auth", "bot:s3cret", "--max-size", "1", "--show-error")
    async with running(major, *options) as app:
        wrong = connect(app, "bot:wrong")
        with pytest.raises(BackendAuthError):
            await wrong.capabilities()
        people = [connect(app, "bot:s3cret") for _ in range(3)]
        with pytest.raises(BackendError) as caught:
            await people[0].generate(request(prompt="CRASH"), ignore)
        assert caught.value.user_message == "Flux says: boom: tensor shapes differ."
        jobs = [asyncio.create_task(people[0].generate(request(prompt="first", steps=20), ignore))]
        await until(lambda: "BEGIN first" in app.lines, 30.0)
        jobs.append(asyncio.create_task(_told_to_wait(people[1])))
        with pytest.raises(RateLimited):
            await _fill(people[2], jobs[1])
    for job in jobs:
        with pytest.raises(BackendUnavailable):
            await job
    for backend in (wrong, *people):
        await backend.aclose()


async def _told_to_wait(backend: GradioFluxBackend) -> None:
    await backend.generate(request(prompt="second"), ignore)


async def _fill(backend: GradioFluxBackend, other: asyncio.Task[None]) -> None:
    """Send one more as soon as the other one has had time to take the only waiting place."""
    await asyncio.wait([other], timeout=1.0)
    await backend.generate(request(prompt="third"), ignore)
