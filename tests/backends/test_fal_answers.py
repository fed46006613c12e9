"""Wishes in the words of fal.ai, and the meaning of its answers."""

from typing import Any

import pytest

from backends.fal.errors import translate_failure
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
from tests.backends.test_fal_contract import connect
from tests.backends.test_gemini_answers import picture
from tests.engines.fal_server import KEY, FalServer

LOOK = picture(1024, 1024)


@pytest.mark.parametrize(
    ("changes", "endpoint", "usd"),
    [
        ({}, "fal-ai/flux-2", 0.012),
        ({"width": 2048, "height": 1024}, "fal-ai/flux-2", 0.024),
        ({"model": "fal-ai/flux-2-pro"}, "fal-ai/flux-2-pro", 0.03),
        ({"model": "fal-ai/flux-2-flex", "width": 2048}, "fal-ai/flux-2-flex", 0.06),
        ({"mode": Mode.IMG2IMG, "init_image": LOOK}, "fal-ai/flux-2/edit", 0.024),
        ({"mode": Mode.IMG2IMG, "init_image": LOOK, "more_images": (picture(64, 64),)}, "fal-ai/flux-2/edit", 0.024),
    ],
    ids=str,
)
async def test_each_wish_is_told_in_its_words_at_its_price(changes: dict[str, Any], endpoint: str, usd: float) -> None:
    async with FalServer() as server:
        result = await drawn_by(connect(server), asked(**changes))
        (job,) = server.jobs.values()
        assert job.endpoint == endpoint
        size = {"width": changes.get("width", 1024), "height": changes.get("height", 1024)}
        assert (job.body["image_size"], job.body["seed"]) == (size, 812)
        pictures = ("init_image" in changes) + ("more_images" in changes)
        assert len(job.body.get("image_urls", [])) == pictures
        assert result.cost_usd == pytest.approx(usd)
        assert server.leaked == 0


async def test_the_price_stands_before_the_click_as_they_say_it_today() -> None:
    async with FalServer() as server:
        backend = connect(server)
        assert await backend.quote(asked()) is None
        assert backend.prices() == ()
        await backend.capabilities()
        assert await backend.quote(asked(batch_size=2)) == pytest.approx(0.024)
        assert {line.usd for line in backend.prices()} >= {0.012, 0.03}
        assert all(line.as_of and line.source for line in backend.prices())
        server.prices["fal-ai/flux-2"] = (0.02, "megapixels")
        await backend.capabilities()
        assert await backend.quote(asked()) == pytest.approx(0.02)
        counted = asked(mode=Mode.IMG2IMG, init_image=LOOK, model="fal-ai/flux-2-flex")
        assert await backend.quote(counted) is None
        await backend.aclose()


async def test_every_picture_is_a_request_with_a_seed_of_its_own_and_what_is_drawn_is_kept() -> None:
    async with FalServer() as server:
        server.plans += ["draw", "policy", "draw"]
        result = await drawn_by(connect(server), asked(batch_size=3))
        assert ([image.seed for image in result.images], result.is_complete) == ([812, 814], False)
        assert any("sexual" in note for note in result.notes)
        assert result.cost_usd == pytest.approx(0.024)


@pytest.mark.parametrize(
    ("plan", "kind", "words", "is_unsure"),
    [
        ("policy", ContentBlocked, "refuses this. It says: sexual", False),
        ("nsfw", ContentBlocked, "held the picture back", True),
        ("fault", BackendError, "Generation failed", True),
        ("lost", RemoteForgotten, "no longer knows", True),
    ],
)
async def test_the_end_of_a_request_is_told(plan: str, kind: type[Exception], words: str, is_unsure: bool) -> None:
    async with FalServer() as server:
        server.plans.append(plan)
        with pytest.raises(kind) as caught:
            await drawn_by(connect(server), asked())
        assert isinstance(caught.value, GenerationError)
        assert words in caught.value.user_message
        assert caught.value.hint
        assert getattr(caught.value, "may_have_run", None) is is_unsure


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (403, b'{"detail": "User is locked. Reason: Exhausted balance."}', BackendError, "no credit"),
        (401, b'{"detail": "Invalid API key"}', BackendAuthError, "key"),
        (429, b"{}", RateLimited, "slow down"),
        (422, b'{"detail": [{"loc": ["body", "image_size", "width"], "msg": "too large", "type": "value_error"}]}',
         RequestRejected, "does not accept the value of size"),
    ],
)  # fmt: skip
def test_refusals_are_told_in_our_words(status: int, body: bytes, kind: type[Exception], words: str) -> None:
    error = translate_failure("FAL", Reply(status=status, body=body))
    assert type(error) is kind
    assert words in error.user_message
    assert error.hint


async def test_what_waits_there_is_taken_back() -> None:
    async with FalServer() as server:
        server.hold()
        backend = connect(server)
        remote_id = await backend.start(asked(batch_size=2))
        await backend.cancel(remote_id)
        assert all(job.is_cancelled for job in server.jobs.values())
        await backend.cancel(remote_id)  # it has ended already
        await backend.aclose()


async def test_a_key_goes_to_no_address_but_theirs() -> None:
    async with FalServer() as server:
        backend = connect(server, url="https://api.fal.ai")
        assert backend._is_theirs("https://queue.fal.run/fal-ai/flux-2/requests/1")
        for url in ("https://evil.example/x", "http://queue.fal.run/x", "https://queue.fal.run.evil.example/x", ""):
            assert not backend._is_theirs(url), url
        await backend.aclose()


async def test_no_key_stands_in_an_error_or_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with FalServer() as server:
        await drawn_by(connect(server), asked())
        with pytest.raises(BackendAuthError) as caught:
            await drawn_by(connect(server, key="fal-secret-0123456789"), asked())
    written = f"{caught.value} {caught.value.user_message} {caught.value.hint} {caught.value.detail} {caplog.text}"
    assert "fal-secret" not in written
    assert KEY not in written
