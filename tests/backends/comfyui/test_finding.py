"""A job whose answer nobody heard is found by the id it was sent with."""

import asyncio
import uuid

import pytest

from generation.errors import BackendUnavailable
from tests.backends.comfyui.rig import connect, make_request
from tests.engines.comfyui_server import ComfyUIServer


async def nobody() -> tuple[str, ...]:
    return ()


@pytest.mark.parametrize("takes_ids", [True, False])
@pytest.mark.parametrize("moment", ["waiting", "running", "ended"])
async def test_a_job_is_found_by_the_id_that_was_stored_before_it_left(moment: str, takes_ids: bool) -> None:
    async with ComfyUIServer(takes_ids=takes_ids, seconds_per_step=0.05 if moment != "ended" else 0.0) as server:
        backend = connect(server)
        reported: list[tuple[str, bool]] = []

        async def sending(intent: str) -> None:
            reported.append((intent, intent in {job.id for job in server.engine.submitted}))

        if moment == "waiting":
            await connect(server).start(make_request(steps=40))
        remote_id = await backend.start(make_request(), sending)
        intent, had_left = reported[0]
        assert not had_left
        if moment == "ended":
            while not (await backend.poll(remote_id)).is_finished:
                await asyncio.sleep(0.005)
        other = connect(server)
        assert await other.find(intent, make_request(), nobody) == remote_id
        assert await other.find(str(uuid.uuid4()), make_request(), nobody) is None
        for made in (backend, other):
            await made.aclose()


async def test_a_server_that_gives_no_list_has_not_taken_what_is_not_there() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        server.fail_next("/history", status=200, body="{}")
        server.fail_next("/history", status=403)
        assert await backend.find(str(uuid.uuid4()), make_request(), nobody) is None
        server.fail_next("/queue", status=503)
        with pytest.raises(BackendUnavailable):
            await backend.find(str(uuid.uuid4()), make_request(), nobody)
        await backend.aclose()
