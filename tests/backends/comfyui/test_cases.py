"""Workflows as people really have them: each says where the words, the size and the picture belong."""

import json
from pathlib import Path

import pytest

from backends.comfyui.graph import Slot
from backends.comfyui.nodes import ObjectInfo
from backends.comfyui.trace import Trace
from backends.comfyui.workflow import read_workflow
from tests.engines.comfyui_engine import recorded

CASES = Path("tests/data/cases/comfyui")
NODES = [json.loads((CASES / f"{kind}-nodes.object_info.json").read_text()) for kind in ("core", "custom")]
INFO = ObjectInfo(recorded("object_info") | NODES[0] | NODES[1])


def trace(name: str) -> Trace:
    (path,) = CASES.glob(f"{name}-*.json")
    return Trace(read_workflow(path.read_bytes()), INFO)


def places(slots: tuple[Slot, ...]) -> list[str]:
    return sorted(f"{slot.node}.{slot.input}" for slot in slots)


@pytest.mark.parametrize(
    ("name", "prompt", "negative"),
    [
        ("05", ["6.text"], ["7.text"]),
        ("06", ["32.text"], ["7.text"]),
        ("07", ["32.value"], ["7.text"]),
        ("08", ["16.clip_g", "16.clip_l", "16.llama", "16.t5xxl"], ["40.text"]),
        ("08b", ["6.clip_g", "6.clip_l", "6.t5xxl"], ["7.text"]),
        ("09", ["6.text"], []),
        ("09b", ["76.prompt"], ["77.prompt"]),
        ("09c", ["6.text"], ["7.text"]),
        ("14", ["6.text"], ["7.text"]),
        ("14b", ["6.text"], ["7.text"]),
        ("15", ["1.positive"], ["1.negative"]),
        ("16", ["6.text"], ["7.text"]),
        ("16b", ["6.text"], ["40.text"]),
        ("16c", ["1.positive"], ["1.negative"]),
        ("16d", ["6.user_prompt"], ["7.text"]),
    ],
)
def test_words_find_their_place_by_what_nodes_are(name: str, prompt: list[str], negative: list[str]) -> None:
    found = trace(name)
    assert (places(found.texts("positive")), places(found.texts("negative"))) == (prompt, negative)


@pytest.mark.parametrize(
    ("name", "width"),
    [("05", "5.width"), ("15", "1.empty_latent_width"), ("16", "5.width"), ("16c", "1.empty_latent_width")],
)
def test_size_is_found_behind_switches_and_in_loaders(name: str, width: str) -> None:
    assert places(trace(name).sides().width) == [width]


def test_node_that_draws_and_saves_in_one_is_an_output() -> None:
    assert trace("15").outputs == (("3", "images"),)
