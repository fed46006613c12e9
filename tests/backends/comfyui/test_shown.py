"""A workflow whose files nobody can look at is reported when it is added, not after it has run."""

from typing import Any

import pytest

from backends.comfyui.workflows.workflow import analyse, describe
from tests.backends.comfyui.test_workflow import INFO, graph_of


def lines_of(*outputs: tuple[str, dict[str, Any]]) -> str:
    graph = graph_of("video_mp4")
    graph = {node: about for node, about in graph.items() if not INFO.is_output(about["class_type"])}
    for number, (class_type, inputs) in enumerate(outputs):
        graph[f"9{number}"] = {"class_type": class_type, "inputs": inputs}
    return "\n".join(describe(graph, analyse(graph, INFO)))


VIDEO = {"video": ["10", 0], "filename_prefix": "x", "codec": "auto"}
SOUND = {"audio": ["10", 0], "filename_prefix": "x"}


@pytest.mark.parametrize(
    "outputs",
    [
        [("SaveVideo", VIDEO | {"format": "auto"})], [("SaveVideo", VIDEO | {"format": "mp4"})], [("SaveVideo", VIDEO)],
        [("SaveAudio", SOUND), ("SaveVideo", VIDEO | {"format": "mp4"})],
        [("SaveImage", {"images": ["8", 0], "filename_prefix": "x"})],
        [("SaveVideo", VIDEO | {"format": ["12", 0]})],
    ],
)  # fmt: skip
def test_what_can_be_shown_needs_no_words(outputs: list[tuple[str, dict[str, Any]]]) -> None:
    assert "can be shown" not in lines_of(*outputs)


@pytest.mark.parametrize(
    ("outputs", "what"),
    [
        ([("SaveAudio", SOUND)], "SaveAudio (node 90: sound)"),
        ([("SaveVideo", VIDEO | {"format": "mkv"})], "SaveVideo (node 90: mkv)"),
        ([("SaveVideo", VIDEO | {"format": "video/ProRes"}), ("SaveAudio", SOUND)],
         "SaveVideo (node 90: video/prores), SaveAudio (node 91: sound)"),
    ],
)  # fmt: skip
def test_what_cannot_is_told(outputs: list[tuple[str, dict[str, Any]]], what: str) -> None:
    text = lines_of(*outputs)
    assert f"nothing it saves can be shown here: {what}. It needs a Save Image node" in text
