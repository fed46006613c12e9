"""The engine inside as the queue sees it, with a child process that draws without torch."""

import asyncio
import io
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from backends.base import BackendConfig, LoadingBackend
from backends.child import ROOT, Child, ChildFailed, ChildFailure
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.progress import StepPace
from generation.capabilities import Fit, fit
from generation.errors import BackendError, BackendUnavailable, ContentBlocked, OutOfMemory, RequestRejected
from generation.request import ControlUnit, GenerationRequest, Lora, Mode, SourceImage
from tests.backends.embedded.shelves import put_control, put_lora, put_model
from tests.contracts.backend_contract import BackendContract, _ignore
from tests.utils.pictures import picture

MODULE = "tests.backends.embedded.fake_maker"
SOON_S = 20.0
SOURCE = SourceImage.of(picture(size=(64, 64), color=(200, 60, 60)), 64, 64)


def asked(**changes):
    values = {"prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "cfg_scale": 7.0, "seed": 812}
    return GenerationRequest(**(values | changes))


def make(folder, *, child=None, patience_s=SOON_S, is_there=True, makers=("diffusers",), clock=None, **options):
    """Make an engine whose child draws without torch; options in capitals are variables of that child."""
    variables = {name: str(value) for name, value in options.items() if name.isupper()}
    options = {name: value for name, value in options.items() if not name.isupper()}
    config = BackendConfig(
        name="embedded", kind="embedded", options={"models": str(folder), "hf_home": str(folder / "none"), **options}
    )
    child = child or Child(MODULE, patience_s=patience_s, variables=variables)
    more = {"clock": clock} if clock else {}
    return EmbeddedBackend(config, child=child, makers=lambda: frozenset(makers if is_there else ()), **more)


@pytest.fixture
def models(tmp_path):
    put_model(tmp_path / "fox-sd15", "sd15")
    put_model(tmp_path / "klein", "flux2-klein")
    put_lora(tmp_path, "ink")
    return tmp_path


@pytest.fixture
async def engine(models):
    engine = make(models)
    yield engine
    await engine.aclose()


async def until(is_so):
    async with asyncio.timeout(SOON_S):
        while not is_so():
            await asyncio.sleep(0.005)


class EmbeddedRig:
    """A child process of tests draws."""

    def __init__(self, folder, *, hold):
        self.hold = hold
        self.working = 0
        self.child = _Watched(MODULE, patience_s=SOON_S)
        self.child.rig = self
        self.failure = ""
        self.backend = make(folder, child=self.child)

    def is_working(self):
        return self.working > 0

    def fail_next(self):
        self.failure = "fail"

    async def take_down(self):
        await self.backend.aclose()


class _Watched(Child):
    async def ask(self, order, blobs=(), report=None):
        rig = self.rig
        words, rig.failure = rig.failure, ""
        if rig.hold:
            words = "hold"
        if words:
            order = {**order, "draw": {**order["draw"], "prompt": words}}

        async def watched(values):
            rig.working = 1
            await report(values)

        try:
            return await super().ask(order, blobs, watched)
        finally:
            rig.working = 0


class TestEmbeddedContract(BackendContract):
    @pytest.fixture(autouse=True)
    def with_models(self, models):
        self.folder = models

    @asynccontextmanager
    async def rig(self, *, hold=False):
        rig = EmbeddedRig(self.folder, hold=hold)
        yield rig
        await rig.backend.aclose()


async def test_nothing_runs_before_the_first_picture(engine):
    await engine.capabilities()
    assert engine._child.pid is None
    assert engine.loaded() is None


async def test_its_models_samplers_and_loras_are_those_of_this_machine(engine, models):
    can = await engine.capabilities()
    assert [model.name for model in can.models] == ["fox-sd15", "klein"]
    assert can.loras == ("ink",)
    assert (can.default_width, can.default_steps, can.default_cfg_scale) == (512, 25, 7.0)
    put_model(models / "later", "sdxl")
    assert [model.name for model in (await engine.capabilities()).models] == ["fox-sd15", "klein", "later"]


async def test_the_model_that_is_set_is_the_usual_one_with_its_own_defaults(models):
    engine = make(models, model="klein")
    can = await engine.capabilities()
    assert can.models[0].name == "klein"
    assert (can.default_width, can.default_steps, can.default_cfg_scale) == (1024, 4, 1.0)
    await engine.aclose()


async def test_the_model_that_was_asked_for_draws_and_is_in_memory_then(engine):
    result = await engine.generate(asked(model="klein"), _ignore)
    assert result.model == "klein"
    loaded = engine.loaded()
    assert (loaded.model, loaded.device, loaded.dtype, loaded.way) == ("klein", "cpu", "float32", "whole")
    assert [model.is_loaded for model in (await engine.capabilities()).models] == [False, True]
    since = loaded.since
    await engine.generate(asked(model="klein"), _ignore)
    assert engine.loaded().since == since
    with pytest.raises(RequestRejected, match="no model “horse” on this machine; there is fox-sd15, klein"):
        await engine.generate(asked(model="horse"), _ignore)


async def test_a_picture_and_a_mask_go_along(engine):
    result = await engine.generate(asked(mode=Mode.IMG2IMG, init_image=SOURCE, denoising_strength=0.5), _ignore)
    with Image.open(io.BytesIO(result.images[0].data)) as drawn:
        assert drawn.getpixel((5, 5)) == (100, 30, 30)
    with pytest.raises(RequestRejected, match="needs a picture") as caught:
        await engine.generate(asked(mode=Mode.INPAINT, init_image=SOURCE), _ignore)
    assert caught.value.field == "mask_image"


async def test_a_lora_that_was_taken_away_is_named(engine, models):
    await engine.generate(asked(loras=(Lora(name="ink", weight=0.5),)), _ignore)
    (models / "loras" / "ink.safetensors").unlink()
    with pytest.raises(RequestRejected, match="no LoRA “ink” here any more"):
        await engine.generate(asked(loras=(Lora(name="ink"),)), _ignore)


async def test_control_nets_are_offered_by_kind_and_choose_a_model_that_they_fit(models):
    put_model(models / "steered", "sd15", width=768)
    put_control(models / "sd15-canny", 768)
    engine = make(models)
    found = await engine.capabilities()
    assert (found.control_kinds, found.control_models) == (("canny",), ("sd15-canny",))
    unit = ControlUnit(kind="edges", image=SOURCE, weight=0.7)
    assert (await engine.generate(asked(control=(unit,)), _ignore)).model == "steered"
    with pytest.raises(RequestRejected, match="no ControlNet “edges” here for the model klein") as caught:
        await engine.generate(asked(control=(unit,), model="klein"), _ignore)
    assert caught.value.field == "control"
    await engine.aclose()


async def test_progress_counts_the_steps_and_says_when_the_model_is_loaded(engine):
    reports = []

    async def report(progress):
        reports.append((progress.step, progress.steps, round(progress.fraction, 3), progress.note))

    await engine.generate(asked(), report)
    assert reports[0] == (None, None, 0.0, "loading the model")
    assert [report for report in reports if report[0]] == [
        (1, 4, 0.25, ""), (2, 4, 0.5, ""), (3, 4, 0.75, ""), (4, 4, 1.0, ""),
    ]  # fmt: skip


async def test_previews_come_while_it_draws(models):
    engine = make(models, FAKE_STEP_S=0.03)
    previews = []

    async def report(progress):
        if progress.preview:
            previews.append(progress.preview)

    await engine.generate(asked(steps=45), report)
    assert previews
    assert previews[0].startswith(b"\xff\xd8")
    await engine.aclose()


@pytest.mark.parametrize(
    ("prompt", "error", "words"),
    [
        ("abort", BackendUnavailable, "crashed on this picture"),
        ("be killed", (BackendUnavailable, OutOfMemory), "crashed on this picture|ran out of memory"),
        ("fail", BackendError, "failed on this picture"),
        ("short of memory", OutOfMemory, "ran out of memory"),
    ],
)
async def test_what_goes_wrong_has_its_words_and_the_next_picture_is_drawn(engine, prompt, error, words):
    with pytest.raises(error, match=words) as caught:
        await engine.generate(asked(prompt=prompt), _ignore)
    assert caught.value.hint
    assert (await engine.generate(asked(), _ignore)).images


async def test_a_crash_or_a_hang_costs_one_more_run_and_no_third(models):
    engine = make(models)
    with pytest.raises(BackendUnavailable) as caught:
        await engine.generate(asked(prompt="abort"), _ignore)
    assert (caught.value.retryable, caught.value.max_attempts) == (True, 2)
    await engine.aclose()


async def test_a_device_that_hangs_in_the_middle_is_ended(models):
    engine = make(models, patience_s=0.5)
    with pytest.raises(BackendUnavailable, match="stopped responding"):
        await engine.generate(asked(prompt="hang"), _ignore)
    assert engine._child.pid is None
    await engine.aclose()


def test_patience_for_a_step_is_five_times_the_usual_and_a_minute_at_least():
    now = [0.0]
    pace = StepPace(lambda: now[0])
    assert pace.patience_s() == 1800
    pace.step()
    assert (pace.usual_s, pace.patience_s()) == (None, 60)
    for length in (30, 30, 100):
        now[0] += length
        pace.step()
    assert (pace.usual_s, pace.patience_s()) == (30, 150)
    pace.begin()
    assert (pace.usual_s, pace.patience_s()) == (30, 1800)


async def test_kill_9_in_the_middle_is_an_error_and_nothing_worse(engine):
    job = asyncio.create_task(engine.generate(asked(prompt="hold"), _ignore))
    await until(lambda: engine._child.pid is not None)
    os.kill(engine._child.pid, signal.SIGKILL)
    with pytest.raises(BackendError):
        await job
    assert (await engine.generate(asked(), _ignore)).images


@pytest.mark.parametrize("step", [1, 2, 3, 4])
async def test_cancel_takes_effect_at_each_step_and_the_model_stays(engine, step):
    await engine.generate(asked(), _ignore)
    pid = engine._child.pid
    reached = asyncio.Event()

    async def report(progress):
        if progress.step == step:
            reached.set()
            await asyncio.Event().wait()

    job = asyncio.create_task(engine.generate(asked(), report))
    await reached.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    before = await engine.generate(asked(), _ignore)
    assert engine._child.pid == pid
    assert before.images == (await engine.generate(asked(), _ignore)).images


async def test_loading_ahead_unloading_and_switching_are_true(engine):
    assert isinstance(engine, LoadingBackend)
    assert (await engine.load("klein")).model == "klein"
    assert (await engine.load("")).model == "fox-sd15"
    pid = engine._child.pid
    await engine.unload()
    assert (engine.loaded(), engine._child.pid) == (None, None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RequestRejected, match="no model “horse”"):
        await engine.load("horse")


async def test_a_model_that_cannot_be_loaded_is_said_and_another_can(engine, models):
    put_model(models / "unloadable", "sd15")
    with pytest.raises(BackendError, match="failed on this picture"):
        await engine.load("unloadable")
    assert (await engine.load("klein")).model == "klein"


async def test_without_work_it_gives_its_memory_back(models):
    engine = make(models, child=Child(MODULE, idle_s=0.02))
    await engine.generate(asked(), _ignore)
    await until(lambda: engine.loaded() is None)
    await engine.aclose()


async def test_what_the_models_own_safety_checker_holds_back_is_not_shown(engine):
    with pytest.raises(ContentBlocked, match="safety checker held this picture back"):
        await engine.generate(asked(prompt="unsafe 812"), _ignore)
    result = await engine.generate(asked(prompt="unsafe 813", batch_size=3), _ignore)
    assert [image.seed for image in result.images] == [812, 814]
    assert {"2 of 3 came back", "the model’s own safety checker held back the rest"} <= {*result.notes}
    assert not result.is_complete


async def test_where_memory_is_short_it_is_said_in_words(models):
    engine = make(models, FAKE_KIND="cuda", FAKE_FITS="sequential_offload")
    notes = []

    async def report(progress):
        notes.append(progress.note)

    result = await engine.generate(asked(), report)
    assert result.notes == ("the GPU’s memory is very short: the model was moved in layer by layer, which is slow",)
    assert [note for note in notes if note] == [
        "loading the model",
        "loading the model, part by part since the GPU’s memory is short",
        "loading the model, layer by layer since the GPU’s memory is very short",
    ]
    assert engine.loaded().way == "sequential_offload"
    await engine.aclose()


async def test_that_the_processor_draws_is_said_once_with_the_time_of_a_step(engine):
    first = await engine.generate(asked(), _ignore)
    assert "no GPU was found: the processor draws, 0.0 s a step" in first.notes
    assert (await engine.generate(asked(), _ignore)).notes == ()


@pytest.mark.parametrize(
    ("make_it", "words", "hint"),
    [
        (lambda folder: make(folder / "empty"), "no model yet", "python main.py models pull"),
        (lambda folder: make(folder, is_there=False), "not installed", "make run GPU=1"),
    ],
)
async def test_what_is_missing_is_said_with_how_to_get_it(models, make_it, words, hint):
    engine = make_it(models)
    with pytest.raises(BackendUnavailable, match=words) as caught:
        await engine.capabilities()
    assert hint in caught.value.hint
    assert engine._child.pid is None


async def test_two_devices_draw_side_by_side(models):
    first, second = make(models), make(models)
    results = await asyncio.gather(*(engine.generate(asked(), _ignore) for engine in (first, second)))
    assert results[0].images == results[1].images
    assert first._child.pid != second._child.pid
    await asyncio.gather(first.aclose(), second.aclose())


async def test_an_impossible_sampler_is_bent_with_words(engine):
    fitted = fit(asked(sampler="restart"), await engine.capabilities())
    assert isinstance(fitted, Fit)
    assert fitted.notes


def test_this_process_loads_no_torch():
    code = (
        "import sys; import backends.embedded.backend, app.build, app.checkup; from backends.kinds import known_kinds;"
        "known_kinds(); print(sorted({'torch', 'diffusers', 'transformers', 'numpy'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_each_failure_has_its_words():
    from backends.embedded.errors import translate

    refused = translate(ChildFailed(ChildFailure.REFUSED, "This picture is damaged.", "init_image"))
    assert (type(refused), refused.field) == (RequestRejected, "init_image")
    assert "damaged" in translate(ChildFailed(ChildFailure.REFUSED, "The model is damaged.")).user_message
