"""Kills of the NATS server and of Easel, many requests at once, long pictures and receivers that do not read."""

import asyncio
import base64
import io
import json
import os
import random

import pytest
from PIL import Image

from bus.connection import BUCKET
from generation.result import GeneratedImage, GenerationResult
from tests.bus.conftest import SMALL, SUBJECTS, WAIT_S, NatsServer, caller_at, easel_on, picture_in
from tests.easel_process import processes
from tests.waiting import until

MANY = int(os.environ.get("BUS_REQUESTS", "200"))  # `make test-bus` asks a thousand times


def settings_of(server, **more: str) -> dict[str, str]:
    return {
        "NATS_URL": server.url, "PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "GRACEFUL_STOP": "0",
        "WEB": "true", "PORT": "0", "MAX_QUEUE_SIZE": "5000", "MAX_WAITING_PER_USER": "5000",
    } | more  # fmt: skip


async def jobs_in(folder) -> list[tuple[str, str]]:
    import sqlite3

    with sqlite3.connect(f"file:{folder}/data/easel.sqlite3?mode=ro", uri=True) as database:
        return database.execute("SELECT id, status FROM jobs").fetchall()


async def test_easel_killed_while_it_draws_answers_the_same_request_after_its_start(tmp_path, server, caller):
    async with processes(tmp_path) as begin:
        first = begin("start", log="first", **settings_of(server, SKETCH_DELAY_S="60"))
        await caller.send("model_info", b"")
        answers, events = [], await caller.hear("result")
        progress = await caller.hear("progress.mine")
        inbox = caller.client.new_inbox()

        async def note(message) -> None:
            answers.append(json.loads(message.data))

        await caller.client.subscribe(inbox, cb=note)
        body = json.dumps({"prompt": "a fox", "request_id": "mine", **SMALL}).encode()
        await caller.client.publish(f"{SUBJECTS}.request", body, reply=inbox)
        await until(lambda: any(state["status"] == "running" for state in progress), limit_s=WAIT_S)
        first.kill()
        await first.wait()
        begin("start", log="second", **settings_of(server))
        await until(lambda: answers and events, limit_s=WAIT_S)
        again = await caller.ask("request", prompt="a fox", request_id="mine", **SMALL)
        jobs = await jobs_in(tmp_path)
    assert len(answers) == len(events) == 1
    assert picture_in(answers[0]).size == (64, 64)
    assert again["job_id"] == answers[0]["job_id"] == events[0]["job_id"]
    assert jobs == [(again["job_id"], "done")]


async def test_what_ends_while_the_server_is_dead_is_told_when_it_is_back(tmp_path, server, caller):
    async with easel_on(tmp_path / "data", server.url, SKETCH_DELAY_S="0.5") as easel:
        await caller.send("model_info", b"")
        events, progress = await caller.hear("result"), await caller.hear("progress.*")
        body = {"prompt": "a fox", "request_id": "mine", **SMALL}
        waiting = asyncio.create_task(caller.ask("request", **body))
        await until(lambda: progress)
        server.kill()
        waiting.cancel()
        job_id = progress[0]["job_id"]
        await until(lambda: ended(easel, job_id), limit_s=WAIT_S)
        await server.start()
        again = await caller.insist(**body)
        await until(lambda: any(event["job_id"] == job_id for event in events), limit_s=WAIT_S)
    assert again["job_id"] == job_id
    assert len({event["message_id"] for event in events}) == 1


async def ended(easel, job_id: str) -> bool:
    return (await easel.services.generation.get(job_id)).is_terminal


@pytest.mark.timeout(180)
async def test_killed_again_and_again_every_request_becomes_one_picture(tmp_path, server):
    asked, answers = [f"request-{number}" for number in range(30)], {}

    async def ask(request_id: str) -> None:
        async with caller_at(server.url) as caller:
            answers[request_id] = await caller.insist(prompt=f"fox {request_id}", request_id=request_id, **SMALL)

    async with processes(tmp_path) as begin:
        easel = begin("start", log="log-0", **settings_of(server, SKETCH_DELAY_S="0.1"))
        asking = asyncio.gather(*map(ask, asked))
        for kill in range(1, 4):
            target = 5 * kill
            await until(lambda: len(answers) >= target, limit_s=WAIT_S)  # noqa: B023  # it is waited for at once
            if kill == 2:
                server.kill()
                await server.start()
            else:
                easel.kill()
                await easel.wait()
                easel = begin("start", log=f"log-{kill}", **settings_of(server, SKETCH_DELAY_S="0.1"))
        async with asyncio.timeout(2 * WAIT_S):
            await asking
        jobs = await jobs_in(tmp_path)
    assert all(picture_in(answer).size == (64, 64) for answer in answers.values())
    assert sorted(jobs) == sorted((answer["job_id"], "done") for answer in answers.values())


@pytest.mark.timeout(300)
async def test_many_requests_at_once_are_each_answered_once(tmp_path, server, caller):
    room = {"MAX_QUEUE_SIZE": "2000", "MAX_WAITING_PER_USER": "2000", "MAX_RUNNING_PER_USER": "8"}
    async with easel_on(tmp_path / "data", server.url, **room):
        await caller.send("model_info", b"")
        inbox, answers = caller.client.new_inbox(), []

        async def note(message) -> None:
            answers.append((message.subject.rpartition(".")[2], json.loads(message.data)))

        await caller.client.subscribe(f"{inbox}.*", cb=note)
        for number in range(MANY):
            body = json.dumps({"prompt": f"fox {number}", "width": 64, "height": 64, "num_inference_steps": 1}).encode()
            await caller.client.publish(f"{SUBJECTS}.request", body, reply=f"{inbox}.{number}")
        await until(lambda: len(answers) >= MANY, limit_s=280)
        await caller.ask("model_info")
    assert sorted(number for number, __ in answers) == sorted(map(str, range(MANY)))
    assert len({answer["job_id"] for __, answer in answers}) == MANY
    assert all(answer["prompt"] == f"fox {number}" for number, answer in answers)


def draw_noise(easel, side: int) -> None:
    """Let the sketch engine answer with noise, which no PNG makes smaller: a side of 1900 is 10.8 MB."""
    pixels = random.Random(7).randbytes(side * side * 3)
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), pixels).save(file, "PNG", compress_level=1)

    async def generate(request, report):
        return GenerationResult(images=(GeneratedImage(data=file.getvalue(), seed=request.seed),))

    easel.registry.get("sketch").backend.generate = generate


@pytest.mark.timeout(120)
async def test_a_picture_of_ten_megabytes_comes_as_a_link_and_an_object(easel, caller):
    draw_noise(easel, 1900)
    events = await caller.hear("result")
    answer = await caller.ask("request", prompt="noise", width=1900, height=1900)
    assert answer["image_bytes_b64"] is None
    assert answer["object"]["size"] > 10_000_000
    assert answer["image_url"].startswith("https://easel.example/api/media/")
    store = await caller.client.jetstream().object_store(answer["object"]["bucket"])
    data = (await store.get(answer["object"]["name"])).data
    assert answer["object"]["bucket"] == BUCKET
    assert Image.open(io.BytesIO(data)).size == (1900, 1900)
    assert len(data) == answer["object"]["size"]
    await until(lambda: events)
    assert events[0]["object"] == answer["object"]


async def test_who_does_not_read_holds_up_nobody(tmp_path, server, caller):
    async with easel_on(tmp_path / "data", server.url) as easel:
        draw_noise(easel, 450)  # 800 kB of base64, below the limit of a message
        await caller.send("model_info", b"")
        __, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b'CONNECT {"verbose":false}\r\nSUB ai.vision.imagegen.result 1\r\nPING\r\n')
        await writer.drain()
        for number in range(20):
            answer = await caller.ask("request", prompt=f"noise {number}", width=450, height=450)
            assert len(base64.b64decode(answer["image_bytes_b64"])) > 500_000
        writer.close()


async def test_what_the_server_takes_no_message_of_comes_shortened_and_holds_up_nobody(tmp_path):
    pytest.importorskip("nats", reason="needs requirements-bus.txt: make test-bus")
    server = NatsServer(tmp_path / "nats", "max_payload: 8000")
    await server.start()
    try:
        async with easel_on(tmp_path / "data", server.url), caller_at(server.url) as caller:
            await caller.send("model_info", b"")
            events = await caller.hear("result")
            body = json.dumps({"prompt": "🦊" * 1900, **SMALL}, ensure_ascii=False)
            long = await caller.send("request", body.encode())
            short = await caller.ask("request", prompt="a fox", **SMALL)
            await until(lambda: len(events) == 2)
    finally:
        server.kill()
    assert (long["image_bytes_b64"], long["object"]["bucket"]) == (None, BUCKET)
    assert (long["prompt"], short["prompt"]) == ("🦊" * 500, "a fox")
    assert "shortened: this server takes at most 8000 bytes in a message" in long["notes"]
    assert [event["job_id"] for event in events] == [long["job_id"], short["job_id"]]
