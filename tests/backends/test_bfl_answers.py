"""Wishes in the words of Black Forest Labs, and the meaning of its answers."""

from collections.abc import Callable
from typing import Any

import pytest

from backends.bfl.errors import translate_failure
from backends.polling import RemoteForgotten
from generation.errors import (
    BackendAuthError,
    BackendError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    RequestRejected,
)
from generation.request import Mode
from net.reply import Reply
from tests.backends.queued_rig import asked, drawn_by
from tests.backends.test_bfl_contract import connect
from tests.backends.test_gemini_answers import picture
from tests.engines.bfl_server import KEY, BflServer

LOOK = picture(1024, 1024)


@pytest.mark.parametrize(
    ("changes", "model", "fields", "usd"),
    [
        ({}, "flux-2-pro", {"width": 1024, "height": 1024, "seed": 812, "prompt_upsampling": False}, 0.03),
        ({"width": 2048, "height": 1024}, "flux-2-pro", {"width": 2048}, 0.045),
        ({"model": "flux-2-klein-4b"}, "flux-2-klein-4b", {"prompt_upsampling": None}, 0.014),
        ({"mode": Mode.IMG2IMG, "init_image": LOOK}, "flux-2-pro", {"prompt": "a red fox"}, 0.045),
        ({"mode": Mode.IMG2IMG, "init_image": LOOK, "more_images": (picture(64, 64),)}, "flux-2-pro", {}, 0.06),
    ],
    ids=str,
)
async def test_each_wish_is_told_in_its_words_at_its_price(
    changes: dict[str, Any], model: str, fields: dict[str, Any], usd: float
) -> None:
    async with BflServer() as server:
        result = await drawn_by(connect(server), asked(**changes))
        (job,) = server.jobs.values()
        assert (job.model, {name: job.body.get(name) for name in fields}) == (model, fields)
        assert ("input_image" in job.body, "input_image_2" in job.body) == (
            "init_image" in changes,
            "more_images" in changes,
        )
        assert result.cost_usd == pytest.approx(usd)
        assert server.leaked == 0


async def test_what_an_answer_says_of_its_cost_is_the_truth() -> None:
    async with BflServer() as server:
        server.cost = 4.5
        assert (await drawn_by(connect(server), asked())).cost_usd == pytest.approx(0.045)


async def test_every_picture_is_a_job_with_a_seed_of_its_own_and_what_is_drawn_is_kept() -> None:
    async with BflServer() as server:
        server.plans += ["draw", "content", "draw"]
        result = await drawn_by(connect(server), asked(batch_size=3))
        assert ([image.seed for image in result.images], result.is_complete) == ([812, 814], False)
        assert any("Derivative Works Filter" in note for note in result.notes)
        assert result.cost_usd == pytest.approx(0.06)


@pytest.mark.parametrize(
    ("plan", "kind", "words", "is_unsure"),
    [
        ("request", ContentBlocked, "refuses this. It says: Derivative Works Filter", False),
        ("content", ContentBlocked, "held the picture back. It says: Derivative Works Filter", True),
        ("fault", BackendError, "Generation failed", True),
        ("lost", RemoteForgotten, "no longer knows", True),
    ],
)
async def test_the_end_of_a_job_is_told(plan: str, kind: type[Exception], words: str, is_unsure: bool) -> None:
    async with BflServer() as server:
        server.plans.append(plan)
        with pytest.raises(kind) as caught:
            await drawn_by(connect(server), asked())
        assert isinstance(caught.value, GenerationError)
        assert words in caught.value.user_message
        assert caught.value.hint
        assert getattr(caught.value, "may_have_run", None) is is_unsure


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(402, BackendError, "no credit"), (403, BackendAuthError, "key"), (429, RateLimited, "slow down"),
     (422, RequestRejected, "does not accept the value of size")],
)  # fmt: skip
def test_refusals_are_told_in_our_words(status: int, kind: type[Exception], words: str) -> None:
    body = b'{"detail": [{"loc": ["body", "width"], "msg": "too large", "type": "value_error"}]}'
    error = translate_failure("BFL", Reply(status=status, body=body))
    assert type(error) is kind
    assert words in error.user_message
    assert error.hint


async def test_a_key_goes_to_no_address_but_theirs() -> None:
    async with BflServer() as server:
        backend = connect(server, url="https://api.bfl.ai")
        allowed: Callable[[str], bool] = backend._is_theirs
        assert allowed("https://api.eu1.bfl.ai/v1/get_result?id=1")
        for url in ("https://evil.example/x", "http://api.bfl.ai/x", "https://notbfl.ai/x", "https://bfl.ai:99/x", ""):
            assert not allowed(url), url
        await backend.aclose()
        here = connect(server)
        assert here._is_theirs(f"{server.url}/v1/get_result?id=1")
        assert not here._is_theirs("https://api.bfl.ai/v1/get_result?id=1")
        await here.aclose()


async def test_the_price_stands_before_the_click_and_lists_have_dates() -> None:
    async with BflServer() as server:
        backend = connect(server)
        assert await backend.quote(asked(batch_size=2)) == pytest.approx(0.06)
        assert {line.variant for line in backend.prices()} == {"", "more"}
        assert all(line.as_of and line.source for line in backend.prices())
        await backend.aclose()


async def test_no_key_stands_in_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with BflServer() as server:
        await drawn_by(connect(server), asked())
        with pytest.raises(BackendAuthError) as caught:
            await drawn_by(connect(server, key="bfl-secret-0123456789"), asked())
    written = f"{caught.value} {caught.value.user_message} {caught.value.hint} {caught.value.detail} {caplog.text}"
    assert "bfl-secret" not in written
    assert KEY not in written
