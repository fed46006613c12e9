"""Every `python main.py ...` of the pages, as it is printed, one after the other in an empty folder."""

import shlex

import pytest

from tests.docs import blocks
from tests.easel_process import EaselProcess
from tests.engines.a1111_server import A1111Server
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer

GRAPH = DATA / "workflows" / "txt2img_sd15.api.json"
SETTINGS = {"PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "PATH": "", "WEB": "false"}


def commands(page):
    every = [command for block in blocks() if block.page == page for command in block.commands]
    return [command for command in every if command.startswith("python main.py ")]


@pytest.mark.parametrize(("page", "least"), [("README.md", 3), ("docs/command-line.md", 7)])
async def test_the_commands_of_a_page_end_well(page, least, tmp_path):
    (tmp_path / "FILE").write_bytes(GRAPH.read_bytes())
    assert len(commands(page)) >= least
    async with ComfyUIServer() as comfyui, A1111Server() as a1111:
        for number, command in enumerate(commands(page)):
            settings = SETTINGS | ({"COMFYUI_URL": comfyui.url} if "workflow" in command else {})
            settings |= {"A1111_URL": a1111.url} if "a1111" in command else {}
            process = EaselProcess(tmp_path, shlex.split(command)[2:], settings, f"log{number}")
            reply = await process.said()
            assert process.returncode == 0, (command, reply)
            assert "Traceback" not in reply
            assert reply.strip(), command
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
