"""The choice between ComfyUI's two APIs, and what becomes of a job when it changes."""

import pytest

from backends.comfyui.backend import ComfyUIBackend
from generation.request import Mode
from tests.backends.comfyui.rig import ignore, make_request
from tests.backends.comfyui.v2.rig import finish, paths, picture
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.waiting import until


async def test_v2_is_used_where_it_answers(server: ComfyUIV2Server, backend: ComfyUIBackend) -> None:
    result = await backend.generate(make_request(), ignore)
    assert [image.seed for image in result.images] == [812]
    assert "POST /api/v2/jobs" in paths(server)
    assert "POST /prompt" not in paths(server)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, "404: Not Found", "text/plain"),
        (200, "<!doctype html><html>the editor</html>", "text/html"),
        (200, "nonsense", "application/json"),
        (200, '{"models_available": []}', "application/json"),
        (200, '{"status": "starting"}', "application/json"),
        (200, "[]", "application/json"),
        (503, '{"status": "healthy"}', "application/json"),
        (401, "", "text/plain"),
    ],
)
async def test_another_answer_to_the_question_of_health_means_the_classic_api(
    server: ComfyUIV2Server, backend: ComfyUIBackend, status: int, body: str, kind: str
) -> None:
    server.fail_next("/api/v2/health", status=status, body=body, content_type=kind)
    await backend.generate(make_request(), ignore)
    assert "POST /prompt" in paths(server)
    assert "POST /api/v2/jobs" not in paths(server)


async def test_which_api_there_is_is_asked_anew_with_every_probe(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    for has_v2, path in ((False, "POST /prompt"), (True, "POST /api/v2/jobs"), (False, "POST /prompt")):
        server.has_v2 = has_v2
        server.requests.clear()
        await backend.capabilities()
        await backend.generate(make_request(seed=len(server.engine.submitted)), ignore)
        sent = [item for item in paths(server) if item in {"POST /prompt", "POST /api/v2/jobs"}]
        assert sent == [path]


async def test_a_server_that_loses_v2_in_the_middle_loses_no_job(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await until(lambda: server.engine.running)
    server.has_v2 = False
    assert not (await backend.poll(remote_id)).is_finished
    server.engine.release()
    await finish(backend, remote_id)
    assert (await backend.fetch(remote_id, make_request())).images
    assert len(server.engine.submitted) == 1


async def test_a_proxy_that_falls_silent_in_the_middle_loses_no_job(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    remote_id = await backend.start(make_request())
    for _ in range(60):
        server.fail_next("/api/v2", status=502, body="<html>bad gateway</html>", content_type="text/html")
    await finish(backend, remote_id)
    assert (await backend.fetch(remote_id, make_request())).images
    assert len(server.engine.submitted) == 1


async def test_v2_gone_before_a_job_is_sent_means_that_it_is_sent_by_the_classic_api(
    server: ComfyUIV2Server, backend: ComfyUIBackend
) -> None:
    await backend.capabilities()
    server.has_v2 = False
    request = make_request(mode=Mode.IMG2IMG, init_image=picture(), denoising_strength=0.5)
    assert (await backend.generate(request, ignore)).images
    assert len(server.engine.submitted) == 1


async def test_a_proxy_that_was_restarted_is_followed_on(server: ComfyUIV2Server, backend: ComfyUIBackend) -> None:
    server.engine.hold()
    remote_id = await backend.start(make_request())
    await until(lambda: server.engine.running)
    server.restart_proxy()
    server.engine.release()
    await finish(backend, remote_id)
    result = await backend.fetch(remote_id, make_request())
    assert [image.seed for image in result.images] == [812]
