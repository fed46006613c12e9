"""Recorded answers through the real client: the end states and the refusals."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import respx

from backends.ai_horde.errors import Call, translate_failure
from backends.ai_horde.kind import POST_PROCESSORS
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
from generation.request import Lora, Mode
from net.reply import Reply
from tests.backends.horde_recordings import API, URL, Horde, exchanges, noted, response
from tests.net.replies import reply_of


@pytest.fixture
async def horde() -> AsyncIterator[Horde]:
    with respx.mock(assert_all_called=False) as mock:
        made = Horde(mock)
        yield made
        await made.backend.aclose()


async def test_two_pictures_come_in_the_order_of_their_batch_with_their_own_seeds(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    result, seen = await horde.generate(batch_size=2)
    assert [image.seed for image in result.images] == [42, 43]
    assert all(image.data[:4] == b"RIFF" for image in result.images)
    assert result.model == "stable_diffusion"
    assert result.notes == ("15 kudos, 913 left",)
    assert seen[0].note == "waiting for a worker · about 10 kudos"
    assert seen[1].note.startswith("being drawn")


async def test_pictures_are_fetched_without_our_key_or_name(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    await horde.generate(batch_size=2)
    fetched = [call.request for call in horde.mock.calls if call.request.url.port == 7804]
    assert len(fetched) == 2
    assert not any("apikey" in item.headers or "client-agent" in item.headers for item in fetched)


async def test_a_picture_inside_the_answer_is_read_too(horde: Horde) -> None:
    body = exchanges("03_txt2img_anonymous", "GET", "/generate/status/")[0]["body"]
    assert body["generations"][0]["img"].startswith("UklGR")
    horde.plays("03_txt2img_anonymous")
    result, _ = await horde.generate()
    assert result.images[0].data[8:12] == b"WEBP"


async def test_anonymous_key_is_sent_where_there_is_none() -> None:
    with respx.mock(assert_all_called=False) as mock:
        horde = Horde(mock, key="")
        horde.plays("03_txt2img_anonymous")
        result, _ = await horde.generate()
        assert horde.submit.calls.last.request.headers["apikey"] == "0000000000"
        assert result.notes == ("9 kudos",)  # what all anonymous people share says nothing to one of them
        await horde.backend.aclose()


async def test_position_and_expected_wait_are_told(horde: Horde) -> None:
    horde.plays("18_queue_positions")
    status = response(exchanges("02_txt2img_r2_registered", "GET", "/generate/status/")[0])
    horde.mock.get(url__startswith=f"{API}/generate/status/").mock(return_value=status)
    _, seen = await horde.generate()
    assert [progress.note.split(" ·")[0] for progress in seen] == [
        "4th in the Horde’s queue", "3rd in the Horde’s queue", "2nd in the Horde’s queue", "next in the Horde’s queue",
        "being drawn",
    ]  # fmt: skip
    assert [progress.eta_s for progress in seen] == [2, 1, 1, None, None]
    assert "about 8 kudos" in seen[0].note


async def test_a_lora_that_failed_is_told_with_the_picture(horde: Horde) -> None:
    horde.plays("06_options")
    result, _ = await horde.generate(loras=(Lora(name="GlowingRunesAI"),))
    assert "LoRA GlowingRunesAI could not be fetched by the worker, drawn without it" in result.notes
    assert not result.is_complete


async def test_a_job_that_no_worker_can_draw_is_taken_back_and_explained(horde: Horde) -> None:
    horde.plays("01_no_worker")
    waiting = response(exchanges("01_no_worker", "GET", "/generate/check/")[0])
    horde.mock.get(url__startswith=f"{API}/generate/check/").mock(return_value=waiting)
    error = await horde.fails()
    assert isinstance(error, CapabilityError)
    assert error.user_message == "No worker of The Horde can draw this now with stable_diffusion."
    assert [call.request.method for call in horde.mock.calls].count("DELETE") == 1


@pytest.mark.parametrize("name", ["07_faulted", "07b_faulted_n3"])
async def test_done_without_a_picture_after_failures_is_a_failure_of_the_workers(horde: Horde, name: str) -> None:
    horde.plays(name)
    error = await horde.fails()
    assert type(error) is BackendError
    assert "its workers failed each time" in error.user_message


async def test_done_without_a_picture_and_without_failures_was_taken_back(horde: Horde) -> None:
    horde.plays("01_no_worker")
    gone = response(exchanges("01_no_worker", "GET", "/generate/check/")[1])
    horde.mock.get(url__startswith=f"{API}/generate/check/").mock(return_value=gone)
    error = await horde.fails()
    assert "taken back" in error.user_message


async def test_a_censored_picture_is_no_result(horde: Horde) -> None:
    horde.plays("08_censored")
    error = await horde.fails()
    assert isinstance(error, ContentBlocked)
    assert "filter held the picture back" in error.user_message


async def test_a_job_thrown_out_by_maintenance_ends_after_two_looks(horde: Horde) -> None:
    horde.plays("16_maintenance")
    horde.submit.mock(return_value=noted("16_maintenance", "a waiting job before"))
    error = await horde.fails()
    assert isinstance(error, BackendUnavailable)
    assert error.retry_after == 60
    assert "maintenance" in error.user_message


async def test_maintenance_refuses_new_jobs_with_words(horde: Horde) -> None:
    horde.submit.mock(return_value=noted("16_maintenance", "new job"))
    error = await horde.fails()
    assert isinstance(error, BackendUnavailable)
    assert (error.user_message, error.retry_after) == ("The Horde is closed for maintenance.", 60)


async def test_an_expired_job_is_told_at_once_after_a_restart(horde: Horde) -> None:
    horde.plays("17_expired")
    with pytest.raises(BackendUnavailable, match="20 minutes"):
        await horde.backend.poll("a94d43ec-6777-4fc0-b481-ff7b5973bbf2")


async def test_a_full_account_pauses_the_lane_longer_than_the_header_says(horde: Horde) -> None:
    horde.submit.mock(return_value=response(exchanges("14_too_many_prompts")[1]))
    error = await horde.fails()
    assert isinstance(error, RateLimited)
    assert error.retry_after == 10


async def test_retry_after_0_of_a_rate_is_a_second(horde: Horde) -> None:
    horde.submit.mock(return_value=noted("10_auth_errors", "per-second limit answered first"))
    error = await horde.fails()
    assert isinstance(error, RateLimited)
    assert error.retry_after == 1


@pytest.mark.parametrize(
    ("name", "note", "kind", "reply"),
    [
        ("10_auth_errors", "user without kudos", CapabilityError, "138 kudos beforehand"),
        ("09_validation_errors", "six loras", RequestRejected, "at most 5 LoRAs"),
        ("09_validation_errors", "width not a multiple", RequestRejected, "the value of width"),
        ("09_validation_errors", "unknown sampler", RequestRejected, "the value of sampler"),
        ("09_validation_errors", "n above 20", RequestRejected, "the value of batch size"),
        ("09_validation_errors", "cfg_scale with 3", RequestRejected, "does not accept this request"),
        ("09_validation_errors", "controlnet with SDXL", CapabilityError, "no control pictures for that model"),
        ("09_validation_errors", "hires_fix on Flux", CapabilityError, "no hires fix for that model"),
        ("09_validation_errors", "unknown worker", BackendError, "the worker its owner chose"),
    ],
)
async def test_refusals_are_told_in_our_words(
    horde: Horde, name: str, note: str, kind: type[GenerationError], reply: str
) -> None:
    horde.submit.mock(return_value=noted(name, note))
    error = await horde.fails()
    assert type(error) is kind
    assert reply in error.user_message
    assert "URI" not in f"{error.user_message} {error.hint}"


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (
            "Due to heavy demand, for requests over 576x576 or over 50 steps (25 for k_heun and k_dpm_2*) the client "
            "needs to already have the required kudos. This request requires 7.86 kudos to fulfil.",
            "Stay within 576×576 and 50 steps; a second-order sampler such as k_heun counts twice.",
        ),
        (
            "Due to heavy demand, for requests over 1,032 X 768 or over 8 steps the client needs kudos.",
            "Stay within 1032×768 and 8 steps; a second-order sampler such as k_heun counts twice.",
        ),
        ("Due to heavy demand, for requests over 640x640 the client needs kudos.", "Stay within 640×640."),
        ("Not now.", "Make the picture smaller, or take fewer steps."),
        ("over 0x0 or over 0 steps", "Make the picture smaller, or take fewer steps."),
    ],
)
def test_the_limits_in_a_refusal_are_the_hordes_own(message: str, hint: str) -> None:
    body = json.dumps({"rc": "KudosUpfront", "message": message}).encode()
    error = translate_failure("Horde", Reply(status=403, body=body), Call.SUBMIT)
    assert (type(error), error.hint) == (CapabilityError, hint)


def test_every_recorded_refusal_has_words_of_ours() -> None:
    every = [
        item for name in ("09_validation_errors", "10_auth_errors", "10b_invalid_key_401") for item in exchanges(name)
    ]
    refusals = [item for item in every if item["method"] == "POST" and item["status"] >= 400]
    assert len(refusals) > 30
    for item in refusals:
        answer = response(item)
        error = translate_failure("The Horde", reply_of(answer), Call.SUBMIT)
        assert error.user_message.startswith("The Horde ")
        assert error.hint


async def test_a_wrong_key_is_found_by_the_probe(horde: Horde) -> None:
    horde.mock.get(f"{API}/find_user").mock(
        return_value=next(response(item) for item in exchanges("10_auth_errors", "GET") if item["status"] == 404)
    )
    with pytest.raises(BackendAuthError, match="does not know this key"):
        await horde.backend.capabilities()


async def test_models_are_those_with_a_worker_most_workers_first(horde: Horde) -> None:
    can = await horde.backend.capabilities()
    assert [model.name for model in can.models or ()] == [
        "AlbedoBase XL (SDXL)", "Flux.1-Schnell fp8 (Compact)", "stable_diffusion",
    ]  # fmt: skip
    assert (can.models or ())[0].title == "AlbedoBase XL (SDXL) (1 worker)"
    assert (can.size_grid, can.min_side, can.max_side, can.max_steps) == (64, 64, 3072, 500)
    assert Mode.INPAINT not in can.modes


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/v2", "/api/v2/"])
async def test_an_address_may_be_typed_with_or_without_its_path(end: str) -> None:
    with respx.mock(assert_all_called=False) as mock:
        backend = Horde(mock, url=URL + end).backend
        assert (await backend.capabilities()).models
        await backend.aclose()


async def test_a_v1_address_is_recognised_without_asking() -> None:
    with respx.mock(assert_all_called=False) as mock:
        backend = Horde(mock, url="http://horde.lan/v1").backend
        with pytest.raises(BackendError, match="AI Power Grid") as caught:
            await backend.capabilities()
        assert "aipowergrid" in caught.value.hint
        assert not mock.calls
        await backend.aclose()


async def test_a_retired_v2_is_recognised_by_its_410(horde: Horde) -> None:
    gone = {"status": "gone", "message": "The legacy /api/v2 API has been retired."}
    horde.mock.get(url__startswith=f"{API}/status/models").respond(410, json=gone)
    with pytest.raises(BackendError, match="retired") as caught:
        await horde.backend.capabilities()
    assert "aipowergrid" in caught.value.hint


async def test_a_bare_v1_coordinator_is_recognised_by_its_health(horde: Horde) -> None:
    horde.mock.get(url__startswith=f"{API}/status/models").respond(404, json={"detail": "Not Found"})
    horde.mock.get(f"{URL}/health").mock(return_value=response(exchanges("22_aipg_v1_reads", "GET", "/health")[0]))
    with pytest.raises(BackendError, match="AI Power Grid"):
        await horde.backend.capabilities()


async def test_a_page_of_a_proxy_is_no_answer(horde: Horde) -> None:
    horde.submit.mock(return_value=httpx.Response(502, html="<html>bad gateway</html>"))
    error = await horde.fails()
    assert isinstance(error, BackendUnavailable)


@pytest.mark.parametrize(
    ("status", "rc", "says"),
    [
        (401, "InvalidAPIKey", "does not know this key"),
        (404, "UserNotFound", "does not know this key"),
        (403, "TimeoutIP", "has put this bot in time-out"),
        (403, "BannedClientAgent", "does not let this bot in"),
        (429, "TooManyPrompts", "has enough pictures of this account waiting"),
        (429, "", "asks us to slow down"),
        (404, "RequestNotFound", "has forgotten this picture"),
    ],
)
def test_what_its_page_explains_is_what_is_said(status: int, rc: str, says: str) -> None:
    body = json.dumps({"rc": rc, "message": "x"}).encode()
    error = translate_failure("The Horde", Reply(status=status, body=body), Call.SUBMIT)
    assert error.user_message.startswith(f"The Horde {says}")
    assert error.hint
    page = Path("docs/backends/ai_horde.md").read_text(encoding="utf-8")
    assert says in page


async def test_a_job_that_two_looks_find_impossible_is_not_given_up(horde: Horde) -> None:
    """A worker may be restarting: only the third look in a row counts."""
    horde.plays("02_txt2img_r2_registered")
    no, yes = (response(item) for item in exchanges("01_no_worker", "GET", "/generate/check/")[:1] * 2)
    done = response(exchanges("02_txt2img_r2_registered", "GET", "/generate/check/")[-1])
    checks = horde.mock.get(url__startswith=f"{API}/generate/check/").mock(side_effect=[no, yes, done])
    result, _ = await horde.generate()
    assert result.images
    assert checks.call_count == 3


async def test_what_it_can_and_cannot_do_is_as_its_page_has_it(horde: Horde) -> None:
    can = await horde.backend.capabilities()
    assert can.max_batch == 20
    assert set(can.schedulers or ()) == {"karras", "normal"}
    assert can.loras is None, "any of CivitAI"
    assert can.supports_clip_skip
    assert can.supports_negative_prompt
    assert not can.supports_preview
    assert not can.is_deterministic
    assert Mode.UPSCALE not in can.modes
    page = Path("docs/backends/ai_horde.md").read_text(encoding="utf-8")
    assert f": {', '.join(can.control_kinds)} |" in page
    reported = re.findall(r"`([\w.]+)`", page[page.index("- Post-processors:") : page.index("## What it can")])
    assert tuple(reported) == POST_PROCESSORS


async def test_the_wait_for_a_model_is_listed_with_its_workers(horde: Horde) -> None:
    models = [{"name": "one", "count": 2, "eta": 31.4}, {"name": "two", "count": 1, "eta": 0}]
    horde.mock.get(url__startswith=f"{API}/status/models").respond(json=models)
    can = await horde.backend.capabilities()
    assert [model.title for model in can.models or ()] == ["one (2 workers, about 31 s to wait)", "two (1 worker)"]


async def test_the_id_of_a_job_is_told_to_nobody(horde: Horde) -> None:
    horde.plays("02_txt2img_r2_registered")
    result, seen = await horde.generate()
    reported = " ".join([*result.notes, *(progress.note for progress in seen)])
    horde.plays("08_censored")
    error = await horde.fails()
    ids = {item["body"]["id"] for name in ("02_txt2img_r2_registered", "08_censored")
           for item in exchanges(name, "POST", "/generate/async") if "id" in item["body"]}  # fmt: skip
    assert ids
    assert not [item for item in ids if item in f"{reported} {error.user_message} {error.hint}"]
