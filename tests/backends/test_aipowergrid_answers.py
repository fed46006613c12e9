"""Recorded answers through the real client: what is read, what is refused, and what is sent."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx

from backends.aipowergrid.backend import AiPowerGridBackend, GridPace
from backends.aipowergrid.errors import translate_failure
from backends.base import BackendConfig
from backends.kinds import make_backend
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from generation.job import Progress
from generation.request import GenerationRequest, Lora, Mode, SourceImage
from generation.result import GenerationResult
from tests.backends.horde_recordings import exchanges, noted, response
from tests.engines.listener import draw
from tests.net.replies import reply_of

URL = "http://grid.lan"
SOURCE = SourceImage.of(b"not looked at")


def read(path: str) -> httpx.Response:
    return response(next(item for item in exchanges("22_aipg_v1_reads", "GET") if item["path"] == path))


class Grid:
    """A Grid that answers as recorded."""

    def __init__(self, mock: respx.MockRouter, **config: Any) -> None:
        self.mock = mock
        for path in ("/v1/status/models", "/v1/account/credits", "/health"):
            mock.get(f"{URL}{path}").mock(return_value=read(path))
        for name in ("z-image-turbo", "FLUX.2%20Klein%204B%20FP8", "LabModel%20SD15"):
            mock.get(f"{URL}/v1/models/{name}/params").mock(return_value=read(f"/v1/models/{name}/params"))
        mock.get(url__regex=rf"{URL}/v1/models/.*/params").respond(404, json={"detail": "Model not found"})
        mock.get(url__regex=rf"{URL}/v1/progress/.*").respond(json={"progress": 50})
        mock.get(url__regex=r"http://127\.0\.0\.1:7804/.*").respond(content=draw(512, 512, 42))
        self.draw = mock.post(f"{URL}/v1/images/generations").mock(
            return_value=noted("20_aipg_v1_images", "Bearer key; recipe-governed model")
        )
        values: dict[str, Any] = {
            "name": "grid", "kind": "aipowergrid", "label": "The Grid", "url": URL, "key": "grid_mine",
        }  # fmt: skip
        self.backend = AiPowerGridBackend(BackendConfig(**(values | config)), pace=GridPace(progress_s=0.001))

    async def generate(self, **changes: Any) -> GenerationResult:
        return await self.backend.generate(request(**changes), _ignore)

    async def fails(self, **changes: Any) -> GenerationError:
        with pytest.raises(GenerationError) as caught:
            await self.generate(**changes)
        return caught.value

    def sent(self) -> dict[str, Any]:
        return dict(json.loads(self.draw.calls.last.request.content))


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "a red fox", "width": 512, "height": 512, "steps": 8, "cfg_scale": 1.0, "seed": 42,
        "model": "z-image-turbo",
    }  # fmt: skip
    return GenerationRequest(**(values | changes))


async def _ignore(_: Progress) -> None:
    pass


@pytest.fixture
async def grid() -> AsyncIterator[Grid]:
    with respx.mock(assert_all_called=False) as mock:
        made = Grid(mock)
        yield made
        await made.backend.aclose()


async def test_models_are_those_with_a_worker_and_those_with_a_recipe_come_first(grid: Grid) -> None:
    can = await grid.backend.capabilities()
    names = [model.name for model in can.models or ()]
    assert names[:2] == ["FLUX.2 Klein 4B FP8", "z-image-turbo"]
    assert "LabModel SD15" in names[2:]
    assert (can.models or ())[1].title == "z-image-turbo (1 worker, about 3 s)"
    assert can.modes == {Mode.TXT2IMG, Mode.IMG2IMG}
    assert (can.size_grid, can.min_side, can.max_side, can.max_steps, can.max_batch) == (64, 256, 1536, 80, 4)
    assert (can.default_steps, can.default_cfg_scale) == (8, 1.0)
    assert can.samplers
    assert {"res_multistep", "dpmpp_2m_sde", "euler"} <= set(can.samplers)
    assert not can.supports_cancel


async def test_a_grid_that_charges_nothing_is_not_paid(grid: Grid) -> None:
    assert grid.backend.is_paid
    await grid.backend.capabilities()
    assert not grid.backend.is_paid
    result = await grid.generate()
    assert (result.cost_usd, result.notes) == (0.0, ())


async def test_the_seed_and_model_come_from_the_answer(grid: Grid) -> None:
    result = await grid.generate()
    assert [image.seed for image in result.images] == [7869719558034202]
    assert result.model == "z-image-turbo"
    assert result.images[0].data[:4] == b"RIFF"


async def test_pictures_are_fetched_without_our_key(grid: Grid) -> None:
    await grid.generate()
    fetched = [call.request for call in grid.mock.calls if call.request.url.port == 7804]
    assert len(fetched) == 1
    assert not {"authorization", "apikey"} & set(fetched[0].headers)
    assert grid.draw.calls.last.request.headers["authorization"] == "Bearer grid_mine"


async def test_two_pictures_keep_their_seeds(grid: Grid) -> None:
    grid.draw.mock(return_value=noted("20_aipg_v1_images", "apikey header works too"))
    result = await grid.generate(model="LabModel SD15", batch_size=2)
    assert [image.seed for image in result.images] == [42, 43]


async def test_a_model_without_a_recipe_gets_everything_as_asked(grid: Grid) -> None:
    await grid.generate(
        model="LabModel SD15", sampler="dpmpp_2m", scheduler="karras", negative_prompt="blurry", steps=30, cfg_scale=7.5
    )
    sent = grid.sent()
    assert sent["progress_token"].startswith("easel-")
    del sent["progress_token"]
    assert sent == {
        "prompt": "a red fox", "model": "LabModel SD15", "n": 1, "size": "512x512", "seed": 42, "steps": 30,
        "cfg_scale": 7.5, "sampler": "dpmpp_2m", "scheduler": "karras", "negative_prompt": "blurry",
        "response_format": "url", "output_format": "webp",
    }  # fmt: skip


async def test_a_recipe_bends_the_request_and_every_change_is_told(grid: Grid) -> None:
    result = await grid.generate(
        width=256, height=576, steps=30, cfg_scale=7.0, sampler="dpmpp_2m_sde", scheduler="karras",
        negative_prompt="blurry",
    )  # fmt: skip
    sent = grid.sent()
    assert (sent["size"], sent["steps"], sent["sampler"]) == ("512x576", 16, "dpmpp_2m")
    assert not {"cfg_scale", "scheduler", "negative_prompt"} & set(sent)
    assert result.notes == (
        "size 256×576 → 512×576, as z-image-turbo takes",
        "steps 30 → 16, as z-image-turbo takes",
        "cfg ignored by z-image-turbo",
        "sampler dpmpp_2m_sde → dpmpp_2m, as z-image-turbo takes",
        "scheduler karras → z-image-turbo’s own choice",
        "negative prompt ignored by z-image-turbo",
    )


@pytest.mark.parametrize(
    ("model", "strength", "sent"),
    [("z-image-turbo", 0.0, 0.2), ("z-image-turbo", 1.0, 0.95), ("FLUX.2 Klein 4B FP8", 0.6, 0.6)],
)
async def test_strength_is_kept_within_what_the_model_takes(
    grid: Grid, model: str, strength: float, sent: float
) -> None:
    result = await grid.generate(model=model, mode=Mode.IMG2IMG, init_image=SOURCE, denoising_strength=strength)
    assert grid.sent()["strength"] == sent
    assert grid.sent()["image"] == "bm90IGxvb2tlZCBhdA=="
    assert any("strength" in note for note in result.notes) == (sent != strength)


async def test_without_a_model_the_first_that_can_do_it_is_taken(grid: Grid) -> None:
    await grid.generate(model=None, mode=Mode.IMG2IMG, init_image=SOURCE, denoising_strength=0.6)
    assert grid.sent()["model"] == "FLUX.2 Klein 4B FP8"


async def test_loras_are_named_as_civitai_numbers_them(grid: Grid) -> None:
    await grid.generate(loras=(Lora(name="GlowingRunes", weight=0.8), Lora(name="1@246747")))
    assert grid.sent()["loras"] == [
        {"name": "GlowingRunes", "model": 0.8, "clip": 0.8},
        {"name": "246747", "model": 1.0, "clip": 1.0, "is_version": True},
    ]


async def test_a_model_that_takes_no_pictures_says_so_before_a_call_is_spent(grid: Grid) -> None:
    error = await grid.fails(model="LabModel SD15", mode=Mode.IMG2IMG, init_image=SOURCE)
    assert isinstance(error, CapabilityError)
    assert not grid.draw.called


async def test_a_model_that_left_is_another_engines_chance(grid: Grid) -> None:
    assert isinstance(await grid.fails(model="AIPG_RED"), CapabilityError)


@pytest.mark.parametrize(
    ("name", "note", "kind", "reply"),
    [
        ("20_aipg_v1_images", "worker reports an error", OutOfMemory, "ran out of graphics memory"),
        ("20_aipg_v1_images", "b64_json", RequestRejected, "the value of width"),
        ("21_aipg_v1_errors", "bad key", BackendAuthError, "does not know this key"),
        ("21_aipg_v1_errors", "model with no worker", CapabilityError, "no worker for that model"),
        ("21_aipg_v1_errors", "not multiple of 64", RequestRejected, "the value of size"),
        ("21_aipg_v1_errors", "n above 4", RequestRejected, "the value of batch size"),
        ("21_aipg_v1_errors", "seed -1", RequestRejected, "the value of seed"),
        ("21_aipg_v1_errors", "img2img on a model without", CapabilityError, "does not draw from a picture"),
        ("21_aipg_v1_errors", "strength unsupported", CapabilityError, "does not draw from a picture"),
        ("21_aipg_v1_errors", "flood #3", RateLimited, "slow down"),
        ("24_aipg_v1_no_worker", "nobody online", BackendUnavailable, "no worker that draws"),
    ],
)
async def test_refusals_are_told_in_our_words(
    grid: Grid, name: str, note: str, kind: type[GenerationError], reply: str
) -> None:
    grid.draw.mock(return_value=noted(name, note))
    error = await grid.fails()
    assert type(error) is kind
    assert reply in error.user_message
    assert error.hint


def test_every_recorded_refusal_has_words_of_ours() -> None:
    every = [
        item
        for name in ("20_aipg_v1_images", "21_aipg_v1_errors", "23_aipg_v1_concurrency")
        for item in exchanges(name)
    ]
    refusals = [item for item in every if item["status"] >= 400]
    assert len(refusals) > 15
    for item in refusals:
        answer = response(item)
        error = translate_failure("The Grid", reply_of(answer))
        assert "The Grid" in error.user_message
        assert error.hint


async def test_too_many_at_once_pauses_the_lane_for_a_moment(grid: Grid) -> None:
    busy = next(response(item) for item in exchanges("23_aipg_v1_concurrency") if item["status"] == 429)
    grid.draw.mock(return_value=busy)
    error = await grid.fails()
    assert isinstance(error, RateLimited)
    assert error.retry_after == 5


async def test_the_days_free_pictures_are_used_up(grid: Grid) -> None:
    grid.draw.respond(429, json={"detail": "Free quota exceeded: 200 requests per day."})
    error = await grid.fails()
    assert type(error) is BackendError
    assert "midnight" in error.hint


async def test_no_key_is_told_before_anything_is_drawn() -> None:
    with respx.mock(assert_all_called=False) as mock:
        backend = Grid(mock, key="").backend
        with pytest.raises(BackendAuthError, match="wants a key"):
            await backend.capabilities()
        await backend.aclose()


async def test_a_wrong_key_is_found_by_the_probe(grid: Grid) -> None:
    wrong = noted("21_aipg_v1_errors", "bad key")
    grid.mock.get(f"{URL}/v1/account/credits").mock(return_value=wrong)
    with pytest.raises(BackendAuthError, match="does not know this key"):
        await grid.backend.capabilities()


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/", "/api/v2", "/api"])
async def test_an_address_may_be_typed_with_the_path_of_either_api(end: str) -> None:
    with respx.mock(assert_all_called=False) as mock:
        backend = Grid(mock, url=URL + end).backend
        assert (await backend.capabilities()).models
        await backend.aclose()


async def test_an_ai_horde_is_recognised(grid: Grid) -> None:
    grid.mock.get(f"{URL}/v1/status/models").respond(404, html="<html>Not Found</html>")
    grid.mock.get(f"{URL}/api/v2/status/heartbeat").mock(
        return_value=response(exchanges("12_status_endpoints", "GET", "/heartbeat")[0])
    )
    with pytest.raises(BackendError, match="AI Horde") as caught:
        await grid.backend.capabilities()
    assert "ai_horde" in caught.value.hint


async def test_a_grid_without_workers_is_down(grid: Grid) -> None:
    grid.mock.get(f"{URL}/v1/status/models").respond(json=[])
    with pytest.raises(BackendUnavailable, match="no worker"):
        await grid.backend.capabilities()


def test_a_picture_format_nobody_knows_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="output_format"):
        make_backend(BackendConfig(name="g", kind="aipowergrid", url=URL, options={"output_format": "gif"}))


async def test_what_it_can_and_cannot_do_is_as_its_page_has_it(grid: Grid) -> None:
    can = await grid.backend.capabilities()
    assert not {Mode.INPAINT, Mode.UPSCALE} & can.modes
    assert can.vaes == ()
    for does in (can.supports_clip_skip, can.supports_preview, can.supports_cancel, can.is_deterministic):
        assert not does
    assert can.supports_progress


async def test_a_source_above_12_mb_is_told_before_a_call_is_spent(grid: Grid) -> None:
    for megabytes, is_taken in ((11, True), (13, False)):
        source = SourceImage.of(bytes(megabytes * 10**6))
        request_ = {"mode": Mode.IMG2IMG, "init_image": source, "denoising_strength": 0.6}
        if is_taken:
            assert (await grid.generate(**request_)).images
            continue
        calls = grid.draw.call_count
        assert isinstance(await grid.fails(**request_), GenerationError)
        assert grid.draw.call_count == calls


async def test_more_loras_than_five_are_left_out_and_told(grid: Grid) -> None:
    result = await grid.generate(loras=tuple(Lora(name=f"l{n}") for n in range(6)))
    assert "LoRA l5 left out: at most 5 at once here" in result.notes
    assert len(grid.sent()["loras"]) == 5


@pytest.mark.parametrize(
    ("status", "detail", "says"),
    [
        (402, "insufficient credits", "has too little credit"),
        (502, "Generation failed.", "failed at it"),
        (429, "Rate limit exceeded.", "asks us to slow down"),
    ],
)
async def test_what_its_page_explains_is_what_is_said(grid: Grid, status: int, detail: str, says: str) -> None:
    grid.draw.respond(status, json={"detail": detail})
    error = await grid.fails()
    assert says in error.user_message
    assert error.hint
