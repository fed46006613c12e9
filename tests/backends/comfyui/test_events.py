import json

import pytest

from backends.comfyui.news.events import MAX_PREVIEW_BYTES, FrameReader
from backends.comfyui.workflows.workflow import read_workflow
from tests.engines.comfyui_engine import DATA, recorded

NORMAL, CACHED = recorded("ws_normal"), recorded("ws_cached")
GRAPH = read_workflow((DATA / "workflows" / "txt2img_sd15.api.json").read_bytes())


def prompt_ids(frames: list[dict[str, dict[str, str]]]) -> list[str]:
    return list(dict.fromkeys(frame["data"]["prompt_id"] for frame in frames if "prompt_id" in frame["data"]))


def read(frames: list[object], prompt_id: str) -> tuple[FrameReader, list[float]]:
    reader = FrameReader(prompt_id)
    reader.know(GRAPH)
    seen = []
    for frame in frames:
        reader.read_text(json.dumps(frame))
        seen.append(reader.progress.fraction)
    return reader, seen


def test_recorded_run_goes_from_0_to_1_and_ends() -> None:
    reader, seen = read(NORMAL, prompt_ids(NORMAL)[0])
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
    assert reader.is_over


def test_loading_of_the_model_is_told() -> None:
    reader = FrameReader("a")
    reader.know(GRAPH)
    reader.read_text(json.dumps({"type": "executing", "data": {"node": "4", "prompt_id": "a"}}))
    assert reader.progress.note == "loading the model"


def test_steps_are_those_of_the_sampler() -> None:
    reader = FrameReader("a")
    reader.know(GRAPH)
    reader.read_text(json.dumps({"type": "progress", "data": {"node": "3", "value": 2, "max": 8, "prompt_id": "a"}}))
    assert (reader.progress.step, reader.progress.steps, reader.progress.fraction) == (2, 8, 0.25)


@pytest.mark.parametrize("prompt_id", prompt_ids(CACHED))
def test_cached_run_without_steps_ends_too(prompt_id: str) -> None:
    assert read(CACHED, prompt_id)[0].is_over


def test_other_people_s_jobs_are_passed_over() -> None:
    reader, seen = read(NORMAL, "somebody else's")
    assert set(seen) == {0.0}
    assert not reader.is_over


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"type": "crystools.monitor", "data": {}}', '{"type": "status"}', '{"type": 1, "data": null}',
     '{"type": "progress", "data": {"prompt_id": "a", "node": null, "value": "x", "max": 0}}',
     '{"type": "execution_cached", "data": {"prompt_id": "a", "nodes": 7}}'],
)  # fmt: skip
def test_frames_of_extensions_and_broken_ones_do_no_harm(text: str) -> None:
    reader = FrameReader("a")
    reader.read_text(text)
    assert not reader.is_over


def test_preview_with_metadata_belongs_to_the_job_it_names() -> None:
    frame = (DATA / "12_preview_flags_latent2rgb.frame.bin").read_bytes()
    length = int.from_bytes(frame[4:8], "big")
    reader = FrameReader(json.loads(frame[8 : 8 + length])["prompt_id"])
    assert reader.read_binary(frame)
    assert reader.progress.preview is not None
    assert reader.progress.preview.startswith(b"\xff\xd8\xff")
    assert not FrameReader("another").read_binary(frame)


def test_preview_of_an_older_server_counts_only_while_our_job_runs() -> None:
    frame = (DATA / "12_preview_legacy_latent2rgb.frame.bin").read_bytes()
    reader = FrameReader("a")
    assert not reader.read_binary(frame)
    reader.read_text(json.dumps({"type": "executing", "data": {"node": "3", "prompt_id": "a"}}))
    assert reader.read_binary(frame)


def test_finished_picture_on_the_websocket_is_no_preview() -> None:
    reader = FrameReader("a")
    reader.read_text(json.dumps({"type": "executing", "data": {"node": "9", "prompt_id": "a"}}))
    assert not reader.read_binary((DATA / "13_ws_image.frame.bin").read_bytes())


@pytest.mark.parametrize(
    "frame", [b"", b"\0\0\0\1", b"\0\0\0\4\xff\xff\xff\xff{}", b"\0\0\0\1\0\0\0\1" + b"\xff" * (MAX_PREVIEW_BYTES + 1)]
)
def test_broken_or_huge_binary_frames_are_dropped(frame: bytes) -> None:
    assert not FrameReader("a").read_binary(frame)
