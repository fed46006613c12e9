"""Faults of jobs by ComfyUI's API v2, in words of ours."""

import asyncio
import json
from typing import Any

import pytest

from backends.comfyui.backend import ComfyUIBackend
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.v2.rig import WORKFLOW, finish
from tests.engines.comfyui_engine import Failed
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.waiting import until


@pytest.mark.parametrize("has_classic", [True, False])
async def test_the_key_goes_with_every_call(has_classic: bool) -> None:
    async with ComfyUIV2Server(token="secret", has_classic=has_classic) as server:
        options = {} if has_classic else {"workflow": WORKFLOW}
        backend = connect(server, key="secret", options=options)
        server.engine.hold()
        job = asyncio.create_task(backend.generate(make_request(), ignore))
        await until(lambda: server.proxy.streams)
        server.engine.release()
        assert (await job).images
        assert {headers.get("Authorization") for _, _, headers in server.requests} == {"Bearer secret"}
        await backend.aclose()
        wrong = connect(server, key="other", options=options)
        with pytest.raises(BackendAuthError):
            await wrong.generate(make_request(), ignore)
        await wrong.aclose()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (
            Failed("torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory. (out of memory)"),
            OutOfMemory,
        ),
        (Failed("ValueError", "lab failure"), BackendError),
    ],
)
async def test_a_failed_job_says_what_it_died_of(
    server: ComfyUIV2Server, backend: ComfyUIBackend, failure: Failed, kind: type[GenerationError]
) -> None:
    server.engine.fail_with = failure
    with pytest.raises(kind) as caught:
        await backend.generate(make_request(), ignore)
    assert type(caught.value) is kind
    assert "/opt" not in caught.value.user_message


async def test_a_job_interrupted_in_comfyui_itself_is_told_as_such(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await until(lambda: server.engine.running)
    server.engine.interrupt()
    await finish(backend, remote_id)
    with pytest.raises(BackendError, match="stopped on"):
        await backend.fetch(remote_id, make_request())


def envelope(code: str, message: str = "of no use", **details: Any) -> str:
    return json.dumps({"error": {"code": code, "message": message, "details": details or None}})


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, envelope("queue_full"), RateLimited),
        (503, "<html>", BackendUnavailable),
        (500, envelope("upstream_error"), BackendUnavailable),
        (402, envelope("insufficient_credits"), RequestRejected),
        (403, envelope("forbidden_origin"), BackendAuthError),
        (422, envelope("invalid_workflow", "Prompt has no outputs", node_errors={}), RequestRejected),
        (422, envelope("workflow_format_ui"), RequestRejected),
        (422, envelope("missing_asset", missing_ids=["x"]), RequestRejected),
        (422, "nonsense", RequestRejected),
        (413, envelope("payload_too_large"), RequestRejected),
        (200, "nonsense", BackendError),
        (200, "{}", BackendError),
        (201, '{"id": 5}', BackendError),
    ],
)
async def test_every_refusal_of_a_job_is_one_of_our_errors(
    server: ComfyUIV2Server, backend: ComfyUIBackend, status: int, body: str, kind: type[GenerationError]
) -> None:
    await backend.capabilities()
    server.fail_next("/api/v2/jobs", status=status, body=body, headers={"Retry-After": "7"})
    server.fail_next("/api/v2/jobs", status=status, body=body, headers={"Retry-After": "7"})
    server.fail_next("/api/v2/jobs", status=status, body=body, headers={"Retry-After": "7"})
    with pytest.raises(kind) as caught:
        await backend.generate(make_request(), ignore)
    assert "{" not in caught.value.user_message
    if status in {429, 503}:
        assert caught.value.retry_after == 7.0


async def test_a_file_that_is_gone_is_drawn_anew_with_the_next_attempt(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    remote_id = await backend.start(make_request())
    await finish(backend, remote_id)
    server.engine.files.clear()
    with pytest.raises(BackendUnavailable, match="gone"):
        await backend.fetch(remote_id, make_request())
    assert (await backend.generate(make_request(), ignore)).images
