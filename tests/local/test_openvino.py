"""The maker of OpenVINO with the real library, on two tiny models in its own form (tests/data/openvino)."""

import asyncio
import io
import os
import signal
import tarfile
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from backends.base import BackendConfig
from backends.child_side import OrderRefused, OrderStopped
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.models.disk import look_for_models
from backends.embedded.payload import model_values
from backends.embedded.work.openvino_drawing import OpenVinoMaker
from backends.embedded.work.orders import ChildOrder, LoraFile, ModelFolder, Rung
from generation.errors import BackendError, RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from tests.contracts.backend_contract import _ignore
from tests.local.openvino_data import PACKED, unpack

FAMILIES = ("sd15", "z-image")


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("openvino")
    return {family: unpack(family, root / f"ov-{family}") for family in FAMILIES}


@pytest.fixture(scope="module")
def maker():
    return OpenVinoMaker("cpu")


def png(colour, size=(64, 64)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def mask(size=(64, 64)):
    picture = Image.new("L", size, 0)
    picture.paste(255, (0, 0, size[0] // 2, size[1]))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def model_of(folders, family):
    (model,) = look_for_models((folders[family],), folders[family] / "none").models
    assert (model.maker, model.family.name) == ("openvino", family)
    return ModelFolder(**model_values(model))


def order(folders, family, mode="txt2img", **changes):
    pictures = {"txt2img": (), "img2img": (png("red"),), "inpaint": (png("red"), mask())}[mode]
    values = {
        "model": model_of(folders, family), "mode": mode, "prompt": "a red fox", "negative_prompt": "", "width": 64,
        "height": 64, "steps": 4, "cfg_scale": 3.0, "seeds": (7,), "strength": None if mode == "txt2img" else 0.6,
        "pictures": pictures,
    }  # fmt: skip
    return ChildOrder(**(values | changes))


def draw(maker, asked, on_step=lambda step, preview: None):
    maker.load(asked.model, Rung.WHOLE)
    return maker.draw(asked, asked.seeds, on_step)


def opened(data):
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize(
    ("family", "mode"),
    [("sd15", "txt2img"), ("sd15", "img2img"), ("sd15", "inpaint"), ("z-image", "txt2img"), ("z-image", "img2img")],
)
def test_each_model_draws_in_each_mode_and_the_same_seed_gives_the_same_bytes(maker, folders, family, mode):
    steps, previews = [], []
    asked = order(folders, family, mode, seeds=(7, 7, 8))

    def on_step(step, preview):
        steps.append(step)
        previews.append(preview())

    first, again, other = draw(maker, asked, on_step)
    assert opened(first).size == (64, 64)
    assert first == again
    assert first != other
    assert steps[0] == 1
    assert steps.count(1) == 3
    assert all(later in (1, step + 1) for step, later in pairwise(steps)), "the last ones may be swallowed by a preview"
    assert all(opened(preview).format == "JPEG" for preview in previews)


@pytest.mark.parametrize("family", FAMILIES)
def test_cancelled_at_any_step_it_stops_there_and_draws_on(maker, folders, family):
    asked = order(folders, family)
    (whole,) = draw(maker, asked)
    for last in range(1, 4):
        seen = []

        def on_step(step, preview, seen=seen, last=last):
            seen.append(step)
            if step == last:
                raise OrderStopped

        with pytest.raises(OrderStopped):
            maker.draw(asked, (7,), on_step)
        assert seen == list(range(1, last + 1))
    assert maker.draw(asked, (7,), lambda step, preview: None) == [whole]


def test_words_scale_and_a_size_that_is_no_square_count(maker, folders):
    asked = {"plain": {}, "scale": {"cfg_scale": 12.0}, "negative": {"negative_prompt": "horse"}}
    drawn = {name: draw(maker, order(folders, "sd15", **changes))[0] for name, changes in asked.items()}
    assert len({*drawn.values()}) >= 2
    assert opened(draw(maker, order(folders, "sd15", width=96, height=64))[0]).size == (96, 64)


def test_what_it_cannot_be_told_is_said_and_what_it_cannot_do_is_refused(maker, folders):
    draw(maker, order(folders, "sd15", prompt="a (red:1.3) fox", clip_skip=2, sampler="DDIM"))
    assert maker.notes() == ["no_word_weights", "no_clip_skip", "own_sampler"]
    with pytest.raises(OrderRefused, match="cannot redraw a part"):
        draw(maker, order(folders, "z-image", "inpaint"))


def lora(folder):
    """Save a LoRA by the names that most have."""
    random = np.random.default_rng(1)
    weights = {}
    for part in ("to_q", "to_k", "to_v", "to_out_0"):
        name = f"lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_{part}"
        weights[f"{name}.lora_down.weight"] = random.normal(size=(4, 64)).astype(np.float32)
        weights[f"{name}.lora_up.weight"] = random.normal(size=(64, 4)).astype(np.float32)
        weights[f"{name}.alpha"] = np.array(4.0, dtype=np.float32)
    save_file(weights, folder / "ink.safetensors")
    return str(folder / "ink.safetensors")


def test_a_lora_changes_the_picture_by_its_weight_and_is_gone_afterwards(maker, folders, tmp_path):
    path = lora(tmp_path)
    (plain,) = draw(maker, order(folders, "sd15"))
    full, half = (
        draw(maker, order(folders, "sd15", loras=(LoraFile(path=path, weight=weight),)))[0] for weight in (1.0, 0.5)
    )
    assert len({plain, full, half}) == 3
    assert draw(maker, order(folders, "sd15")) == [plain]
    with pytest.raises(OrderRefused, match="LoRAs do not work") as caught:
        draw(maker, order(folders, "z-image", loras=(LoraFile(path=path, weight=1.0),)))
    assert caught.value.field == "loras"


def test_a_damaged_model_is_refused_in_words(maker, tmp_path):
    folder = unpack("sd15", tmp_path / "damaged")
    (folder / "unet" / "openvino_model.xml").write_text("no model")
    with pytest.raises(OrderRefused, match="damaged cannot be loaded"):
        maker.load(ModelFolder(name="damaged", path=str(folder), family="sd15"), Rung.WHOLE)


def test_the_device_is_named_and_one_that_is_not_there_falls_back():
    facts = OpenVinoMaker("cuda:1").look()
    assert (facts.kind, facts.is_set_back) == ("cpu", "cuda:1")
    assert facts.title
    assert OpenVinoMaker("auto").look().is_set_back == ""


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
