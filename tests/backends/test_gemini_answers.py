"""Wishes in Gemini's words, and the meaning of its answers: a picture, a refusal, or only words."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backends.gemini.errors import translate_failure
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
    UnexpectedAnswer,
)
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from net.reply import Reply
from tests.api.conftest import site_at
from tests.backends.test_gemini_contract import connect
from tests.engines.gemini_server import KEY, GeminiServer
from tests.jobs import make_request


async def ignore(_: Progress) -> None:
    pass


def picture(width: int, height: int) -> SourceImage:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "navy").save(out, "PNG")
    return SourceImage.of(out.getvalue(), width, height)


LOOK = picture(640, 512)


def asked(**changes: Any) -> GenerationRequest:
    return make_request(**({"width": 1024, "height": 1024, "sampler": None, "seed": 812} | changes))


async def drawn_by(server: GeminiServer, request: GenerationRequest, **changes: Any) -> GenerationResult:
    backend = connect(server, **changes)
    try:
        fitted = fit(request, await backend.capabilities())
        assert isinstance(fitted, Fit), fitted
        return await backend.generate(fitted.request, ignore)
    finally:
        await backend.aclose()


@pytest.mark.parametrize(
    ("changes", "model", "config", "usd"),
    [
        ({}, "gemini-nano-banana-2.1", {"aspectRatio": "1:1", "imageSize": "1K"}, 0.0336),
        ({"width": 512, "height": 512}, "gemini-nano-banana-2.1", {"aspectRatio": "1:1", "imageSize": "512"}, 0.0224),
        ({"width": 2560, "height": 1440}, "gemini-nano-banana-2.1", {"aspectRatio": "16:9", "imageSize": "2K"}, 0.0504),
        ({"model": "Nano Banana Pro", "width": 512}, "gemini-3-pro-image", {"imageSize": "1K"}, 0.1344),
        ({"mode": Mode.IMG2IMG, "init_image": LOOK}, "gemini-nano-banana-2.1", {"imageSize": "1K"}, 0.0336),
    ],
    ids=str,
)
async def test_each_wish_is_told_by_ratio_and_size_at_its_price(
    changes: dict[str, Any], model: str, config: dict[str, str], usd: float
) -> None:
    async with GeminiServer() as server:
        result = await drawn_by(server, asked(**changes))
        (job,) = server.jobs
        assert (job.model, {name: job.config.get(name) for name in config}) == (model, config)
        assert ("aspectRatio" in job.config) == ("init_image" not in changes)
        assert result.cost_usd == pytest.approx(usd, rel=0.01)
        assert job.body["generationConfig"]["seed"] == result.images[0].seed == 812


async def test_pictures_go_along_and_keep_their_shape() -> None:
    async with GeminiServer() as server:
        other = picture(64, 64)
        wish = asked(mode=Mode.IMG2IMG, init_image=LOOK, more_images=(other,), denoising_strength=0.5)
        result = await drawn_by(server, wish)
        assert server.jobs[0].pictures == [LOOK.data, other.data]
        assert result.notes == ("denoising strength ignored: this model goes by the words",)
        width, height = Image.open(io.BytesIO(result.images[0].data)).size
        assert width / height == pytest.approx(640 / 512, rel=0.02)


async def test_what_is_not_wanted_is_said_in_words_and_sizes_are_set() -> None:
    async with GeminiServer() as server:
        await drawn_by(server, asked(negative_prompt="rain"), options={"image_size": "2K"})
        assert server.jobs[0].prompt == "a red fox\nAvoid: rain"
        assert server.jobs[0].config["imageSize"] == "2K"


async def test_only_words_in_place_of_a_picture_are_told_as_such() -> None:
    async with GeminiServer() as server:
        server.plans.append("words")
        with pytest.raises(RequestRejected) as caught:
            await drawn_by(server, asked())
        assert caught.value.user_message == (
            "Gemini answered in words, without a picture. It says: Which kind of fox would you like? "
            "I can describe several."
        )
        assert "Draw a red fox" in caught.value.hint
        assert len(server.jobs) == 1


@pytest.mark.parametrize(
    ("plan", "kind", "words"),
    [
        ("blocked", ContentBlocked, "forbidden content"),
        ("safety", ContentBlocked, "safety"),
        ("recitation", ContentBlocked, "too close to a work of others"),
        ("nothing", UnexpectedAnswer, "without a picture"),
        ("fault", BackendUnavailable, "failed inside"),
        ("slow", RateLimited, "slow down"),
        ("unpaid", BackendError, "may not draw with this model"),
    ],
)
async def test_a_refusal_keeps_its_reason(plan: str, kind: type[Exception], words: str) -> None:
    async with GeminiServer() as server:
        server.plans.append(plan)
        with pytest.raises(GenerationError) as caught:
            await drawn_by(server, asked())
        assert type(caught.value) is kind
        assert words in caught.value.user_message
        assert caught.value.hint
        assert plan != "slow" or caught.value.retry_after == 32.0


async def test_a_draft_of_the_picture_and_a_thought_are_not_the_picture() -> None:
    async with GeminiServer() as server:
        server.plans.append("draft")
        assert len((await drawn_by(server, asked())).images) == 1


async def test_what_is_drawn_is_kept_where_a_later_call_fails() -> None:
    async with GeminiServer() as server:
        server.plans += ["draw", "safety"]
        result = await drawn_by(server, asked(batch_size=3))
        assert (len(result.images), result.is_complete, len(server.jobs)) == (1, False, 2)
        assert result.cost_usd == pytest.approx(0.0336)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}}', BackendAuthError),
        (403, b'{"error": {"message": "no", "status": "PERMISSION_DENIED"}}', BackendAuthError),
        (404, b'{"error": {"message": "models/x is not found", "status": "NOT_FOUND"}}', CapabilityError),
        (400, b'{"error": {"message": "Unknown name", "status": "INVALID_ARGUMENT"}}', RequestRejected),
    ],
)
def test_refusals_are_told_in_our_words(status: int, body: bytes, kind: type[Exception]) -> None:
    error = translate_failure("Gemini", Reply(status=status, body=body))
    assert type(error) is kind
    assert error.hint


async def test_an_account_without_a_model_that_draws_is_told_so() -> None:
    async with GeminiServer() as server:
        server.models = {"gemini-3-flash": "Gemini 3 Flash"}
        with pytest.raises(BackendError, match="no model that draws"):
            await drawn_by(server, asked())


async def test_the_price_stands_before_the_click_and_lists_have_dates() -> None:
    async with GeminiServer() as server:
        backend = connect(server)
        assert [model.title for model in (await backend.capabilities()).models or ()] == [
            "Nano Banana 2.1", "Nano Banana Pro",
        ]  # fmt: skip
        assert await backend.quote(asked(batch_size=2)) == pytest.approx(0.0672)
        assert all(line.as_of and line.source for line in backend.prices())
        await backend.aclose()


async def test_the_studio_has_it_as_a_provider_by_its_words(tmp_path: Path) -> None:
    async with GeminiServer() as server:
        settings = {"GEMINI_API_KEY": KEY, "GEMINI_URL": f"{server.url}/v1beta"}
        async with site_at(tmp_path, **settings) as site:
            body = {"prompt": "a red fox", "size": "1024x1024", "provider": "nano-banana"}
            found = (await site.client.post("/api/images/generate", json=body)).json()
            assert (found["success"], found["images"][0]["model"]) == (True, "gemini-nano-banana-2.1")
            reported = (await site.client.get("/api/images/providers")).json()["providers"]
            listed = next(item for item in reported if item["name"] == "gemini")
            rows = {"textToImage": True, "imageToImage": True, "inpainting": False, "upscaling": False}
            assert {row: listed["capabilities"][row] for row in rows} == rows
            assert {price["variant"] for price in listed["prices"]} >= {"512", "1K", "2K", "4K"}
            server.plans.append("words")
            answer = await site.client.post("/api/images/generate", json=body | {"prompt": "which fox?"})
            assert "answered in words" in answer.json()["error"]


async def test_no_key_stands_in_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with GeminiServer() as server:
        await drawn_by(server, asked())
        with pytest.raises(BackendAuthError) as caught:
            await drawn_by(server, asked(), key="AIzaSecret0123456789abcdef")
    written = f"{caught.value} {caught.value.user_message} {caught.value.hint} {caught.value.detail} {caplog.text}"
    assert "AIzaSecret" not in written
    assert KEY not in written
