"""The endpoint of Stability AI for each wish, and the meaning of its answers."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.stability.backend import StabilityBackend
from backends.stability.errors import translate_failure
from backends.stability.payload import PRESETS, UPSCALERS, name_of, ratio_for
from generation.capabilities import Fit, fit
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
)
from generation.job import Progress
from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from net.reply import Reply
from tests.backends.test_replicate_jobs import HastyClock
from tests.backends.test_stability_contract import connect
from tests.engines.stability_server import FIELDS, StabilityServer
from tests.jobs import make_request

DATA = Path(__file__).parents[1] / "data" / "stability"
REFUSALS = sorted(DATA.glob("*error*.json"))
SPEAKABLE = re.compile(r"https?:|sk-|HTTP \d|\{")


async def ignore(_: Progress) -> None:
    pass


def picture(
    width: int = 512, height: int = 512, colour: str = "navy", inner: tuple[int, int, int, int] | None = None
) -> SourceImage:
    image, out = Image.new("RGB", (width, height), colour), io.BytesIO()
    if inner:
        image.paste("black", inner)
    image.save(out, "PNG")
    return SourceImage.of(out.getvalue(), width, height)


def asked(**changes: Any) -> GenerationRequest:
    return make_request(**({"width": 1024, "height": 1024, "sampler": None, "seed": 812} | changes))


async def drawn_by(server: StabilityServer, request: GenerationRequest, **changes: Any) -> GenerationResult:
    backend: StabilityBackend = connect(server, **changes)
    try:
        fitted = fit(request, await backend.capabilities())
        assert isinstance(fitted, Fit), fitted
        return await backend.generate(fitted.request, ignore)
    finally:
        await backend.aclose()


@pytest.mark.parametrize("path", REFUSALS, ids=lambda path: path.stem)
def test_every_documented_refusal_has_words_of_ours(path: Path) -> None:
    response = json.loads(path.read_text())["response"]
    error = translate_failure("Stability", Reply(status=response["status"], body=json.dumps(response["body"]).encode()))
    text = f"{error.user_message} {error.hint}"
    assert "Stability" in error.user_message
    assert error.hint
    assert not SPEAKABLE.search(text), text


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("error_moderation", ContentBlocked, "nothing was charged"),
        ("error_payment_required", BackendError, "no credit"),
        ("error_unauthorized", BackendAuthError, "key"),
        ("error_rate_limit", RateLimited, "slow down"),
        ("error_bad_request", RequestRejected, "does not accept"),
        ("error_internal", BackendUnavailable, "failed inside"),
    ],
)
def test_refusals_are_told_in_our_words(name: str, kind: type[Exception], words: str) -> None:
    response = json.loads((DATA / f"{name}.json").read_text())["response"]
    error = translate_failure("Stability", Reply(status=response["status"], body=json.dumps(response["body"]).encode()))
    assert type(error) is kind
    assert words in error.user_message
    assert not isinstance(error, RateLimited) or error.retry_after == 60.0


LOOK = picture()
ENDPOINTS = [
    ("generate/core", {}, {"aspect_ratio": "1:1", "prompt": "a red fox", "seed": "812"}, 0.03),
    ("generate/core", {"styles": ("neon-punk",)}, {"style_preset": "neon-punk"}, 0.03),
    ("generate/ultra", {"model": "ultra", "width": 1600, "height": 900}, {"aspect_ratio": "16:9"}, 0.08),
    ("generate/sd3", {"model": "sd3.5-large", "cfg_scale": 30.0}, {"model": "sd3.5-large", "cfg_scale": "10"}, 0.065),
    ("generate/sd3", {"model": "sd3.5-large-turbo", "negative_prompt": "rain"}, {"model": "sd3.5-large-turbo"}, 0.04),
    (
        "generate/sd3",
        {"mode": Mode.IMG2IMG, "init_image": LOOK, "denoising_strength": 0.3},
        {"mode": "image-to-image", "strength": "0.3"},
        0.065,
    ),
    ("generate/ultra", {"mode": Mode.IMG2IMG, "init_image": LOOK, "model": "ultra"}, {"strength": "0.75"}, 0.08),
    (
        "edit/search-and-replace",
        {"mode": Mode.IMG2IMG, "init_image": LOOK, "model": "search-and-replace", "prompt": "a wolf instead of a fox"},
        {"prompt": "a wolf", "search_prompt": "a fox"},
        0.05,
    ),
    ("edit/remove-background", {"mode": Mode.IMG2IMG, "init_image": LOOK, "model": "remove-background"}, {}, 0.05),
    ("upscale/fast", {"mode": Mode.UPSCALE, "init_image": LOOK, "prompt": ""}, {"output_format": "png"}, 0.02),
    (
        "upscale/conservative",
        {"mode": Mode.UPSCALE, "init_image": LOOK, "upscaler": "conservative", "prompt": ""},
        {"creativity": "0.35", "prompt": "the same picture, sharp and in high detail"},
        0.4,
    ),
    (
        "upscale/creative",
        {"mode": Mode.UPSCALE, "init_image": LOOK, "upscaler": "creative"},
        {"creativity": "0.3"},
        0.6,
    ),
    (
        "control/style-transfer",
        {"mode": Mode.RESTYLE, "init_image": LOOK, "more_images": (LOOK,), "prompt": ""},
        {},
        0.08,
    ),
    ("control/sketch", {"control": (ControlUnit(kind="sketch", image=LOOK),)}, {"control_strength": "1"}, 0.05),
    (
        "control/structure",
        {"control": (ControlUnit(kind="structure", image=LOOK, weight=0.5),)},
        {"control_strength": "0.5"},
        0.05,
    ),
    (
        "control/style",
        {"control": (ControlUnit(kind="style", image=LOOK),)},
        {"fidelity": "1", "aspect_ratio": "1:1"},
        0.05,
    ),
]


@pytest.mark.parametrize(("endpoint", "changes", "fields", "usd"), ENDPOINTS, ids=lambda value: str(value)[:24])
async def test_each_wish_goes_to_its_endpoint_at_its_price(
    endpoint: str, changes: dict[str, Any], fields: dict[str, str], usd: float
) -> None:
    async with StabilityServer() as server:
        result = await drawn_by(server, asked(**changes))
        job = server.jobs[0]
        assert (job.path, {name: job.body.get(name) for name in fields}) == (endpoint, fields)
        assert result.cost_usd == pytest.approx(usd)
        assert name_of(asked(**changes), {}) == (result.model or "")


async def test_a_mask_is_repainted_erased_or_continues_the_picture() -> None:
    hole = picture(512, 512, "black")
    spot = Image.open(io.BytesIO(hole.data))
    spot.paste("white", (100, 100, 200, 200))
    out = io.BytesIO()
    spot.save(out, "PNG")
    painted = SourceImage.of(out.getvalue())
    border = picture(512, 512, "white", (0, 64, 412, 512))
    async with StabilityServer() as server:
        for mask, model, endpoint in (
            (painted, None, "edit/inpaint"), (painted, "erase", "edit/erase"), (border, None, "edit/outpaint"),
        ):  # fmt: skip
            await drawn_by(server, asked(mode=Mode.INPAINT, init_image=picture(), mask_image=mask, model=model))
            assert server.jobs[-1].path == endpoint
        body = server.jobs[-1].body
        assert (body.get("left"), body["up"], body["right"], body.get("down")) == (None, "64", "100", None)
        assert Image.open(io.BytesIO(server.jobs[-1].files["image"])).size == (412, 448)


async def test_white_in_the_mask_is_what_it_repaints() -> None:
    painted = picture(512, 512, "black", None)
    half = Image.open(io.BytesIO(painted.data))
    half.paste("white", (100, 0, 256, 512))
    out = io.BytesIO()
    half.save(out, "PNG")
    async with StabilityServer() as server:
        mask = SourceImage.of(out.getvalue())
        await drawn_by(server, asked(mode=Mode.INPAINT, init_image=picture(), mask_image=mask))
        assert server.jobs[0].files["mask"] == mask.data


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"model": "erase"}, CapabilityError),
        ({"mode": Mode.IMG2IMG, "init_image": LOOK, "model": "search-and-replace"}, RequestRejected),
        ({"mode": Mode.RESTYLE, "init_image": LOOK}, CapabilityError),
        ({"mode": Mode.IMG2IMG}, RequestRejected),
    ],
)
async def test_what_no_endpoint_does_is_said_before_a_call(changes: dict[str, Any], kind: type[Exception]) -> None:
    async with StabilityServer() as server:
        with pytest.raises(kind):
            await drawn_by(server, asked(**changes))
        assert server.jobs == []


async def test_the_slow_upscaler_is_asked_until_it_is_done_and_no_more_than_allowed() -> None:
    async with StabilityServer() as server:
        server.polls_needed = 3
        await drawn_by(server, asked(mode=Mode.UPSCALE, init_image=LOOK, upscaler="creative"))
        assert server.jobs[0].polls == 3
    assert StabilityBackend.__init__.__kwdefaults__["poll_s"] == 10.0


async def test_the_pause_between_two_requests_is_for_its_owner_to_set() -> None:
    async with StabilityServer() as server:
        for options, waited_s in (({}, 0.0), ({"pause": "30"}, 60.2)):
            clock = HastyClock()
            backend = connect(server, clock=clock, options=options)
            await backend.generate(asked(batch_size=3), ignore)
            assert clock.offset_s == pytest.approx(waited_s, abs=0.2)
            await backend.aclose()


@pytest.mark.parametrize(
    ("plan", "kind", "words"),
    [("filtered", ContentBlocked, "held the picture back"), ("moderated", ContentBlocked, "refuses this"),
     ("unpaid", BackendError, "no credit")],
)  # fmt: skip
async def test_a_picture_that_is_held_back_is_not_shown(plan: str, kind: type[Exception], words: str) -> None:
    async with StabilityServer() as server:
        server.plans.append(plan)
        with pytest.raises(kind) as caught:
            await drawn_by(server, asked())
        assert isinstance(caught.value, GenerationError)
        assert words in caught.value.user_message
        assert getattr(caught.value, "may_have_run", False) is (plan == "filtered")


async def test_what_is_drawn_is_kept_where_a_later_call_fails() -> None:
    async with StabilityServer() as server:
        server.plans += ["draw", "fault"]
        result = await drawn_by(server, asked(batch_size=3))
        assert (len(result.images), result.is_complete, len(server.jobs)) == (1, False, 2)
        assert result.cost_usd == pytest.approx(0.03)


async def test_a_ratio_that_is_not_there_becomes_the_nearest_and_is_told() -> None:
    assert (ratio_for(1920, 1080), ratio_for(500, 1000), ratio_for(1024, 1024)) == ("16:9", "9:16", "1:1")
    async with StabilityServer() as server:
        result = await drawn_by(server, asked(width=1280, height=1000))
        assert result.notes == ("drawn as 5:4, the nearest ratio here",)
        assert Image.open(io.BytesIO(result.images[0].data)).size == (1344, 1088)


async def test_the_price_stands_before_the_click_and_lists_have_dates() -> None:
    async with StabilityServer() as server:
        backend = connect(server)
        assert await backend.quote(asked(batch_size=2)) == pytest.approx(0.06)
        assert {line.name for line in backend.prices()} >= {"core", "ultra", "creative", "erase"}
        assert all(line.as_of == "2026-11-21" and line.source for line in backend.prices())
        can = await backend.capabilities()
        assert (can.styles, can.upscalers) == (PRESETS, UPSCALERS)
        await backend.aclose()


def test_every_endpoint_of_the_page_is_one_of_the_reference() -> None:
    page = (Path(__file__).parents[2] / "docs" / "backends" / "stability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:generate|edit|control|upscale)/[a-z0-9-]+)`", page))
    assert named == FIELDS.keys()


async def test_no_key_stands_in_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with StabilityServer() as server:
        backend = connect(server, key="sk-secret-0123456789abcdef")
        with pytest.raises(BackendAuthError) as caught:
            await backend.capabilities()
        await backend.aclose()
    written = f"{caught.value} {caught.value.user_message} {caught.value.hint} {caught.value.detail} {caplog.text}"
    assert "sk-secret" not in written
