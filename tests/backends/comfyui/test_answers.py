"""Recorded answers through the real client: refusals, failures and outputs of every kind."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import respx
from PIL import Image

from backends.comfyui.backend import ComfyUIBackend
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
    UnexpectedAnswer,
)
from generation.result import GenerationResult
from tests.backends.comfyui.rig import QUICK, connect, ignore, make_request
from tests.engines.comfyui_engine import DATA, recorded
from tests.utils.videos import MP4, WEBM

URL = "http://comfy.example.com:8188"
REFUSALS, HISTORIES = recorded("validation_errors"), recorded("histories")
PICTURE = (DATA / "01_output.png").read_bytes()
OBJECT_INFO = (DATA / "object_info.json").read_bytes()


class Server:
    """A server that answers as recorded; `ends` sets what a job comes to."""

    def __init__(self, mock: respx.MockRouter) -> None:
        self.accepted: set[str] = set()
        mock.get(f"{URL}/api/v2/health").respond(404)
        mock.get(f"{URL}/system_stats").respond(json=recorded("system_stats"))
        mock.get(f"{URL}/embeddings").respond(json=["tiny_embed"])
        mock.get(f"{URL}/object_info").respond(content=OBJECT_INFO, content_type="application/json")
        mock.get(url__startswith=f"{URL}/ws").respond(400)
        mock.get(f"{URL}/queue").respond(json={"queue_running": [], "queue_pending": []})
        self.prompt = mock.post(f"{URL}/prompt").mock(side_effect=self._accept)
        self.history = mock.get(url__startswith=f"{URL}/history/").mock(side_effect=self._tell)
        self.view = mock.get(url__startswith=f"{URL}/view").respond(content=PICTURE, content_type="image/png")
        self.free = mock.post(f"{URL}/free").respond(200)
        self.cancel = mock.post(url__startswith=f"{URL}/api/jobs/").respond(json={"cancelled": True})
        self.entry: dict[str, Any] = next(iter(HISTORIES["01_1"]["body"].values()))
        self.backend: ComfyUIBackend = connect(URL, QUICK)

    def _accept(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.accepted.add(body["prompt_id"])
        return httpx.Response(200, json={"prompt_id": body["prompt_id"], "number": 0, "node_errors": {}})

    def _tell(self, request: httpx.Request) -> httpx.Response:
        wanted = request.url.path.rpartition("/")[2]
        return httpx.Response(200, json={wanted: self.entry} if wanted in self.accepted else {})

    def refuses(self, note: str) -> None:
        reported = REFUSALS[note]
        body = {"json": reported["body"]} if isinstance(reported["body"], dict) else {"text": reported["body"]}
        self.prompt.mock(return_value=httpx.Response(reported["status"], **body))

    def ends(self, name: str) -> None:
        (self.entry,) = HISTORIES[name]["body"].values()

    async def generate(self, **changes: Any) -> GenerationResult:
        return await self.backend.generate(make_request(**changes), ignore)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    with respx.mock(assert_all_called=False) as mock:
        made = Server(mock)
        yield made
        await made.backend.aclose()


def plain(error: GenerationError) -> str:
    """Return what people read, after a look whether it is fit for them."""
    text = f"{error.user_message} {error.hint}"
    for sign in ("http", "Traceback", "/opt/", "/srv/", "Error", ".py", "['", "KeyError", "node_errors"):
        assert sign not in text, text
    return error.user_message


@pytest.mark.parametrize(
    ("note", "kind", "says"),
    [
        ("unknown checkpoint", CapabilityError, "This engine has no model “nope.safetensors”."),
        ("unknown sampler and scheduler", CapabilityError, "This engine has no scheduler “karras2”."),
        ("unknown class_type (custom node missing)", CapabilityError,
         "This engine lacks a node the workflow needs: FancyKSampler."),
        ("node without class_type", CapabilityError,
         "This engine lacks a node the workflow needs: one without a class."),
        ("required input missing", RequestRejected,
         "The GPU finds a mistake in the workflow, at the node KSampler. It says: seed is missing."),
        ("link to a node id that does not exist", RequestRejected,
         "The GPU finds a mistake in the workflow, at the node KSampler. "
         "It says: Exception when validating inner node."),
        ("link malformed", RequestRejected,
         "The GPU finds a mistake in the workflow, at the node KSampler. "
         "It says: Bad linked input, must be a length-2 list of [node_id, slot_index]."),
        ("steps too large, cfg not a number", RequestRejected, "The GPU says that cfg is not a number."),
        ("seed negative", RequestRejected, "The GPU says that seed is too small."),
        ("seed above 2^64-1", RequestRejected, "The GPU says that seed is too large."),
        ("no output node", RequestRejected, "The GPU does not accept this request. It says: Prompt has no outputs."),
        ("cycle", RequestRejected,
         "The GPU finds a mistake in the workflow, at the node KSampler. It says: Dependency cycle detected."),
        ("LoadImage of a file that is not in input/", RequestRejected,
         "The GPU does not find the picture “missing.png” that the workflow names."),
        ("prompt_id given by the client, not a UUID", RequestRejected,
         "The GPU does not accept this request. It says: prompt_id must be a valid UUID."),
        ("body is not JSON", BackendUnavailable, "The GPU failed inside."),
    ],
)  # fmt: skip
async def test_recorded_refusal_becomes_one_sentence(
    server: Server, note: str, kind: type[GenerationError], says: str
) -> None:
    server.refuses(note)
    with pytest.raises(kind) as caught:
        await server.generate()
    assert plain(caught.value) == says
    assert caught.value.detail


async def test_graph_of_which_only_a_part_is_valid_is_cancelled_and_told(server: Server) -> None:
    server.refuses("TWO outputs, one of them invalid: 200 with node_errors; the valid one runs")
    with pytest.raises(RequestRejected, match="does not find the picture"):
        await server.generate()
    assert server.cancel.called


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("06_1", OutOfMemory, "The GPU ran out of memory."),
        ("06_2", BackendError, "The GPU failed in the node LabRaise and says: lab failure."),
        ("06_3", OutOfMemory, "The GPU ran out of memory."),
        ("06_4", BackendError,
         "The GPU was given parts that do not belong together (model, text encoder, VAE or LoRA)."),
        ("06_5", RequestRejected, "The GPU cannot read that picture."),
        ("06_6", BackendError, "The GPU has a broken file where the model should be."),
        ("07_1", BackendError, "The picture was stopped on The GPU itself."),
    ],
)  # fmt: skip
async def test_recorded_failure_becomes_one_sentence(
    server: Server, name: str, kind: type[GenerationError], says: str
) -> None:
    server.ends(name)
    with pytest.raises(kind) as caught:
        await server.generate()
    assert plain(caught.value) == says


async def test_recorded_run_gives_its_picture_seed_and_model(server: Server) -> None:
    result = await server.generate()
    (image,) = result.images
    assert (image.data, image.seed, result.model) == (PICTURE, 42, "broken")


async def test_all_pictures_of_a_batch_are_taken_in_order(server: Server) -> None:
    server.ends("11_4")
    assert len((await server.generate()).images) == 4
    names = [call.request.url.params["filename"] for call in server.view.calls]
    assert names == sorted(names)


async def test_every_node_s_pictures_are_taken_not_only_the_last_one_s(server: Server) -> None:
    server.ends("13_4")
    assert len((await server.generate()).images) == 2


async def test_previews_are_the_result_where_nothing_was_saved(server: Server) -> None:
    server.ends("13_1")
    await server.generate()
    assert server.view.calls.last.request.url.params["type"] == "temp"


async def test_animated_webp_is_a_picture(server: Server) -> None:
    server.ends("13_5")
    assert len((await server.generate()).images) == 1


async def test_animated_gif_is_a_picture_too(server: Server) -> None:
    server.ends("13_5")
    target = io.BytesIO()
    frames = [Image.new("P", (16, 16), colour) for colour in (1, 2)]
    frames[0].save(target, "GIF", save_all=True, append_images=frames[1:])
    server.view.respond(content=target.getvalue())
    (made,) = (await server.generate()).images
    assert made.data == target.getvalue()


@pytest.mark.parametrize(("name", "video"), [("13_6", WEBM), ("13_7", MP4)])
async def test_a_video_is_taken_as_it_is(server: Server, name: str, video: bytes) -> None:
    server.ends(name)
    server.view.respond(content=video)
    (made,) = (await server.generate()).images
    assert made.data == video


@pytest.mark.parametrize("content", [b"", PICTURE, MP4[:900]])
async def test_broken_video_is_an_error(server: Server, content: bytes) -> None:
    server.ends("13_7")
    server.view.respond(content=content)
    with pytest.raises(UnexpectedAnswer, match="sent a video that cannot be used"):
        await server.generate()


@pytest.mark.parametrize("kind", ["gifs", "videos", "video"])
async def test_a_video_that_a_third_party_node_lists_its_own_way_is_taken(server: Server, kind: str) -> None:
    server.ends("13_7")
    file = {"filename": "clip_00001.mp4", "subfolder": "", "type": "temp", "format": "video/h264-mp4", "frame_rate": 8}
    server.entry["outputs"] = {"9": {kind: [file]}}
    server.view.respond(content=MP4)
    assert len((await server.generate()).images) == 1


@pytest.mark.parametrize(("name", "what"), [("13_8", "flac")])
async def test_files_that_cannot_be_shown_are_told_of(server: Server, name: str, what: str) -> None:
    server.ends(name)
    with pytest.raises(BackendError, match=f"only {what}") as caught:
        await server.generate()
    plain(caught.value)


@pytest.mark.parametrize("name", ["13_2", "13_9"])
async def test_job_without_any_file_is_an_error(server: Server, name: str) -> None:
    server.ends(name)
    with pytest.raises(UnexpectedAnswer, match="without a picture"):
        await server.generate()


async def test_file_of_a_cached_job_that_was_removed_makes_the_server_forget(server: Server) -> None:
    server.view.respond(404)
    with pytest.raises(BackendUnavailable, match="gone"):
        await server.generate()
    assert json.loads(server.free.calls.last.request.content) == {"free_memory": True}


@pytest.mark.parametrize("content", [b"", b"<html>", PICTURE[: len(PICTURE) // 2]])
async def test_broken_picture_is_an_error(server: Server, content: bytes) -> None:
    server.view.respond(content=content)
    with pytest.raises(UnexpectedAnswer, match="cannot be used"):
        await server.generate()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(401), BackendAuthError), (httpx.Response(403), BackendAuthError),
        (httpx.Response(404, html="<html>gone</html>"), UnexpectedAnswer),
        (httpx.Response(429, headers={"retry-after": "7"}), RateLimited),
        (httpx.Response(500, text="500 Internal Server Error"), BackendUnavailable),
        (httpx.Response(502, html="<html>"), BackendUnavailable),
        (httpx.Response(524, html="<html>"), BackendUnavailable),
        (httpx.Response(200, html="<html>welcome</html>"), UnexpectedAnswer),
        (httpx.Response(200, json=[]), UnexpectedAnswer), (httpx.Response(200, json={}), UnexpectedAnswer),
        (httpx.Response(200, text='{"prompt_id": "a'), UnexpectedAnswer),
    ],
)  # fmt: skip
async def test_strange_answer_to_a_job_is_one_of_our_errors(
    server: Server, answer: httpx.Response, kind: type[GenerationError]
) -> None:
    server.prompt.mock(return_value=answer)
    with pytest.raises(kind) as caught:
        await server.generate()
    plain(caught.value)


@pytest.mark.parametrize("path", ["system_stats", "object_info"])
@pytest.mark.parametrize("body", ["<html>", "[]", "{}", "null", ""])
async def test_another_product_is_not_taken_for_comfyui(path: str, body: str) -> None:
    with respx.mock(assert_all_called=False) as mock:
        made = Server(mock)
        mock.get(f"{URL}/{path}").respond(text=body)
        with pytest.raises(BackendError) as caught:
            await made.backend.capabilities()
        plain(caught.value)
        await made.backend.aclose()


async def test_job_carries_our_ids_and_asks_for_previews(server: Server) -> None:
    await server.generate()
    sent = json.loads(server.prompt.calls.last.request.content)
    assert sent["prompt_id"] == sent["client_id"]
    assert sent["extra_data"] == {"preview_method": "auto"}
    assert "origin" not in server.prompt.calls.last.request.headers
