"""Wishes in the words of Replicate's models, and the meaning of its answers."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.replicate.answers import Prediction
from backends.replicate.errors import failed, translate_failure
from backends.replicate.facts import model_of
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from net.reply import Reply
from tests.backends import queued_rig
from tests.backends.test_replicate_contract import connect
from tests.engines.replicate_server import KEY, ReplicateServer

DATA = Path(__file__).parents[1] / "data" / "replicate"
REFUSALS = sorted(DATA.glob("error_*.json"))
SPEAKABLE = re.compile(r"https?:|r8_|HTTP \d|\{")
LIGHTNING, ESRGAN = "bytedance/sdxl-lightning-4step", "nightmareai/real-esrgan"
FLUX = "black-forest-labs/flux"


def picture(width: int = 512, height: int = 512, colour: str = "navy", noise: bool = False) -> SourceImage:
    image = (
        Image.effect_noise((width, height), 90).convert("RGB") if noise else Image.new("RGB", (width, height), colour)
    )
    out = io.BytesIO()
    image.save(out, "PNG")
    return SourceImage.of(out.getvalue(), width, height)


LOOK, BLANK = picture(), picture(colour="black")


def asked(**changes: Any) -> GenerationRequest:
    return queued_rig.asked(**({"steps": 28, "cfg_scale": 7.5} | changes))


async def drawn_by(server: ReplicateServer, request: GenerationRequest, **changes: Any) -> GenerationResult:
    return await queued_rig.drawn_by(connect(server, **changes), request)


@pytest.mark.parametrize("path", REFUSALS, ids=lambda path: path.stem)
def test_every_recorded_refusal_has_words_of_ours(path: Path) -> None:
    response = json.loads(path.read_text())["response"]
    error = translate_failure("Replicate", Reply(status=response["status"], body=json.dumps(response["body"]).encode()))
    text = f"{error.user_message} {error.hint}"
    assert "Replicate" in error.user_message
    assert error.hint
    assert not SPEAKABLE.search(text), text
    assert "billing" not in text


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("error_401", BackendAuthError, "key"),
        ("error_402", BackendError, "no credit"),
        ("error_422_input", RequestRejected, "prompt is required"),
        ("error_422_version", CapabilityError, "no such version"),
        ("error_429", RateLimited, "slow down"),
        ("error_429_low_credit", RateLimited, "slow down"),
    ],
)
def test_refusals_are_told_in_our_words(name: str, kind: type[Exception], words: str) -> None:
    response = json.loads((DATA / f"{name}.json").read_text())["response"]
    error = translate_failure("Replicate", Reply(status=response["status"], body=json.dumps(response["body"]).encode()))
    assert type(error) is kind
    assert words in error.user_message
    if isinstance(error, RateLimited):
        assert error.retry_after == {"error_429": 30.0, "error_429_low_credit": 9.0}[name]


@pytest.mark.parametrize("name", ["failed_nsfw", "failed_e005"])
def test_a_filters_refusal_keeps_its_reason(name: str) -> None:
    run = Prediction.model_validate(json.loads((DATA / f"{name}.json").read_text())["response"]["body"])
    error = failed("Replicate", run.reason, "")
    assert type(error) is ContentBlocked
    assert ("NSFW" in error.user_message) or ("flagged as sensitive" in error.user_message)


@pytest.mark.parametrize("name", ["create_then_poll", "create_prefer_wait", "cancel"])
def test_recorded_predictions_are_read(name: str) -> None:
    recorded = json.loads((DATA / f"{name}.json").read_text())
    for step in recorded.get("steps", [recorded]):
        run = Prediction.model_validate(step["response"]["body"])
        assert run.id
        assert run.has_ended == (run.status in {"succeeded", "canceled"})
    if name == "create_prefer_wait":  # its picture is there while it says that it is being drawn
        assert (run.has_ended, len(run.files)) == (False, 1)


def test_a_status_that_is_new_has_ended_once_it_was_completed() -> None:
    run = Prediction(id="p1", status="expired")
    assert not run.has_ended
    assert run.model_copy(update={"completed_at": "2026-11-21T10:00:03Z"}).has_ended
    assert Prediction(id="p1", status="processing", logs=" 10%|█ | 38%|███▊ | 19/50 [").fraction == 0.38


WISHES = [
    (f"{FLUX}-schnell", {}, {"prompt": "a red fox", "aspect_ratio": "1:1", "num_outputs": 1, "go_fast": False}, 0.003),
    (f"{FLUX}-schnell", {"width": 512, "height": 512}, {"megapixels": "0.25", "output_format": "png"}, 0.003),
    (f"{FLUX}-schnell", {"steps": 30, "model": "Flux Schnell"}, {"num_inference_steps": 4, "seed": 812}, 0.003),
    (
        f"{FLUX}-dev",
        {"model": "flux-dev", "guidance": 2.5, "steps": 40},
        {"guidance": 2.5, "num_inference_steps": 40},
        0.025,
    ),
    (
        f"{FLUX}-dev",
        {"mode": Mode.IMG2IMG, "init_image": LOOK, "denoising_strength": 0.3},
        {"prompt_strength": 0.3},
        0.025,
    ),
    (
        f"{FLUX}-1.1-pro",
        {"model": "Flux Pro", "width": 1280, "height": 704},
        {"aspect_ratio": "custom", "width": 1280, "height": 704},
        0.04,
    ),
    (f"{FLUX}-2-pro", {"model": "Flux 2 Pro", "width": 2048, "height": 1024}, {"width": 2048, "height": 1024}, 0.03),
    (
        f"{FLUX}-2-pro",
        {"model": "Flux 2 Pro", "mode": Mode.IMG2IMG, "init_image": LOOK, "more_images": (picture(colour="red"),)},
        {"aspect_ratio": "match_input_image"},
        0.03,
    ),
    (
        LIGHTNING,
        {"model": "SDXL Lightning", "width": 1536, "negative_prompt": "rain", "sampler": "ddim"},
        {"width": 1280, "height": 1024, "negative_prompt": "rain", "scheduler": "DDIM"},
        0.0028,
    ),
    ("stability-ai/sdxl", {"mode": Mode.INPAINT, "init_image": LOOK, "mask_image": BLANK}, {"width": 1024}, 0.0),
    (ESRGAN, {"mode": Mode.UPSCALE, "init_image": LOOK, "upscale_factor": 2.0, "prompt": ""}, {"scale": 2}, 0.00045),
    (
        ESRGAN,
        {"mode": Mode.UPSCALE, "init_image": LOOK, "upscaler": "Real-ESRGAN 4x", "prompt": ""},
        {"scale": 4},
        0.00045,
    ),
]


@pytest.mark.parametrize(("slug", "changes", "fields", "usd"), WISHES, ids=lambda value: str(value)[:30])
async def test_each_wish_is_told_in_the_models_own_words_at_its_price(
    slug: str, changes: dict[str, Any], fields: dict[str, Any], usd: float
) -> None:
    async with ReplicateServer() as server:
        result = await drawn_by(server, asked(**changes))
        (run,) = server.runs.values()
        assert (run.slug, {name: run.input.get(name) for name in fields}) == (slug, fields)
        assert result.cost_usd == pytest.approx(usd)
        assert result.model == slug
        assert ("what it cost is not known" in result.notes) == (usd == 0.0)
        unsaid = {"steps": "num_inference_steps", "guidance": "guidance", "cfg_scale": "guidance_scale"}
        assert not {theirs for ours, theirs in unsaid.items() if ours not in changes} & run.input.keys()


async def test_every_picture_has_a_prediction_and_a_seed_of_its_own() -> None:
    async with ReplicateServer() as server:
        result = await drawn_by(server, asked(batch_size=3, model="Flux Pro"))
        assert [run.input["seed"] for run in server.runs.values()] == [image.seed for image in result.images]
        assert [image.seed for image in result.images] == [812, 813, 814]
        assert result.cost_usd == pytest.approx(0.12)


async def test_what_a_model_does_not_take_is_said() -> None:
    async with ReplicateServer() as server:
        changes = {"steps": 30, "sampler": "ddim", "negative_prompt": "rain", "width": 1280, "height": 992}
        notes = (await drawn_by(server, asked(**changes))).notes
        assert notes == (
            "negative prompt ignored by Flux Schnell",
            "sampler DDIM ignored by Flux Schnell",
            "steps 30 → 4, the limit of this model",
            "drawn as 5:4, the nearest ratio here",
        )
        of_a_picture = asked(mode=Mode.IMG2IMG, init_image=LOOK, model="Flux Schnell")
        assert (await drawn_by(server, of_a_picture)).notes[0].endswith("does not do img2img: Flux Dev does it")


@pytest.mark.parametrize(
    ("plan", "kind", "words", "may_have_run"),
    [
        ("nsfw", ContentBlocked, "NSFW content", True),
        ("e005", ContentBlocked, "flagged as sensitive", True),
        ("empty", ContentBlocked, "held the picture back", True),
        ("memory", BackendError, "memory", True),
        ("fault", BackendUnavailable, "interrupted", True),
        ("canceled", BackendError, "stopped it while it was being drawn", True),
        ("aborted", BackendError, "before it began; nothing was charged", False),
    ],
)
async def test_the_end_of_a_prediction_is_told(
    plan: str, kind: type[Exception], words: str, may_have_run: bool
) -> None:
    async with ReplicateServer() as server:
        server.plans.append(plan)
        with pytest.raises(kind) as caught:
            await drawn_by(server, asked())
        assert isinstance(caught.value, GenerationError)
        assert words in caught.value.user_message
        assert getattr(caught.value, "may_have_run", None) is may_have_run
        assert not isinstance(caught.value, OutOfMemory) or caught.value.may_have_run


async def test_the_price_stands_before_the_click_and_lists_have_dates() -> None:
    async with ReplicateServer() as server:
        backend = connect(server)
        assert await backend.quote(asked(batch_size=2)) == pytest.approx(0.006)
        await backend.capabilities()
        assert await backend.quote(asked(model=LIGHTNING)) == pytest.approx(0.0028)
        assert await backend.quote(asked(mode=Mode.UPSCALE, init_image=LOOK)) == pytest.approx(0.0036)
        lines = backend.prices()
        assert {line.unit for line in lines if line.name == LIGHTNING} == {"picture", "second"}
        assert all(line.as_of >= "2026-11-21" and line.source for line in lines)
        await backend.aclose()


def test_a_schema_of_anything_is_a_model_that_does_nothing() -> None:
    for schema in (None, [], {"components": 5}, {"components": {"schemas": {"Input": {"properties": {"a": 1}}}}}):
        assert model_of("a/b", "", schema).modes == frozenset()


async def test_no_key_stands_in_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with ReplicateServer() as server:
        await drawn_by(server, asked())
        with pytest.raises(BackendAuthError) as caught:
            await drawn_by(server, asked(), key="r8_secret0123456789abcdef")
    written = f"{caught.value} {caught.value.user_message} {caught.value.hint} {caught.value.detail} {caplog.text}"
    assert "r8_secret" not in written
    assert KEY not in written
