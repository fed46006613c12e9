"""Recorded answers through the real client: one test per trap of the contract."""

import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import httpx
import pytest
import respx

from backends.a1111.backend import A1111Backend
from backends.a1111.progress import A1111Pace
from backends.base import BackendConfig
from generation.capabilities import Capabilities
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RequestRejected,
    UnexpectedAnswer,
)
from generation.job import Progress
from generation.prompt_syntax import parse_prompt
from generation.request import GenerationRequest, Lora, Mode, SourceImage
from generation.result import GenerationResult
from tests.engines.a1111_engine import DATA

URL = "http://gpu.example.com:7860"
API = f"{URL}/sdapi/v1"
PACE = A1111Pace(poll_s=0.005, cancel_poll_s=0.005, cancel_wait_s=0.05, unknown_s=0.05, recover_poll_s=0.005)
LISTS = (
    "sd-models", "samplers", "schedulers", "loras", "sd-vae", "sd-modules", "options", "prompt-styles", "embeddings",
    "upscalers", "latent-upscale-modes", "scripts",
)  # fmt: skip
SOURCE = SourceImage.of(b"\x89PNG not looked at")


@cache
def recorded(family: str, name: str) -> Any:
    return json.loads((DATA / family / f"{name}.json").read_text())


def answer(family: str, name: str) -> httpx.Response:
    reply = recorded(family, name)["response"]
    return httpx.Response(reply["status"], json=reply["json"])


class Server:
    """A server that answers every question as recorded; `draws` sets what a generation call gets."""

    def __init__(self, mock: respx.MockRouter, family: str = "a1111", schema: str = "openapi") -> None:
        self.mock, self.family = mock, family
        mock.get(f"{URL}/openapi.json").respond(json=recorded(family, schema))
        for name in LISTS:
            there = (DATA / family / f"get-{name}.json").exists()
            mock.get(f"{API}/{name}").mock(return_value=answer(family, f"get-{name}" if there else "err-404"))
        there = (DATA / family / "get-controlnet-control_types.json").exists()
        control = answer(family, "get-controlnet-control_types" if there else "err-404")
        self.control_types = mock.get(f"{URL}/controlnet/control_types").mock(return_value=control)
        mock.post(f"{URL}/internal/progress").mock(return_value=answer(family, "internal-progress-unknown"))
        mock.get(url__startswith=f"{API}/progress").mock(return_value=answer(family, "get-progress-idle"))
        self.txt2img = mock.post(f"{API}/txt2img").mock(return_value=answer(family, "txt2img-minimal"))
        self.img2img = mock.post(f"{API}/img2img").mock(return_value=answer(family, "img2img"))
        self.interrupt = mock.post(f"{API}/interrupt").respond(json={})
        self.backend = A1111Backend(
            BackendConfig(name="gpu1", kind="a1111", label="The GPU", url=URL, timeout_s=5.0), pace=PACE
        )

    def draws(self, name: str) -> None:
        self.txt2img.mock(return_value=answer(self.family, name))

    async def generate(self, **changes: Any) -> GenerationResult:
        values: dict[str, Any] = {
            "prompt": "a cat", "width": 64, "height": 64, "steps": 3, "cfg_scale": 7.0, "seed": 1234,
        }  # fmt: skip
        return await self.backend.generate(GenerationRequest(**(values | changes)), _ignore)

    def sent(self) -> dict[str, Any]:
        return dict(json.loads(self.txt2img.calls.last.request.content))


async def _ignore(_: Progress) -> None:
    pass


@pytest.fixture(params=["a1111", "forge"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    with respx.mock(assert_all_called=False) as mock:
        made = Server(mock, request.param)
        yield made
        await made.backend.aclose()


@pytest.fixture
async def a1111() -> AsyncIterator[Server]:
    with respx.mock(assert_all_called=False) as mock:
        made = Server(mock)
        yield made
        await made.backend.aclose()


@pytest.fixture
async def forge() -> AsyncIterator[Server]:
    with respx.mock(assert_all_called=False) as mock:
        made = Server(mock, "forge")
        yield made
        await made.backend.aclose()


async def test_capabilities_are_read_from_the_recorded_lists(server: Server) -> None:
    can = await server.backend.capabilities()
    assert isinstance(can, Capabilities)
    assert can.models is not None
    assert [model.title for model in can.models] == ["tinyA", "tinyB"]
    assert can.models[0].name == "tinyA.safetensors [fa104ee0d1]"
    assert can.samplers is not None
    assert "DPM++ 2M" in can.samplers
    assert "Karras" in (can.schedulers or ())
    assert can.loras == ("tinylora",)
    assert can.vaes == ("tinyvae.safetensors",)


async def test_current_model_is_marked_as_loaded(forge: Server) -> None:
    can = await forge.backend.capabilities()
    assert [model.title for model in can.models or () if model.is_loaded] == ["tinyA"]


async def test_minimal_answer_gives_the_picture_its_seed_and_the_model(server: Server) -> None:
    result = await server.generate()
    assert len(result.images) == 1
    assert result.images[0].seed == 1234
    assert result.model == "tinyA"


async def test_batch_seeds_come_from_the_answer_not_from_the_echo(server: Server) -> None:
    server.draws("txt2img-batch-size-2-grid")
    result = await server.generate(batch_size=2, seed=9)
    assert [image.seed for image in result.images] == [9, 10]


async def test_grid_before_the_pictures_is_left_out(a1111: Server) -> None:
    a1111.draws("txt2img-save_images-grid")
    result = await a1111.generate(batch_size=2, seed=9)
    assert [image.seed for image in result.images] == [9, 10]


async def test_jpeg_answer_is_taken_as_it_is(a1111: Server) -> None:
    a1111.draws("txt2img-jpeg")
    result = await a1111.generate()
    assert result.images[0].data.startswith(b"\xff\xd8")


async def test_substituted_sampler_is_said(server: Server) -> None:
    server.draws("quirk-200-unknown-sampler")
    result = await server.generate(sampler="Euler a")
    assert "sampler Euler a was not used: the engine took DPM++ 2M" in result.notes


async def test_substituted_scheduler_is_said(server: Server) -> None:
    server.draws("quirk-200-unknown-scheduler")
    result = await server.generate(sampler="Euler", scheduler="Karras")
    assert any(note.startswith("scheduler Karras was not used") for note in result.notes)


async def test_substituted_model_is_said(server: Server) -> None:
    server.draws("quirk-200-unknown-model-override")
    result = await server.generate(model="tinyB.safetensors [0a6cc3ffe3]", sampler="Euler")
    assert result.notes == ("model tinyB was not used: tinyA drew it",)


async def test_vae_that_was_not_taken_is_said(server: Server) -> None:
    server.draws("quirk-200-unknown-vae-override")
    result = await server.generate(vae="other.safetensors", sampler="Euler")
    assert "VAE other.safetensors was not used" in result.notes


async def test_forge_module_that_was_taken_raises_no_note(forge: Server) -> None:
    forge.draws("txt2img-modules-by-name")
    result = await forge.generate(vae="tinyvae.safetensors", sampler="Euler")
    assert result.notes == ()


async def test_unknown_lora_in_the_prompt_is_said(server: Server) -> None:
    server.draws("quirk-200-unknown-lora")
    result = await server.generate(prompt="x <lora:nope:1>", sampler="Euler")
    assert result.notes == ("LoRA nope was not used: this engine does not have it",)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("<lora:tinylora:0.8:0.5> cat", "cat <lora:tinylora:0.8:0.5>"),
        ("<lora:tinylora:1.0:te=0.5:unet=0.7> cat", "cat <lora:tinylora:1:te=0.5:unet=0.7>"),
        ("<lora:tinylora:1:lbw=1,0,1> cat", "cat <lora:tinylora:1:lbw=1,0,1>"),
        ("cat {a|<lora:tinylora:1>}", "cat {a|<lora:tinylora:1>}"),
    ],
)
async def test_a_tag_comes_here_with_all_it_says(server: Server, typed: str, sent: str) -> None:
    draft = parse_prompt(typed).draft
    await server.generate(prompt=draft.prompt, loras=draft.loras)
    assert server.sent()["prompt"] == sent


async def test_loras_are_written_into_the_prompt(server: Server) -> None:
    await server.generate(loras=(Lora(name="tinylora", weight=0.8), Lora(name="b:>", weight=-1)))
    assert server.sent()["prompt"] == "a cat <lora:tinylora:0.8> <lora:b:-1>"


async def test_every_setting_relied_on_is_sent_with_every_job(a1111: Server) -> None:
    await a1111.generate(model="tinyB", clip_skip=2)
    assert a1111.sent()["override_settings"] == {
        "sd_model_checkpoint": "tinyB.safetensors",  # no hash yet: the server had not loaded it
        "sd_vae": "Automatic",
        "CLIP_stop_at_last_layers": 2,
        "samples_format": "png",
    }


async def test_forge_always_gets_a_list_of_modules(forge: Server) -> None:
    await forge.generate(model="tinyB")
    overrides = forge.sent()["override_settings"]
    assert overrides["forge_additional_modules"] == []
    assert "sd_vae" not in overrides


@pytest.mark.parametrize(("typed", "exact"), [("euler a", "Euler a"), ("k_euler_a", "Euler a"), (None, "DPM++ 2M")])
async def test_sampler_is_sent_by_its_exact_name(server: Server, typed: str | None, exact: str) -> None:
    await server.generate(sampler=typed)
    assert server.sent()["sampler_name"] == exact
    assert server.sent()["scheduler"] == "Automatic"


async def test_old_combined_sampler_name_is_split(server: Server) -> None:
    await server.generate(sampler="DPM++ 2M SDE Karras")
    assert (server.sent()["sampler_name"], server.sent()["scheduler"]) == ("DPM++ 2M SDE", "Karras")


async def test_numbers_are_clamped_since_the_server_checks_nothing(server: Server) -> None:
    await server.generate(steps=0, cfg_scale=0.0, width=65, height=30, seed=2**40 + 5)
    sent = server.sent()
    assert (sent["steps"], sent["cfg_scale"], sent["width"], sent["height"], sent["seed"]) == (1, 1.0, 64, 64, 5)


async def test_task_id_cannot_be_guessed_and_is_new_each_time(server: Server) -> None:
    ids = set()
    for _ in range(2):
        await server.generate()
        ids.add(server.sent()["force_task_id"])
    assert len(ids) == 2
    assert all(len(item) > 30 for item in ids)


async def test_img2img_sends_the_picture_and_the_web_uis_own_way_of_fitting(server: Server) -> None:
    result = await server.generate(mode=Mode.IMG2IMG, init_image=SOURCE, denoising_strength=1.5)
    sent = json.loads(server.img2img.calls.last.request.content)
    assert result.images
    assert sent["denoising_strength"] == 1.0
    assert sent["resize_mode"] == 1
    assert (sent["width"], sent["height"]) == (64, 64)


async def test_inpaint_sends_the_mask_with_the_web_uis_defaults(server: Server) -> None:
    await server.generate(mode=Mode.INPAINT, init_image=SOURCE, mask_image=SOURCE)
    sent = json.loads(server.img2img.calls.last.request.content)
    assert sent["mask"] == sent["init_images"][0]
    assert (sent["inpainting_fill"], sent["inpaint_full_res"], sent["mask_blur"]) == (1, False, 8)
    assert sent["alwayson_scripts"] == {"soft inpainting": {"args": [True, 1, 0.5, 4, 0, 0.5, 2]}}


async def test_picture_that_is_missing_is_refused_before_sending(server: Server) -> None:
    with pytest.raises(RequestRejected):
        await server.generate(mode=Mode.IMG2IMG)
    assert not server.img2img.called


@pytest.mark.parametrize(
    ("family", "name", "kind", "word"),
    [
        ("a1111", "err-500-nan", BackendError, "broken numbers"),
        ("a1111", "err-refiner-unknown", RequestRejected, "model"),
        ("a1111", "err-unknown-override-key", BackendError, "settings"),
        ("forge", "err-unknown-override-key", BackendError, "settings"),
        ("a1111", "err-img2img-bad-b64", RequestRejected, "picture"),
        ("forge", "err-img2img-bad-b64", RequestRejected, "picture"),
        ("a1111", "err-img2img-no-init", RequestRejected, "picture"),
        ("forge", "err-img2img-no-init", RequestRejected, "picture"),
        ("a1111", "err-422-type", RequestRejected, "steps, width"),
        ("forge", "err-422-type", RequestRejected, "steps, width"),
        ("a1111", "err-401-bad-auth", BackendAuthError, "refuses"),
        ("a1111", "err-404", BackendError, "API is off"),
    ],
)
async def test_recorded_error_bodies_become_words(
    family: str, name: str, kind: type[GenerationError], word: str
) -> None:
    with respx.mock(assert_all_called=False) as mock:
        server = Server(mock, family)
        server.draws(name)
        with pytest.raises(GenerationError) as caught:
            await server.generate()
        await server.backend.aclose()
    assert type(caught.value) is kind
    assert word in caught.value.user_message
    assert caught.value.hint or caught.value.owner_hint == "Start it with --api."


@pytest.mark.parametrize("field", ["errors", "message"])
async def test_out_of_memory_is_told_with_a_size_that_fits(a1111: Server, field: str) -> None:
    body = {"error": "OutOfMemoryError", "detail": "", "body": "", field: "CUDA out of memory. Tried to allocate 9 GiB"}
    a1111.txt2img.respond(500, json=body)
    with pytest.raises(OutOfMemory) as caught:
        await a1111.generate()
    assert "512×512 needs 4 GB" in caught.value.hint


@pytest.mark.parametrize("text", ["", "You do not have CLIP state dict!"])
async def test_assertions_of_the_server_are_put_into_words(a1111: Server, text: str) -> None:
    a1111.txt2img.respond(500, json={"error": "AssertionError", "detail": "", "body": "", "message": text})
    with pytest.raises(BackendError) as caught:
        await a1111.generate()
    assert "AssertionError" not in caught.value.user_message
    assert ("text encoders" in caught.value.user_message) is bool(text)


@pytest.mark.parametrize(
    "body",
    [
        {"images": [], "info": "{}"},
        {"images": None, "info": "{}"},
        {"images": ["%%%"], "info": "{}"},
        {"images": ["aGVsbG8gd29ybGQ="], "info": "{}"},
        {"images": ["iVBORw0KGgo="], "info": "not json"},
        {"info": "{}"},
        ["a list"],
    ],
)
async def test_answers_without_a_usable_picture_are_unexpected(a1111: Server, body: object) -> None:
    a1111.txt2img.respond(json=body)
    with pytest.raises(UnexpectedAnswer):
        await a1111.generate()


async def test_data_uri_prefix_is_accepted(a1111: Server) -> None:
    reply = json.loads((DATA / "a1111" / "txt2img-minimal.json").read_text())["response"]["json"]
    reply["images"] = [f"data:image/png;base64,{reply['images'][0]}"]
    a1111.txt2img.respond(json=reply)
    assert (await a1111.generate()).images[0].data.startswith(b"\x89PNG")


async def test_answer_larger_than_any_picture_is_not_read(a1111: Server) -> None:
    a1111.txt2img.respond(200, headers={"Content-Length": str(10**9)}, content=b"{")
    with pytest.raises(UnexpectedAnswer):
        await a1111.generate()


async def test_web_page_of_a_proxy_is_not_shown_to_people(a1111: Server) -> None:
    a1111.txt2img.respond(524, html="<html>cloudflare secret</html>")
    with pytest.raises(BackendUnavailable) as caught:
        await a1111.generate()
    assert caught.value.may_have_run
    assert caught.value.user_message == "The GPU is not answering through its proxy."
    assert "html" not in str(caught.value).lower()


async def test_pod_that_ended_is_told_from_an_api_that_is_off(a1111: Server) -> None:
    a1111.txt2img.respond(404, html="<html>no such pod</html>")
    with pytest.raises(BackendUnavailable) as caught:
        await a1111.generate()
    assert "nothing runs behind its address" in caught.value.user_message


async def test_404_with_a_reason_is_a_wrong_request(a1111: Server) -> None:
    a1111.txt2img.respond(404, json={"detail": "Sampler not found"})
    with pytest.raises(RequestRejected):
        await a1111.generate()


async def test_pictures_count_even_when_the_remarks_cannot_be_read(a1111: Server) -> None:
    reply = json.loads((DATA / "a1111" / "txt2img-minimal.json").read_text())["response"]["json"]
    a1111.txt2img.respond(json=reply | {"info": "[]"})
    assert [image.seed for image in (await a1111.generate(seed=7)).images] == [7]


async def test_login_is_asked_for_where_the_lists_refuse(a1111: Server) -> None:
    a1111.mock.get(f"{API}/sd-models").mock(return_value=answer("a1111", "err-401-no-auth"))
    with pytest.raises(BackendAuthError):
        await a1111.backend.capabilities()


async def test_one_broken_list_does_not_hide_the_server(a1111: Server) -> None:
    a1111.mock.get(f"{API}/loras").respond(500, text="boom")
    a1111.mock.get(f"{API}/schedulers").respond(json={"not": "a list"})
    can = await a1111.backend.capabilities()
    assert can.loras is None
    assert can.schedulers is None
    assert can.models
