"""Hires fix, ControlNet, styles, upscaling and describing: one test per trap, on a real socket."""

import asyncio
import io
from typing import Any

import pytest
import respx
from PIL import Image

from backends.a1111.extensions.control import ControlType
from backends.a1111.facts import A1111Facts, Checkpoint, Program, Upscaler, choose_upscaler
from backends.a1111.payload import changes, to_payload
from backends.base import DescribingBackend
from generation.capabilities import Capabilities, Fit, Refused, fit
from generation.errors import BackendError, CapabilityError, RequestRejected
from generation.request import ControlUnit, GenerationRequest, HiresFix, MaskFill, Mode, SourceImage
from tests.backends.test_a1111_answers import API, Server, answer
from tests.backends.test_a1111_contract import connect
from tests.backends.test_a1111_jobs import FAMILIES, _ignore, request
from tests.engines.a1111_engine import draw
from tests.engines.a1111_server import A1111Server
from tests.waiting import until
from utils.images import read_parameters
from utils.infotext import parse_infotext

SOURCE = SourceImage.of(draw(64, 48, 1, ""))
MASK = SourceImage.of(draw(64, 48, 2, ""))
CANNY_15, CANNY_XL = "control_v11p_sd15_canny [d14c016b]", "diffusers_xl_canny_full [2b69fca4]"
FORGE = A1111Facts(family=Program.FORGE, has_guidance=True, checkpoints=(), samplers={"euler": "Euler"})


def size_of(data: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


async def drawn(server: A1111Server, asked: GenerationRequest, **config: Any) -> tuple[dict[str, Any], list[bytes]]:
    """Draw as the queue does, `fit` first; return what the server got and the pictures."""
    backend = connect(server, **config)
    fitted = fit(asked, await backend.capabilities())
    assert isinstance(fitted, Fit), fitted
    result = await backend.generate(fitted.request, _ignore)
    await backend.aclose()
    return server.submitted[-1], [image.data for image in result.images]


async def capabilities(server: A1111Server) -> Capabilities:
    backend = connect(server)
    can = await backend.capabilities()
    await backend.aclose()
    return can


@FAMILIES
async def test_lists_of_the_server_are_what_people_may_choose_from(family: str) -> None:
    async with A1111Server(family) as server:
        server.extras.embeddings = {"loaded": {"easynegative": {}}, "skipped": {}}
        can = await capabilities(server)
    assert can.upscalers is not None
    assert "None" not in can.upscalers
    assert {"Lanczos", "R-ESRGAN 4x+"} <= set(can.upscalers)
    assert "Latent" in (can.hires_upscalers or ())
    assert can.embeddings == ("easynegative",)
    assert {"Cinematic", "Plain"} <= set(can.styles or ())
    assert not [style for style in can.styles or () if "STYLES" in style]  # Forge's separators
    assert Mode.UPSCALE in can.modes
    assert can.supports_describe
    assert can.supports_guidance is (family == "forge")


@FAMILIES
async def test_hires_fix_gives_the_larger_picture(family: str) -> None:
    async with A1111Server(family) as server:
        sent, pictures = await drawn(server, request(hires=HiresFix(factor=1.5, denoising_strength=0.4, steps=9)))
    assert size_of(pictures[0]) == (96, 96)
    assert (sent["hr_scale"], sent["denoising_strength"], sent["hr_second_pass_steps"]) == (1.5, 0.4, 9)
    assert sent["hr_upscaler"] == "R-ESRGAN 4x+"  # the API's own default is none at all


async def test_hires_fix_on_forge_keeps_modules_and_cfg_of_the_first_pass() -> None:
    async with A1111Server("forge") as server:
        sent, _ = await drawn(server, request(cfg_scale=6.5, hires=HiresFix(upscaler="latent")))
    assert sent["hr_additional_modules"] == ["Use same choices"]
    assert sent["hr_cfg"] == 6.5
    assert sent["hr_upscaler"] == "Latent"


async def test_forge_refuses_a_hires_fix_without_modules_as_recorded() -> None:
    async with A1111Server("forge") as server:
        connected = connect(server)
        response = await connected._calls.client.post("/sdapi/v1/txt2img", json={"prompt": "x", "enable_hr": True})
        assert response.status_code == 500
        assert response.json()["message"] == "argument of type 'NoneType' is not iterable"
        await connected.aclose()


@pytest.mark.parametrize(
    ("family", "there", "absent"),
    [
        (Program.A1111, {"enable_hr"}, {"hr_cfg", "hr_additional_modules", "hr_force"}),
        (Program.REFORGE, {"hr_cfg"}, {"hr_additional_modules", "hr_force"}),
        (Program.SDNEXT, {"hr_force", "hr_denoising_strength"}, {"hr_cfg", "hr_additional_modules"}),
    ],
)
def test_hires_fix_speaks_each_forks_dialect(family: Program, there: set[str], absent: set[str]) -> None:
    payload = to_payload(request(hires=HiresFix()), A1111Facts(family=family), {}, "t", keep_files=False)
    assert there <= set(payload)
    assert not absent & set(payload)


@FAMILIES
async def test_styles_go_by_their_names(family: str) -> None:
    async with A1111Server(family) as server:
        sent, _ = await drawn(server, request(styles=("cinematic",)))
        unknown = fit(request(styles=("cinematic", "nowhere")), await capabilities(server))
    assert sent["styles"] == ["Cinematic"]
    assert isinstance(unknown, Refused)
    assert "nowhere" in unknown.reasons[0]


async def test_control_kinds_are_those_with_a_model() -> None:
    async with A1111Server("forge") as server:
        assert (await capabilities(server)).control_kinds == ("reference",)  # needs none
        server.extras.control_models = [CANNY_15]
        can = await capabilities(server)
    assert can.control_kinds == ("canny", "reference")
    assert can.control_models == (CANNY_15,)


async def test_server_without_controlnet_lists_no_kinds() -> None:
    async with A1111Server("a1111") as server:
        assert (await capabilities(server)).control_kinds == ()


async def test_control_unit_names_module_and_model_and_its_map_is_no_result() -> None:
    async with A1111Server("forge") as server:
        server.extras.control_models = [CANNY_XL, CANNY_15]
        asked = request(control=(ControlUnit(kind="edges", image=SOURCE, weight=0.7),), batch_size=2)
        sent, pictures = await drawn(server, asked)
    assert len(pictures) == 2  # the server appended a map
    [unit] = sent["alwayson_scripts"]["ControlNet"]["args"]
    assert (unit["enabled"], unit["module"], unit["model"], unit["weight"]) == (True, "canny", CANNY_15, 0.7)
    assert (unit["pixel_perfect"], unit["save_detected_map"]) == (True, False)
    assert unit["image"]


@pytest.mark.parametrize(
    ("checkpoint", "model"), [("juggernautXL_v9", CANNY_XL), ("dreamshaper_8", CANNY_15), ("flux1-dev", CANNY_XL)]
)
def test_control_model_is_of_the_checkpoints_class_where_there_is_one(checkpoint: str, model: str) -> None:
    assert ControlType(module="canny", models=(CANNY_XL, CANNY_15)).model_for(checkpoint) == model


@FAMILIES
async def test_soft_inpainting_is_used_where_it_is_installed(family: str) -> None:
    asked = request(mode=Mode.INPAINT, init_image=SOURCE, mask_image=MASK)
    async with A1111Server(family) as server:
        sent, _ = await drawn(server, asked)
        assert sent["alwayson_scripts"]["soft inpainting"]["args"][0] is True
        sent, _ = await drawn(server, asked, options={"soft_inpainting": "no"})
        assert (sent["mask_blur"], "alwayson_scripts" in sent) == (4, False)
        server.extras.scripts["img2img"].remove("soft inpainting")
        sent, _ = await drawn(server, asked)
        assert "alwayson_scripts" not in sent  # naming it would be a 422


@pytest.mark.parametrize(("fill", "number"), [("blur", 0), ("original", 1), ("noise", 2), ("empty", 3)])
def test_mask_fill_and_only_masked_are_sent(fill: str, number: int) -> None:
    asked = request(mode=Mode.INPAINT, init_image=SOURCE, mask_image=MASK, mask_fill=MaskFill(fill), only_masked=True)
    payload = to_payload(asked, A1111Facts(), {}, "t", keep_files=False)
    assert (payload["inpainting_fill"], payload["inpaint_full_res"], payload["inpaint_full_res_padding"]) == (
        number, True, 32,
    )  # fmt: skip


def test_guidance_of_flux_is_what_was_said() -> None:
    flux = Checkpoint(title="flux1-dev.safetensors", name="flux1-dev")
    facts = A1111Facts(
        family=Program.FORGE, has_guidance=True, checkpoints=(flux,), vaes=("ae.safetensors", "clip_l.safetensors")
    )
    asked = request(model="flux1-dev", guidance=2.5, cfg_scale=2.5, hires=HiresFix(), vae="other_ae.safetensors")
    payload = to_payload(asked, facts, {}, "t", keep_files=False)
    assert (payload["cfg_scale"], payload["distilled_cfg_scale"]) == (1.0, 2.5)
    assert (payload["hr_cfg"], payload["hr_distilled_cfg"]) == (1.0, 2.5)
    # another VAE does not cost the text encoders
    assert payload["override_settings"]["forge_additional_modules"] == ["other_ae.safetensors", "clip_l.safetensors"]
    assert changes(asked, facts) == []
    assert "distilled_cfg_scale" not in to_payload(request(guidance=2.5), FORGE, {}, "t", keep_files=False)


@FAMILIES
async def test_upscaling_names_an_upscaler_since_the_servers_default_does_nothing(family: str) -> None:
    async with A1111Server(family) as server:
        backend = connect(server)
        asked = request(mode=Mode.UPSCALE, init_image=SOURCE, upscale_factor=2.5)
        result = await backend.generate(asked, _ignore)
        assert size_of(result.images[0].data) == (160, 120)
        assert server.extras.upscaled[0]["upscaler_1"] == "R-ESRGAN 4x+"
        assert result.model == "R-ESRGAN 4x+"
        assert result.images[0].seed == asked.seed
        await backend.aclose()


LOCAL = Upscaler(name="4x-AnimeSharp", is_local=True)
FETCHED = Upscaler(name="R-ESRGAN 4x+")
LANCZOS = Upscaler(name="Lanczos")


@pytest.mark.parametrize(
    ("there", "wanted", "options", "chosen"),
    [
        ((LANCZOS, FETCHED, LOCAL), None, {}, "4x-AnimeSharp"),
        ((LANCZOS, FETCHED), None, {}, "R-ESRGAN 4x+"),
        ((Upscaler(name="Nearest"), LANCZOS), None, {}, "Lanczos"),
        ((LANCZOS, LOCAL), "lanczos", {}, "Lanczos"),
        ((LANCZOS, LOCAL), None, {"upscaler": "Lanczos"}, "Lanczos"),
        ((LANCZOS, LOCAL), "gone", {}, "4x-AnimeSharp"),
        (None, None, {}, "Lanczos"),
        (None, "Mine", {}, "Mine"),
    ],
)
def test_upscaler_is_chosen_sensibly(
    there: tuple[Upscaler, ...] | None, wanted: str | None, options: dict[str, str], chosen: str
) -> None:
    assert choose_upscaler(wanted, A1111Facts(upscalers=there), options) == chosen


@pytest.mark.parametrize("hires", [True, False])
def test_known_weights_on_the_server_come_before_others_there(hires: bool) -> None:
    there = [Upscaler(name=name, is_local=True) for name in ("Zoo 4x", "R-ESRGAN 4x+", "4x-UltraSharp")]
    for names in (there, there[::-1]):
        assert choose_upscaler(None, A1111Facts(upscalers=(LANCZOS, *names)), {}, hires=hires) == "4x-UltraSharp"
        less = [item for item in names if item.name != "4x-UltraSharp"]
        assert choose_upscaler(None, A1111Facts(upscalers=(LANCZOS, *less)), {}, hires=hires) == "R-ESRGAN 4x+"


async def test_upscaling_beyond_what_can_be_kept_is_refused_before_it_is_sent() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        large = SourceImage.of(draw(2000, 1200, 1, ""))
        with pytest.raises(RequestRejected) as caught:
            await backend.generate(request(mode=Mode.UPSCALE, init_image=large, upscale_factor=8.0), _ignore)
        assert caught.value.field == "upscale_factor"
        assert "64 million" in f"{caught.value.user_message} {caught.value.hint}"
        assert server.extras.upscaled == []
        await backend.aclose()


async def test_upscaling_is_interrupted_when_it_is_alone_on_the_server() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        server.engine.hold()
        job = asyncio.create_task(backend.generate(request(mode=Mode.UPSCALE, init_image=SOURCE), _ignore))
        await until(lambda: server.engine.job is not None)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await until(lambda: server.interrupted == ["extras"])
        await backend.aclose()


@FAMILIES
async def test_picture_is_described(family: str) -> None:
    async with A1111Server(family) as server:
        backend = connect(server)
        assert isinstance(backend, DescribingBackend)
        assert await backend.describe(SOURCE) == "a red fox in the snow, by Carl Larsson"
        await backend.aclose()


async def test_description_that_failed_with_status_200_is_a_failure() -> None:
    async with A1111Server() as server:
        server.extras.caption = "<error>"
        backend = connect(server)
        with pytest.raises(BackendError) as caught:
            await backend.describe(SOURCE)
        assert "could not describe" in caught.value.user_message
        await backend.aclose()


async def test_fork_that_cannot_describe_says_so() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        await backend.capabilities()
        assert backend._facts is not None
        backend._facts = A1111Facts(has_interrogate=False)
        with pytest.raises(CapabilityError):
            await backend.describe(SOURCE)
        await backend.aclose()


async def test_picture_that_cannot_be_read_is_a_refusal() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        with pytest.raises(RequestRejected):
            await backend.describe(SourceImage.of(b"no picture"))
        await backend.aclose()


@pytest.mark.parametrize(
    ("family", "recording", "size"),
    [("a1111", "txt2img-hires", (128, 128)), ("forge", "txt2img-hires-forge", (96, 96))],
)
async def test_recorded_hires_answers_are_read(family: str, recording: str, size: tuple[int, int]) -> None:
    with respx.mock(assert_all_called=False) as mock:
        server = Server(mock, family)
        server.draws(recording)
        result = await server.generate(hires=HiresFix())
        assert [size_of(image.data) for image in result.images] == [size]
        await server.backend.aclose()


async def test_recorded_answer_with_a_control_map_gives_the_picture_only() -> None:
    with respx.mock(assert_all_called=False) as mock:
        server = Server(mock, "forge")
        server.draws("controlnet-canny-no-model")
        result = await server.generate(control=(ControlUnit(kind="canny", image=SOURCE),))
        assert len(result.images) == 1
        await server.backend.aclose()


@FAMILIES
async def test_recorded_upscale_answers_are_read(family: str) -> None:
    with respx.mock(assert_all_called=False) as mock:
        server = Server(mock, family)
        route = mock.post(f"{API}/extra-single-image").mock(return_value=answer(family, "extra-single-image"))
        asked = {"mode": Mode.UPSCALE, "init_image": SOURCE, "upscale_factor": 2.0}
        result = await server.generate(**asked)
        assert size_of(result.images[0].data) == (128, 128)
        route.mock(return_value=answer(family, "extra-single-image-bad-upscaler"))
        with pytest.raises(RequestRejected) as caught:
            await server.generate(**asked)
        assert caught.value.field == "upscaler"
        await server.backend.aclose()


@FAMILIES
async def test_recorded_refusal_of_an_upscaler_is_a_refusal(family: str) -> None:
    with respx.mock(assert_all_called=False) as mock:
        server = Server(mock, family)
        server.draws("err-hr-upscaler-unknown")
        with pytest.raises(RequestRejected):
            await server.generate(hires=HiresFix())
        await server.backend.aclose()


async def test_recorded_caption_that_failed_is_a_failure() -> None:
    with respx.mock(assert_all_called=False) as mock:
        server = Server(mock)
        mock.post(f"{API}/interrogate").mock(return_value=answer("a1111", "quirk-200-interrogate-clip-failed"))
        with pytest.raises(BackendError):
            await server.backend.describe(SOURCE)
        await server.backend.aclose()


@FAMILIES
async def test_tile_is_sent_and_unsaid_leaves_the_servers_own_setting(family: str) -> None:
    async with A1111Server(family) as server:
        tiled, _ = await drawn(server, request(tiling=True))
        plain, _ = await drawn(server, request())
    assert tiled["tiling"] is True
    assert "tiling" not in plain


@FAMILIES
async def test_a_second_seed_counts_up_and_the_first_stays(family: str) -> None:
    async with A1111Server(family) as server:
        varied, alike = await drawn(server, request(seed=10, subseed=7, subseed_strength=0.3, batch_size=3))
        plain, apart = await drawn(server, request(seed=10, batch_size=3))
    assert (varied["seed"], varied["subseed"], varied["subseed_strength"]) == (10, 7, 0.3)
    texts = [parse_infotext(read_parameters(data) or "").parameters for data in alike]
    assert [(each["Seed"], each["Variation seed"]) for each in texts] == [("10", "7"), ("10", "8"), ("10", "9")]
    assert (plain["subseed"], plain["subseed_strength"]) == (-1, 0)
    texts = [parse_infotext(read_parameters(data) or "").parameters for data in apart]
    assert [each["Seed"] for each in texts] == ["10", "11", "12"]
