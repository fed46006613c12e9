"""Payloads for a Horde: our request in its words, and nothing it is known to refuse."""

from collections.abc import AsyncIterator

import pytest
import respx

from backends.base import BackendConfig
from backends.kinds import make_backend
from generation.errors import CapabilityError, RequestRejected
from generation.request import ControlUnit, HiresFix, Lora, Mode, SourceImage
from tests.backends.horde_recordings import API, SOURCE, URL, Horde


@pytest.fixture
async def horde() -> AsyncIterator[Horde]:
    with respx.mock(assert_all_called=False) as mock:
        made = Horde(mock)
        yield made
        await made.backend.aclose()


async def test_both_prompts_are_one_string_and_the_seed_is_text(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    await horde.generate(
        prompt="a fox ### ugly", negative_prompt="blurry", sampler="k_dpmpp_2m", scheduler="karras", cfg_scale=4.567,
        clip_skip=2, loras=(Lora(name="GlowingRunesAI", weight=0.8), Lora(name="1@246747")),
    )  # fmt: skip
    sent = horde.sent()
    assert sent["prompt"] == "a fox ugly ### blurry"
    assert sent["models"] == ["stable_diffusion"]
    assert sent["shared"] is False
    params = sent["params"]
    assert params["seed"] == "42"
    assert params["cfg_scale"] == 4.57
    assert (params["sampler_name"], params["karras"], params["clip_skip"]) == ("k_dpmpp_2m", True, 2)
    assert params["loras"] == [
        {"name": "GlowingRunesAI", "model": 0.8, "clip": 0.8},
        {"name": "246747", "model": 1.0, "clip": 1.0, "is_version": True},
    ]


@pytest.mark.parametrize(("strength", "sent"), [(0.0, 0.01), (0.6, 0.6), (1.0, 1.0), (None, 0.75)])
async def test_source_is_sent_bare_and_strength_0_as_a_hundredth(
    horde: Horde, strength: float | None, sent: float
) -> None:
    horde.plays("02_txt2img_r2_registered")
    await horde.generate(mode=Mode.IMG2IMG, init_image=SOURCE, denoising_strength=strength)
    assert horde.sent()["params"]["denoising_strength"] == sent
    assert horde.sent()["source_image"] == "bm90IGxvb2tlZCBhdA=="
    assert horde.sent()["source_processing"] == "img2img"


async def test_inpainting_sends_the_mask_and_takes_a_model_for_it(horde: Horde) -> None:
    models = [{"name": "stable_diffusion", "count": 3}, {"name": "Deliberate Inpainting", "count": 1}]
    horde.mock.get(url__startswith=f"{API}/status/models").respond(json=models)
    horde.plays("02_txt2img_r2_registered")
    assert Mode.INPAINT in (await horde.backend.capabilities()).modes
    await horde.generate(mode=Mode.INPAINT, init_image=SOURCE, mask_image=SOURCE, denoising_strength=1.0)
    assert horde.sent()["source_mask"] == "bm90IGxvb2tlZCBhdA=="
    assert horde.sent()["models"] == ["Deliberate Inpainting"]


async def test_hires_fix_asks_for_the_size_of_the_result(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    result, _ = await horde.generate(width=512, height=448, hires=HiresFix(factor=1.7, denoising_strength=0.5))
    params = horde.sent()["params"]
    assert (params["width"], params["height"]) == (896, 768)
    assert (params["hires_fix"], params["hires_fix_denoising_strength"]) == (True, 0.5)
    assert "hires size 870×762 → 896×768" in result.notes


async def test_a_control_picture_takes_the_sources_place(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    units = (ControlUnit(kind="softedge", image=SOURCE, weight=0.5), ControlUnit(kind="depth", image=SOURCE))
    result, _ = await horde.generate(control=units, steps=60)
    params = horde.sent()["params"]
    assert (params["control_type"], params["denoising_strength"], params["steps"]) == ("hed", 1.0, 40)
    assert horde.sent()["source_image"] == "bm90IGxvb2tlZCBhdA=="
    assert "steps 60 → 40, the most with a control picture" in result.notes
    assert "only the first of 2 control pictures is used" in result.notes


async def test_a_control_picture_beside_a_source_is_another_engines_work(horde: Horde) -> None:
    unit = ControlUnit(kind="canny", image=SOURCE)
    error = await horde.fails(mode=Mode.IMG2IMG, init_image=SOURCE, control=(unit,))
    assert isinstance(error, CapabilityError)
    assert not horde.submit.called


async def test_a_missing_or_too_large_source_is_told_before_a_call_is_spent(horde: Horde) -> None:
    error = await horde.fails(mode=Mode.IMG2IMG, init_image=SourceImage(media_id="a"))
    assert type(error) is RequestRejected
    large = SourceImage(media_id="a", data=b"x", width=4000, height=100)
    assert isinstance(await horde.fails(mode=Mode.IMG2IMG, init_image=large), CapabilityError)
    assert type(await horde.fails(prompt=" ### ")) is RequestRejected
    assert not horde.submit.called


@pytest.mark.parametrize(("factor", "upscaler"), [(2.0, "RealESRGAN_x2plus"), (4.0, "RealESRGAN_x4plus")])
async def test_a_factor_is_an_upscaler_and_replaces_the_owners(factor: float, upscaler: str) -> None:
    with respx.mock(assert_all_called=False) as mock:
        horde = Horde(mock, options={"post_processing": "GFPGAN,NMKD_Siax"})
        horde.plays("02_txt2img_r2_registered")
        await horde.generate(mode=Mode.INPAINT, init_image=SOURCE, mask_image=SOURCE, upscale_factor=factor)
        assert horde.sent()["params"]["post_processing"] == ["GFPGAN", upscaler]
        await horde.backend.aclose()


async def test_the_owner_may_choose_post_processors() -> None:
    with respx.mock(assert_all_called=False) as mock:
        horde = Horde(mock, options={"post_processing": "GFPGAN, RealESRGAN_x2plus", "nsfw": "yes", "model": "Mine"})
        horde.plays("02_txt2img_r2_registered")
        await horde.generate()
        assert horde.sent()["params"]["post_processing"] == ["GFPGAN", "RealESRGAN_x2plus"]
        assert (horde.sent()["nsfw"], horde.sent()["models"]) == (True, ["Mine"])
        await horde.backend.aclose()


@pytest.mark.parametrize("chosen", ["ESRGAN_4x", "NMKD_Siax,RealESRGAN_x4plus"])
def test_post_processors_nobody_has_are_refused_at_the_start(chosen: str) -> None:
    with pytest.raises(ValueError, match="post_processing"):
        make_backend(BackendConfig(name="h", kind="ai_horde", url=URL, options={"post_processing": chosen}))


async def test_tile_is_sent_where_it_was_said(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    await horde.generate(tiling=True)
    assert horde.sent()["params"]["tiling"] is True
