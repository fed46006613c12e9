"""A job that goes by ComfyUI's API v2 is sent once, whenever Easel is killed and whatever answer is lost."""

import asyncio
import json
import uuid

import pytest

from backends.comfyui.backend import ComfyUIBackend
from generation.errors import (
    BackendUnavailable,
)
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.v2.rig import WORKFLOW, finish, nobody
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.waiting import until


class Stop(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("has_classic", [True, False])
@pytest.mark.parametrize("moment", ["before it leaves", "while the answer is under way", "before the id is stored"])
async def test_a_kill_at_any_moment_submits_once(moment: str, has_classic: bool) -> None:
    async with ComfyUIV2Server(has_classic=has_classic) as server:
        options = {} if has_classic else {"workflow": WORKFLOW}
        stored: list[str] = []

        async def sending(intent: str) -> None:
            stored.append(intent)
            assert not server.accepted, "the key is stored before the job leaves"
            if moment == "before it leaves":
                raise Stop

        killed = connect(server, options=options)
        await killed.capabilities()
        if moment == "while the answer is under way":
            server.fail_next("/api/v2/jobs", "hang", after_accept=True)
        job = asyncio.create_task(killed.start(make_request(), sending))
        if moment == "before it leaves":
            with pytest.raises(Stop):
                await job
        elif moment == "before the id is stored":
            await job
        else:
            await until(lambda: server.accepted)
        later = connect(server, options=options)
        found = await later.find(stored[0], make_request(), nobody)
        if found is None:
            found = await later.start(make_request())
        await finish(later, found)
        assert (await later.fetch(found, make_request())).images
        assert len(server.engine.submitted) == len(server.accepted) == 1
        job.cancel()
        await asyncio.wait([job])
        for made in (killed, later):
            await made.aclose()


async def test_an_answer_lost_on_the_way_submits_once(server: ComfyUIV2Server, backend: ComfyUIBackend) -> None:
    await backend.capabilities()
    server.fail_next("/api/v2/jobs", "reset", after_accept=True)
    assert (await backend.generate(make_request(), ignore)).images
    assert len(server.engine.submitted) == 1


async def test_a_job_that_never_arrived_is_sent_again_under_the_same_key(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    await backend.capabilities()
    server.fail_next("/api/v2/jobs", "reset")
    assert (await backend.generate(make_request(), ignore)).images
    assert len(server.engine.submitted) == 1
    keys = [
        headers["Idempotency-Key"]
        for method, path, headers in server.requests
        if path == "/api/v2/jobs" and method == "POST"
    ]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_a_job_that_something_on_the_way_sends_twice_is_one(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    """A reverse proxy repeats the request, and all that is heard of it is that the key was used."""
    await backend.capabilities()
    server.fail_next("/api/v2/jobs", "repeat")
    assert (await backend.generate(make_request(), ignore)).images
    assert len(server.engine.submitted) == 1


async def test_a_used_key_whose_job_is_not_listed_is_looked_for_again_later(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    """ComfyUI went away while the proxy sent the job on: the key is held, and nobody knows what became of it."""
    await backend.capabilities()
    server.is_upstream_there = False
    reported: list[str] = []

    async def sending(intent: str) -> None:
        reported.append(intent)

    with pytest.raises(BackendUnavailable) as caught:
        await backend.start(make_request(), sending)
    assert caught.value.may_have_run
    assert reported[0] in server.proxy.keys
    server.is_upstream_there = True
    assert await backend.find(reported[0], make_request(), nobody) is None


async def test_a_server_that_does_not_answer_now_is_asked_for_the_job_again_later(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    """Not found would mean sending it again."""
    reported: list[str] = []

    async def sending(intent: str) -> None:
        reported.append(intent)

    await backend.start(make_request(), sending)
    server.fail_next("/api/v2/jobs", status=502, body="<html>", content_type="text/html")
    with pytest.raises(BackendUnavailable):
        await backend.find(reported[0], make_request(), nobody)


@pytest.mark.parametrize("has_classic", [True, False])
async def test_a_job_sent_by_the_classic_api_is_found_when_v2_has_come_since(
    server: ComfyUIV2Server, has_classic: bool
) -> None:
    server.has_v2 = False
    old = connect(server)
    remote_id = await old.start(make_request())
    await finish(old, remote_id)
    async with ComfyUIV2Server(has_classic=has_classic) as later:
        later.engine.history = server.engine.history
        new = connect(later)
        assert await new.find(remote_id, make_request(), nobody) == remote_id
        assert await new.find(str(uuid.uuid4()), make_request(), nobody) is None
        for made in (old, new):
            await made.aclose()


async def test_a_proxy_that_forgot_its_jobs_cannot_say_what_it_was_sent(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    """Without `--state-dir`, a restart of the proxy between a job and its id costs the knowledge of both."""
    reported: list[str] = []

    async def sending(intent: str) -> None:
        reported.append(intent)

    await backend.start(make_request(), sending)
    server.restart_proxy()
    assert await backend.find(reported[0], make_request(), nobody) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [("metadata_not_supported", ""), ("metadata_invalid", ""), ("invalid_request", "'metadata' must be a map.")],
)
async def test_a_server_that_takes_no_metadata_is_sent_the_job_without(
    server: ComfyUIV2Server, backend: ComfyUIBackend, code: str, message: str
) -> None:
    await backend.capabilities()
    body = json.dumps({"error": {"code": code, "message": message, "details": None}})
    server.fail_next("/api/v2/jobs", status=422, body=body, content_type="application/json")
    assert (await backend.generate(make_request(), ignore)).images
    assert [set(sent) for _, sent in server.accepted] == [{"workflow"}]


async def test_a_job_whose_key_is_used_and_whose_list_is_silent_is_looked_for_again(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    await backend.capabilities()
    server.fail_next("/api/v2/jobs", "reset", after_accept=True)
    server.has_list = False
    with pytest.raises(BackendUnavailable, match="under which id") as caught:
        await backend.generate(make_request(), ignore)
    assert caught.value.may_have_run
    assert len(server.engine.submitted) == 1
