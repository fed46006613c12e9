"""A proxy that answers by ComfyUI's API v2 alone, and tells nothing of what ComfyUI has."""

import pytest

from generation.capabilities import Fit, Refused, fit
from generation.errors import (
    BackendError,
    BackendUnavailable,
    RequestRejected,
)
from generation.request import Lora, Mode, WorkflowRef
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.backends.comfyui.v2.rig import WORKFLOW, finish, picture
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_v2 import ComfyUIV2Server


async def test_a_proxy_alone_draws_with_a_workflow() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server, options={"workflow": WORKFLOW})
        can = await backend.capabilities()
        assert can.modes == {Mode.TXT2IMG}
        result = await backend.generate(make_request(batch_size=2), ignore)
        assert [image.seed for image in result.images] == [812, 813]
        texts = [node["inputs"].get("text") for node in server.engine.submitted[0].graph.values()]
        assert "a red fox" in texts
        await backend.aclose()


async def test_a_proxy_alone_takes_any_name_and_lets_comfyui_judge() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server, options={"workflow": WORKFLOW})
        fitted = fit(make_request(sampler="dpmpp_2m", loras=(Lora(name="unheard-of"),)), await backend.capabilities())
        assert isinstance(fitted, Fit)
        with pytest.raises(RequestRejected, match="LoRA “unheard-of”"):
            await backend.generate(fitted.request, ignore)
        await backend.aclose()


async def test_a_proxy_alone_runs_a_workflow_that_somebody_adds() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server)
        read = await backend.read_workflow((DATA / "workflows" / "img2img_sd15.api.json").read_bytes())
        assert any(line.startswith("prompt: ") for line in read.lines)
        own = WorkflowRef(id="1", name="mine", graph=read.graph, mapping=read.mapping)
        can = await backend.workflow_capabilities(own)
        assert Mode.IMG2IMG in can.modes
        request = make_request(
            mode=Mode.IMG2IMG, init_image=picture(), denoising_strength=0.5, workflow=own, prompt="a blue hen"
        )
        assert (await backend.generate(request, ignore)).images
        texts = [node["inputs"].get("text") for node in server.engine.submitted[0].graph.values()]
        assert "a blue hen" in texts
        await backend.aclose()


async def test_a_proxy_alone_says_what_it_lacks() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server, options={"own_workflows": "no"})
        with pytest.raises(BackendError, match="API v2") as caught:
            await backend.capabilities()
        assert "workflow" in caught.value.owner_hint
        await backend.aclose()
        free = connect(server)
        can = await free.capabilities()
        assert can.supports_workflows
        refused = fit(make_request(), can)
        assert isinstance(refused, Refused)
        assert "API v2" in refused.reasons[0]
        assert "--workflow" in refused.reasons[0]
        await free.aclose()


async def test_a_proxy_whose_comfyui_is_away_is_not_well() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        server.is_upstream_there = False
        backend = connect(server)
        with pytest.raises(BackendUnavailable):
            await backend.capabilities()
        await backend.aclose()


async def test_what_a_proxy_alone_finds_wrong_with_a_workflow_is_named() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        server.engine.info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [["other.safetensors"]]
        backend = connect(server, options={"workflow": WORKFLOW})
        with pytest.raises(RequestRejected, match="no model"):
            await backend.generate(make_request(), ignore)
        await backend.aclose()


async def test_a_hiccup_of_a_proxy_alone_while_it_is_probed_costs_no_job() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server, options={"workflow": WORKFLOW})
        server.engine.hold()
        remote_id = await backend.start(make_request())
        server.fail_next("/api/v2/health", status=502, body="<html>", content_type="text/html")
        assert (await backend.capabilities()).modes, "its jobs are answered for"
        server.fail_next("/api/v2", status=502, body="<html>", content_type="text/html")
        server.fail_next("/api/v2", status=502, body="<html>", content_type="text/html")
        with pytest.raises(BackendUnavailable):
            await backend.capabilities()
        server.faults.clear()
        assert not (await backend.poll(remote_id)).is_finished
        server.engine.release()
        await finish(backend, remote_id)
        assert (await backend.fetch(remote_id, make_request())).images
        await backend.aclose()


async def test_a_proxy_alone_that_is_gone_for_good_is_told_as_such() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server, options={"workflow": WORKFLOW})
        await backend.capabilities()
        server.has_v2 = False
        for ask in (backend.capabilities, lambda: backend.generate(make_request(), ignore)):
            with pytest.raises(BackendError, match="does not know what we asked for"):
                await ask()
        await backend.aclose()


async def test_a_proxy_alone_cannot_convert_a_file_of_the_editor() -> None:
    async with ComfyUIV2Server(has_classic=False) as server:
        backend = connect(server)
        with pytest.raises(RequestRejected, match="does not tell what its nodes take"):
            await backend.read_workflow((DATA / "editor" / "bypassed.json").read_bytes())
        await backend.aclose()
