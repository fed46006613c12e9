"""Workflows as people have them, added and drawn with on the command line."""

import pytest

from tests.api.test_case_workflows import CASES, NODES, sent, values_of, with_files
from tests.engines.comfyui_engine import recorded
from tests.engines.comfyui_server import ComfyUIServer
from tests.test_cli_workflows import Say
from tests.test_cli_workflows import comfyui as comfyui  # fixtures
from tests.test_cli_workflows import folder as folder
from tests.test_cli_workflows import say as say


@pytest.mark.parametrize(
    ("file", "inputs"),
    [
        ("05-context-node-swaps-sides.json", {"6.text": "a red fox", "7.text": "blurry dog", "41.seed": 42}),
        ("13-comfy-picture-as-workflow.png", {"6.text": "a red fox", "7.text": "blurry dog", "3.steps": 40}),
        ("14-extra-key.json", {"6.text": "a red fox", "7.text": "blurry dog", "3.seed": 42}),
        ("15-output-node-without-images-input.json", {"1.positive": "a red fox", "2.seed": 42, "2.steps": 40}),
    ],
)
def test_a_workflow_of_the_cases_is_added_and_drawn_with(
    say: Say, comfyui: ComfyUIServer, monkeypatch: pytest.MonkeyPatch, file: str, inputs: dict[str, object]
) -> None:
    comfyui.engine.info = with_files(recorded("object_info") | NODES[0] | NODES[1])
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "COMFYUI_URL": comfyui.url})
    code, out, err = say("workflow", "add", str(CASES / "comfyui" / file), "--name", "x")
    assert (code, out.splitlines()[0]) == (0, "x"), err
    ask = "a red fox --seed 42 --steps 40 --negative blurry dog --workflow x"
    code, _, err = say("generate", ask, "-q", "-o", "x.png")
    assert code == 0, err
    assert values_of(sent(comfyui), inputs) == inputs
    assert "ignored" not in err
