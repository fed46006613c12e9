"""The maker of OpenVINO with the real library, on two tiny models in its own form (tests/data/openvino)."""

import asyncio
import os
import signal
import tarfile

import numpy as np
import pytest
from safetensors.numpy import save_file

from backends.base import BackendConfig
from backends.child_side import OrderRefused
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.models.disk import look_for_models
from backends.embedded.payload import model_values
from backends.embedded.work.openvino_drawing import OpenVinoMaker
from backends.embedded.work.orders import ModelFolder
from generation.errors import BackendError, RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from tests.contracts.backend_contract import _ignore
from tests.local.maker_contract import MakerContract
from tests.local.openvino_data import PACKED, unpack
from tests.local.orders import MODES, draw, mask, opened, order, png

FAMILIES = ("sd15", "z-image")


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("openvino")
    return {family: unpack(family, root / f"ov-{family}") for family in FAMILIES}


@pytest.fixture(scope="module")
def maker():
    return OpenVinoMaker("cpu")


@pytest.fixture(scope="session")
def models(folders):
    return {family: model_of(folder, family) for family, folder in folders.items()}


def model_of(folder, family):
    (model,) = look_for_models((folder,), folder / "none").models
    assert (model.maker, model.family.name) == ("openvino", family)
    return ModelFolder(**model_values(model))


def lora(folder, name):
    """Save a LoRA by the names that most have."""
    random = np.random.default_rng(1)
    weights = {}
    for part in ("to_q", "to_k", "to_v", "to_out_0"):
        layer = f"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_{part}"
        weights[f"{layer}.lora_down.weight"] = random.normal(size=(4, 64)).astype(np.float32)
        weights[f"{layer}.lora_up.weight"] = random.normal(size=(64, 4)).astype(np.float32)
        weights[f"{layer}.alpha"] = np.array(4.0, dtype=np.float32)
    save_file(weights, folder / f"{name}.safetensors")
    return str(folder / f"{name}.safetensors")


class TestOpenVino(MakerContract):
    modes = {"sd15": MODES, "z-image": ("txt2img", "img2img")}  # noqa: RUF012  # of all its tests
    refuses_lora = "z-image"
    more_steps = 1
    turns = 6  # each prepares a model for seconds

    def make(self, wanted):
        return OpenVinoMaker(wanted)

    def lora(self, folder, name, *, is_foreign=False):
        return lora(folder, name)

    def damaged(self, folder):
        place = unpack("sd15", folder / "damaged")
        (place / "unet" / "openvino_model.xml").write_text("no model")
        return ModelFolder(name="damaged", path=str(place), family="sd15")


def test_words_scale_and_a_size_that_is_no_square_count(maker, models):
    asked = {"plain": {}, "scale": {"cfg_scale": 12.0}, "negative": {"negative_prompt": "horse"}}
    drawn = {name: draw(maker, order(models["sd15"], **changes))[0] for name, changes in asked.items()}
    assert len({*drawn.values()}) >= 2
    assert opened(draw(maker, order(models["sd15"], width=96, height=64))[0]).size == (96, 64)


def test_what_it_cannot_be_told_is_said_and_what_it_cannot_do_is_refused(maker, models):
    draw(maker, order(models["sd15"], prompt="a (red:1.3) fox", clip_skip=2, sampler="DDIM"))
    assert maker.notes() == ["no_word_weights", "no_clip_skip", "own_sampler"]
    with pytest.raises(OrderRefused, match="cannot redraw a part"):
        draw(maker, order(models["z-image"], "inpaint"))


def test_the_packed_models_are_small():
    for family in FAMILIES:
        path = PACKED / f"{family}.tar.xz"
        assert path.stat().st_size < 1_500_000
        with tarfile.open(path) as packed:
            assert "model_index.json" in packed.getnames()


# -- the whole engine --------------------------------------------------------------------------------------------------


def asked(**changes):
    values = {"prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "cfg_scale": 3.0, "seed": 812}
    return GenerationRequest(**(values | changes))


def engine_on(*folders):
    options = {"models": ",".join(map(str, folders)), "hf_home": str(folders[0] / "none"), "device": "cpu"}
    return EmbeddedBackend(BackendConfig(name="embedded", kind="embedded", options=options))


async def test_the_whole_engine_draws_previews_batches_and_survives_kill_9(folders):
    engine = engine_on(folders["sd15"])
    found = await engine.capabilities()
    assert (found.samplers, found.supports_clip_skip, Mode.INPAINT in found.modes) == ((), False, True)
    first = await engine.generate(asked(batch_size=2), _ignore)
    assert len({image.data for image in first.images}) == 2
    assert (await engine.generate(asked(seed=813), _ignore)).images[0].data == first.images[1].data
    reached = asyncio.Event()

    async def report(progress):
        if progress.step == 2:
            reached.set()

    job = asyncio.create_task(engine.generate(asked(steps=150), report))
    await reached.wait()
    os.kill(engine._child.pid, signal.SIGKILL)
    with pytest.raises(BackendError):
        await job
    assert (await engine.generate(asked(batch_size=2), _ignore)).images == first.images
    assert engine.loaded().dtype == "openvino"
    await engine.aclose()


async def test_a_part_is_redrawn_by_a_model_that_can(folders):
    source = SourceImage.of(png("red"), 64, 64)
    part = SourceImage.of(mask(), 64, 64)
    values = {"mode": Mode.INPAINT, "init_image": source, "mask_image": part, "denoising_strength": 0.6}
    engine = engine_on(folders["z-image"], folders["sd15"])
    assert (await engine.generate(asked(**values), _ignore)).model == "ov-sd15"
    with pytest.raises(RequestRejected, match="cannot redraw"):
        await engine.generate(asked(**values, model="ov-z-image"), _ignore)
    await engine.aclose()
    alone = engine_on(folders["z-image"])
    assert Mode.INPAINT not in (await alone.capabilities()).modes
    await alone.aclose()
