"""The source's three subjects as they stand, and what stands beside them."""

import asyncio

import pytest

from generation.job import Origin
from generation.request import Draft
from tests.bus.conftest import SMALL, caller_at, easel_on, picture_in
from tests.paid import PaidBackend
from tests.waiting import until


async def test_a_request_of_the_source_is_answered_with_its_picture(easel, caller):
    answer = await caller.ask(
        "request",
        prompt="A majestic dragon in flight",
        width=96,
        height=64,
        num_inference_steps=4,
        model="flux-schnell",
    )
    assert picture_in(answer).format == "PNG"
    assert picture_in(answer).size == (96, 64) == (answer["width"], answer["height"])
    assert answer["num_inference_steps"] == 4
    assert answer["prompt"] == "A majestic dragon in flight"
    assert answer["image_url"].startswith("https://easel.example/api/media/")
    job = await easel.services.generation.get(answer["job_id"])
    assert (job.origin.door, job.user_key) == ("bus", "bus:anybody")


async def test_the_models_are_told(easel, caller):
    answer = await caller.send("model_info", b"")
    assert answer["loaded"] is True
    assert answer["current_model"] in answer["available_models"]


async def test_every_finished_job_of_any_door_is_told_once(easel, caller):
    heard = await caller.hear("result")
    own = await caller.ask("request", prompt="a fox", **SMALL)
    others = []
    for door in ("discord", "console", "api"):
        origin = Origin(door=door, user_id="7", user_name="Mia")
        view = await easel.services.generation.submit(Draft(prompt=f"a {door}", width=64, height=64), origin)
        others.append(view.job.id)
    await until(lambda: len(heard) >= 4)
    assert {event["job_id"] for event in heard} == {own["job_id"], *others}
    assert {event["door"] for event in heard} == {"bus", "discord", "console", "api"}
    assert all(picture_in(event).size == (64, 64) and event["status"] == "done" for event in heard)
    assert {event["message_id"] for event in heard} == {f"{job_id}.done" for job_id in (own["job_id"], *others)}


async def test_of_a_private_job_neither_words_nor_pictures_are_told(easel, caller):
    heard = await caller.hear("result")
    answer = await caller.ask("request", prompt="a secret", private=True, **SMALL)
    assert picture_in(answer)
    await until(lambda: heard)
    assert heard[0]["job_id"] == answer["job_id"]
    assert "secret" not in str(heard)
    assert not {"prompt", "image_bytes_b64", "image_url", "images"} & heard[0].keys()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "prompt"),
        ({"prompt": "   "}, "prompt"),
        ({"prompt": "a fox", "width": "wide"}, "width"),
        ({"prompt": "a fox", "width": -5}, "width"),
        ({"prompt": "a fox", "num_inference_steps": 1e9}, "steps"),
        ({"prompt": "a fox", "model": "no-such-model"}, "model"),
        ({"prompt": ["a fox"]}, "prompt"),
        ({"prompt": "a fox", "seed": 2**70}, "seed"),
        ({"prompt": "a fox", "request_id": "with a space"}, "request_id"),
    ],
)
async def test_a_wrong_value_is_named(easel, caller, values, field):
    answer = await caller.ask("request", **values)
    assert (answer["field"], answer["code"]) in ((field, "request_rejected"), (field, "model_missing"))
    assert answer["error"]
    assert "job_id" not in answer
    assert await easel.jobs.active() == []


@pytest.mark.parametrize("data", [b"", b"a fox", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"prompt": NaN}'])
async def test_what_is_no_json_object_is_refused_in_words(easel, caller, data):
    answer = await caller.send("request", data)
    assert answer["code"] == "request_rejected"
    assert answer["error"]


async def test_an_unknown_field_is_passed_over_with_a_note(easel, caller):
    answer = await caller.ask("request", prompt="a fox", lighting="soft", **SMALL)
    assert picture_in(answer)
    assert "lighting ignored: there is no such field here" in answer["notes"]


async def test_a_request_under_the_same_id_is_the_same_job(easel, caller):
    first = await caller.ask("request", prompt="a fox", request_id="one", **SMALL)
    again = await caller.ask("request", prompt="a fox", request_id="one", **SMALL)
    both = await asyncio.gather(*(caller.ask("request", prompt="a cat", request_id="two", **SMALL) for __ in range(3)))
    by_header = await caller.ask("request", prompt="a dog", headers={"Nats-Msg-Id": "three"}, **SMALL)
    by_header_again = await caller.ask("request", prompt="a dog", headers={"Nats-Msg-Id": "three"}, **SMALL)
    assert first["job_id"] == again["job_id"]
    assert first["image_bytes_b64"] == again["image_bytes_b64"]
    assert len({answer["job_id"] for answer in both}) == 1
    assert by_header["job_id"] == by_header_again["job_id"]
    other = await caller.ask("request", prompt="a wolf", request_id="one", **SMALL)
    assert "another request" in other["error"]


async def test_a_waiting_job_is_cancelled_by_the_id_of_its_request(tmp_path, server, caller):
    async with easel_on(tmp_path / "data", server.url, SKETCH_DELAY_S="30") as easel:
        await caller.send("model_info", b"")
        progress = await caller.hear("progress.mine")
        asked = asyncio.create_task(caller.ask("request", prompt="a fox", request_id="mine", **SMALL))
        await until(lambda: progress)
        ended = await caller.ask("cancel", request_id="mine")
        answer = await asked
        again = await caller.ask("cancel", job_id=ended["job_id"])
        nothing = await caller.ask("cancel", job_id="nothing")
        missing = await caller.ask("cancel")
        job = await easel.services.generation.get(ended["job_id"])
    assert (ended["status"], ended["cancelled"]) == ("cancelled", True)
    assert (answer["code"], answer["job_id"]) == ("cancelled", job.id)
    assert answer["error"] == "It was cancelled."
    assert (again["status"], again["cancelled"]) == ("cancelled", False)
    assert "There is no job" in nothing["error"]
    assert missing["error"] == "job_id is missing."


async def test_progress_is_told_until_the_end(easel, caller):
    await caller.send("model_info", b"")
    progress = await caller.hear("progress.*")
    answer = await caller.ask("request", prompt="a fox", request_id="mine", **SMALL)
    await until(lambda: any(state["status"] == "done" for state in progress))
    assert {state["job_id"] for state in progress} == {answer["job_id"]}
    assert {state["request_id"] for state in progress} == {"mine"}


async def test_nothing_is_drawn_for_more_than_a_message_agrees_to(easel, caller):
    shop = await PaidBackend.opened(easel.registry)
    asked = {"prompt": "a fox", "model": "shop", **SMALL}
    answer = await caller.ask("request", max_cost_usd=0.01, **asked)
    assert (answer["code"], answer["cost_usd"]) == ("price_not_agreed", 0.04)
    assert shop.requests == []
    assert picture_in(await caller.ask("request", max_cost_usd=0.04, **asked))


async def test_a_daily_budget_that_is_short_says_when_it_resets_and_which_engines_are_free(tmp_path, server, caller):
    async with easel_on(tmp_path / "data", server.url, USER_DAILY_BUDGET_USD="0.05") as easel:
        shop = await PaidBackend.opened(easel.registry)
        asked = {"prompt": "a fox", "model": "shop", **SMALL}
        assert picture_in(await caller.ask("request", **asked))
        answers = [await caller.ask("request", **asked, **agreed) for agreed in ({}, {"max_cost_usd": 1.0})]
        offer = answers[0]["offers"][0]
        free = await caller.ask("request", **asked | {"model": offer["backend"]})
    for answer in answers:
        assert answer["code"] == "budget_exceeded"
        assert "Daily budget exceeded: you have used $0.04 of $0.05" in answer["error"]
        assert "(00:00 UTC)" in answer["error"]
        assert 0 < answer["retry_after"] <= 86_400
        assert "Within the budget: " in answer["hint"]
        assert "job_id" not in answer
    assert (offer["backend"], offer["cost_usd"]) == ("sketch", 0.0)
    assert picture_in(free)
    assert len(shop.requests) == 1


async def test_limits_hold_for_who_asks_on_the_bus(tmp_path, server, caller):
    limits = {"MAX_WAITING_PER_USER": "2", "MAX_RUNNING_PER_USER": "1", "SKETCH_DELAY_S": "0.3"}
    async with easel_on(tmp_path / "data", server.url, **limits):
        await caller.send("model_info", b"")
        answers = await asyncio.gather(*(caller.ask("request", prompt=f"fox {n}", **SMALL) for n in range(12)))
    refused = [answer for answer in answers if "error" in answer]
    assert refused
    assert all(answer["code"] == "limit_reached" and answer["retry_after"] >= 1 for answer in refused)
    assert all(picture_in(answer) for answer in answers if "error" not in answer)


async def test_a_key_says_who_asks_and_what_they_may(tmp_path, server, caller):
    async with easel_on(tmp_path / "data", server.url, NATS_KEYS="true") as easel:
        keys = easel.web.access
        __, good = await keys.create_key("vision", ["read", "generate"], user_key="discord:7")
        __, reader = await keys.create_key("reader", ["read"])
        nobody = await caller.ask("request", prompt="a fox", **SMALL)
        wrong = await caller.ask("request", prompt="a fox", headers={"Authorization": "Bearer esl_wrong"}, **SMALL)
        barred = await caller.ask("request", prompt="a fox", headers={"X-API-Key": reader}, **SMALL)
        info = await caller.ask("model_info", headers={"X-API-Key": reader})
        answer = await caller.ask("request", prompt="a fox", headers={"Authorization": f"Bearer {good}"}, **SMALL)
        job = await easel.services.generation.get(answer["job_id"])
    assert (nobody["code"], wrong["code"], barred["code"]) == ("sign_in", "sign_in", "not_allowed")
    assert "generate" in barred["error"]
    assert info["loaded"] is True
    assert (job.user_key, job.origin.door) == ("discord:7", "bus")


async def test_the_server_may_ask_for_a_token(tmp_path):
    pytest.importorskip("nats", reason="needs requirements-bus.txt: make test-bus")
    from tests.bus.conftest import NatsServer

    server = NatsServer(tmp_path / "nats", 'authorization { token: "open sesame" }')
    await server.start()
    try:
        async with easel_on(tmp_path / "data", server.url, NATS_TOKEN="open sesame"), \
                caller_at(server.url, token="open sesame") as caller:  # fmt: skip
            assert picture_in(await caller.ask("request", prompt="a fox", **SMALL))
    finally:
        server.kill()


async def test_subjects_may_begin_with_other_words(tmp_path, server, caller):
    async with easel_on(tmp_path / "data", server.url, NATS_SUBJECTS="studio.pictures"):
        heard = []

        async def note(message) -> None:
            heard.append(message)

        await caller.client.subscribe("studio.pictures.result", cb=note)
        await until(lambda: asked(caller, "studio.pictures.request"))
        await until(lambda: heard)


async def asked(caller, subject: str) -> bool:
    import nats.errors

    try:
        answer = await caller.client.request(subject, b'{"prompt": "a fox", "width": 64, "height": 64}', timeout=20)
    except nats.errors.NoRespondersError:
        return False
    return b"image_bytes_b64" in answer.data


async def test_a_model_that_nobody_has_is_told_in_a_note_where_it_is_the_usual(easel, caller):
    answer = await caller.ask("request", prompt="a fox", model="flux-schnell", **SMALL)
    assert "model flux-schnell is not here: the engine's own was used" in answer["notes"]


async def test_without_easel_the_server_says_that_nobody_is_there(server, caller):
    import nats.errors

    with pytest.raises(nats.errors.NoRespondersError):
        await caller.client.request("ai.vision.imagegen.request", b'{"prompt": "a fox"}', timeout=20)


async def test_metrics_know_whether_the_bus_is_there_and_what_it_is_to_be_told(easel, caller):
    figures = await easel.web.bus.figures()
    assert figures is not None
    assert (figures.is_up, figures.untold) == (True, 0)
