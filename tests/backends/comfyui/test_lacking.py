"""Files that a workflow names and a server lacks: taken in, named, overridden, found by other spellings."""

import json
from typing import Any

import pytest

from backends.base import ReadWorkflow
from backends.comfyui.backend import ComfyUIBackend
from backends.comfyui.graphs.lacking import with_listed_names
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.capabilities import Fit, fit_workflow
from generation.errors import BackendError, CapabilityError, RequestRejected
from generation.request import Lora, WorkflowRef
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer

FILES = {  # a workflow, the node and input that names a file, and what people call that
    "model": ("txt2img_sd15", "4", "ckpt_name"),
    "LoRA": ("two_loras", "14", "lora_name"),
    "VAE": ("clip_skip_external_vae", "", "vae_name"),
    "ControlNet": ("controlnet", "", "control_net_name"),
    "upscaler": ("upscale_model_after_txt2img", "", "model_name"),
    "text encoder": ("flux_dev_split_files", "", "clip_name1"),
}


def lacking(what: str, name: str = "gone.safetensors") -> tuple[bytes, str]:
    """Return an export that names a file nobody has, and the place of that."""
    workflow, node, key = FILES[what]
    graph = json.loads((DATA / "workflows" / f"{workflow}.api.json").read_text())
    node = node or next(item for item in graph if key in graph[item]["inputs"])
    graph[node]["inputs"][key] = name
    return json.dumps(graph).encode(), f"{node}.{key}"


def ref(read: ReadWorkflow) -> WorkflowRef:
    return WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)


def listed(server: ComfyUIServer, class_type: str, key: str) -> list[str]:
    found: list[Any] = server.engine.info[class_type]["input"]["required"][key]
    return list(found[0] if isinstance(found[0], list) else found[1]["options"])


@pytest.mark.parametrize("what", FILES)
async def test_a_workflow_without_its_file_is_added_with_the_file_named(what: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        content, place = lacking(what)
        read = await backend.read_workflow(content)
        assert f"no {what} “gone.safetensors”" in read.problems[0]
        assert f"`workflow set NAME {place} FILE`" in read.problems[0]
        assert "gone" not in "".join(read.lines)  # they are kept, and it may be there tomorrow
        with pytest.raises(CapabilityError) as caught:
            await backend.look_over(ref(read), make_request(workflow=ref(read)))
        assert caught.value.user_message == read.problems[0]
        with pytest.raises(CapabilityError) as caught:
            await backend.start(make_request(workflow=ref(read)))
        assert caught.value.user_message == read.problems[0]
        assert not server.engine.submitted
        await backend.aclose()


@pytest.mark.parametrize("what", FILES)
async def test_another_file_is_put_in_its_place_for_good(what: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        content, place = lacking(what)
        read = await backend.read_workflow(content)
        node, _, key = place.partition(".")
        file = listed(server, json.loads(content)[node]["class_type"], key)[0]
        read = await backend.correct_workflow(ref(read), place, file.removesuffix(".safetensors").upper())
        assert read.problems == ()
        assert json.loads(read.graph)[node]["inputs"][key] == file
        assert await backend.look_over(ref(read), make_request(workflow=ref(read))) is not None
        await backend.aclose()


async def test_a_model_said_in_the_request_is_drawn_with() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        read = await backend.read_workflow(lacking("model")[0])
        assert "say another with --model" in read.problems[0]
        can = await backend.workflow_capabilities(ref(read))
        fitted = fit_workflow(make_request(workflow=ref(read), model="sdxl_tiny"), can)
        assert isinstance(fitted, Fit)
        assert await backend.look_over(ref(read), fitted.request) == ()
        await backend.generate(fitted.request, ignore)
        assert server.engine.submitted[-1].graph["4"]["inputs"]["ckpt_name"] == "sdxl_tiny.safetensors"
        await backend.aclose()


async def test_the_field_model_takes_a_place_or_a_file() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        read = await backend.read_workflow(lacking("model")[0])
        read = await backend.correct_workflow(ref(read), "model", "sdxl_tiny.safetensors")
        assert json.loads(read.graph)["4"]["inputs"]["ckpt_name"] == "sdxl_tiny.safetensors"
        read = await backend.correct_workflow(ref(read), "model", "none")
        assert "model" not in json.loads(read.mapping)
        read = await backend.correct_workflow(ref(read), "model", "4.ckpt_name")
        assert json.loads(read.mapping)["model"] == {"node": "4", "input": "ckpt_name"}
        with pytest.raises(RequestRejected, match="nothing called “nonsense” on this engine"):
            await backend.correct_workflow(ref(read), "model", "nonsense")
        with pytest.raises(RequestRejected, match="takes no name from a list"):
            await backend.correct_workflow(ref(read), "6.text", "a fox")
        await backend.aclose()


async def test_an_option_on_the_input_is_drawn_with_and_named_as_the_way() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        content, place = lacking("VAE")
        read = await backend.read_workflow(content)
        read = await backend.correct_workflow(ref(read), "option decoder", place)
        assert "say another with --decoder" in read.problems[0]
        can = await backend.workflow_capabilities(ref(read))
        vae = listed(server, "VAELoader", "vae_name")[0]
        reply = (("decoder", vae.partition(".")[0]),)
        fitted = fit_workflow(make_request(workflow=ref(read), options=reply), can)
        assert isinstance(fitted, Fit)
        await backend.generate(fitted.request, ignore)
        node, _, key = place.partition(".")
        assert server.engine.submitted[-1].graph[node]["inputs"][key] == vae
        await backend.aclose()


async def test_a_lora_of_the_request_takes_the_place_of_one_that_is_lacking() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        loras = listed(server, "LoraLoader", "lora_name")
        loras.append("third.safetensors")
        server.engine.info["LoraLoader"]["input"]["required"]["lora_name"] = [loras, {}]
        read = await backend.read_workflow(lacking("LoRA")[0])
        assert "say another with --lora" in read.problems[0]
        lora = Lora(name="third.safetensors", weight=0.25)
        await backend.generate(make_request(workflow=ref(read), loras=(lora,)), ignore)
        graph = server.engine.submitted[-1].graph
        inputs = graph["14"]["inputs"]
        assert (inputs["lora_name"], inputs["strength_model"], inputs["strength_clip"]) == (lora.name, 0.25, 0.25)
        assert sum("lora_name" in node["inputs"] for node in graph.values()) == 2
        await backend.aclose()


async def test_all_that_is_lacking_is_named_with_what_is_near() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        graph = json.loads(lacking("LoRA")[0])
        graph["4"]["inputs"]["ckpt_name"] = "sdxl_tini.safetensors"
        read = await backend.read_workflow(json.dumps(graph).encode())
        assert "no model “sdxl_tini.safetensors” (near: sdxl_tiny.safetensors" in read.problems[0]
        assert "; it has no LoRA “gone.safetensors”" in read.problems[0]
        await backend.aclose()


async def test_a_file_that_comes_later_is_found_without_a_word() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        read = await backend.read_workflow(lacking("model")[0])
        with pytest.raises(CapabilityError):
            await backend.look_over(ref(read), make_request(workflow=ref(read)))
        server.engine.info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0].append("gone.safetensors")
        assert await backend.look_over(ref(read), make_request(workflow=ref(read))) == ()
        assert (await backend.generate(make_request(workflow=ref(read)), ignore)).images
        await backend.aclose()


async def test_a_node_that_is_missing_stays_a_refusal() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        graph = json.loads(lacking("model")[0])
        graph["8"]["class_type"] = "FancyDecode"
        with pytest.raises(CapabilityError, match="FancyDecode"):
            await backend.read_workflow(json.dumps(graph).encode())
        await backend.aclose()


@pytest.mark.parametrize(
    ("value", "choices", "expected"),
    [
        ("sub\\x.safetensors", ["sub/x.safetensors"], "sub/x.safetensors"),
        ("sub/x.safetensors", ["sub\\x.safetensors"], "sub\\x.safetensors"),
        ("a/b\\c.pt", ["a\\b/c.pt"], "a\\b/c.pt"),
        ("Sub/X.safetensors", ["sub\\x.safetensors"], "sub\\x.safetensors"),
        ("sub/x", ["sub\\x.safetensors"], "sub\\x.safetensors"),
        ("x.ckpt", ["x.safetensors"], "x.safetensors"),
        ("x.ckpt", ["x.safetensors", "x.pt"], None),
        ("x.safetensors", ["X.safetensors", "x.SAFETENSORS"], None),
        ("x.safetensors", ["sub/x.safetensors"], None),
        ("x.safetensors", ["x.safetensors", "X.safetensors"], "x.safetensors"),
        ("y.safetensors", ["x.safetensors"], None),
        ("", ["x.safetensors"], None),
    ],
)
def test_spellings_of_one_file_are_one_as_long_as_they_mean_one(
    value: str, choices: list[str], expected: str | None
) -> None:
    info = ObjectInfo({"Loader": {"input": {"required": {"ckpt_name": [choices, {}]}}}})
    graph = {"1": {"class_type": "Loader", "inputs": {"ckpt_name": value}}}
    assert with_listed_names(graph, info)["1"]["inputs"]["ckpt_name"] == (expected or value)


SLASHES = [("sub/tiny.safetensors", "sub\\tiny.safetensors"), ("sub\\tiny.safetensors", "sub/tiny.safetensors")]


def with_choice(server: ComfyUIServer, class_type: str, key: str, name: str) -> None:
    server.engine.info[class_type]["input"]["required"][key] = [[name], {}]


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize(("exported", "there"), SLASHES)
async def test_either_slash_is_taken_in_every_list_of_files(what: str, exported: str, there: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        content, place = lacking(what, exported)
        node, _, key = place.partition(".")
        with_choice(server, json.loads(content)[node]["class_type"], key, there)
        read = await backend.read_workflow(content)
        assert json.loads(read.graph)[node]["inputs"][key] == there
        await backend.aclose()


@pytest.mark.parametrize(("exported", "there"), SLASHES)
async def test_a_workflow_added_on_one_system_is_drawn_on_another(exported: str, there: str) -> None:
    async with ComfyUIServer() as first, ComfyUIServer() as second:
        with_choice(first, "CheckpointLoaderSimple", "ckpt_name", exported)
        with_choice(second, "CheckpointLoaderSimple", "ckpt_name", there)
        item, other = connect(first), connect(second, name="gpu2")
        read = await item.read_workflow(lacking("model", exported)[0])
        for request in (make_request(workflow=ref(read)), make_request(workflow=ref(read), model=exported)):
            await other.generate(request, ignore)
            assert second.engine.submitted[-1].graph["4"]["inputs"]["ckpt_name"] == there
        await item.aclose()
        await other.aclose()


@pytest.mark.parametrize(("reply", "there"), [*SLASHES, ("SUB\\tiny", "sub/tiny.safetensors")])
async def test_a_model_is_said_with_either_slash(reply: str, there: str) -> None:
    async with ComfyUIServer() as server:
        with_choice(server, "CheckpointLoaderSimple", "ckpt_name", there)
        backend = connect(server)
        read = await backend.read_workflow(lacking("model")[0])
        fitted = fit_workflow(
            make_request(workflow=ref(read), model=reply), await backend.workflow_capabilities(ref(read))
        )
        assert isinstance(fitted, Fit)
        assert fitted.request.model == there
        await backend.aclose()


async def test_a_file_is_not_chosen_while_nobody_says_which_there_are() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        read = await backend.read_workflow(lacking("model")[0])
        await backend.aclose()
    away = connect("http://127.0.0.1:9")
    with pytest.raises(RequestRejected, match="while it does not answer"):
        await away.correct_workflow(ref(read), "4.ckpt_name", "sdxl_tiny")
    assert (await away.correct_workflow(ref(read), "prompt", "7.text")).problems == ()
    await away.aclose()


async def test_the_workflow_of_an_engine_must_find_its_files(tmp_path: Any) -> None:
    path = tmp_path / "flow.json"
    path.write_bytes(lacking("model")[0])
    async with ComfyUIServer() as server:
        backend: ComfyUIBackend = connect(server, options={"workflow": str(path)})
        with pytest.raises(BackendError, match="no model “gone"):
            await backend.capabilities()
        await backend.aclose()
