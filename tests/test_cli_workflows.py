"""`python main.py workflow` in this process, on the data folder and the stand-in for ComfyUI."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import main
from tests.backends.comfyui.test_lacking import lacking
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer

API = DATA / "workflows" / "txt2img_sd15.api.json"
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def comfyui() -> Iterator[ComfyUIServer]:
    """The stand-in on a loop of its own: the command line brings its own, too."""
    loop = asyncio.new_event_loop()
    server = ComfyUIServer()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(5)
    yield server
    asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false"})
    root, on_term = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = root.handlers[:], root.level
    yield tmp_path
    signal.signal(signal.SIGTERM, on_term)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def say(folder: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def run(*argv: str) -> tuple[int, str, str]:
        code = main.main(list(argv))
        return (code, *capsys.readouterr())

    return run


def test_workflow_is_added_corrected_drawn_with_and_deleted(
    folder: Path, say: Say, comfyui: ComfyUIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "COMFYUI_URL": comfyui.url})
    code, out, err = say("workflow", "add", str(API), "--name", "portrait")
    assert (code, out.splitlines()[0]) == (0, "portrait")
    assert "  prompt: Positive (CLIPTextEncode), node 6, text" in out
    assert '--workflow "portrait"' in err
    code, out, _ = say("workflow", "set", "portrait", "prompt", "7.text")
    assert code == 0
    assert "prompt: Negative (CLIPTextEncode), node 7, text" in out
    assert "portrait" in say("workflow", "list")[1]
    assert say("workflow", "show", "portrait")[1] == out

    ask = ("generate", "a lighthouse", "--workflow", "portrait", "--size", "64x64", "--steps", "2", "-q", "-o", "x")
    assert say(*ask)[0] == 0
    assert comfyui.engine.submitted[-1].graph["7"]["inputs"]["text"] == "a lighthouse"
    assert (folder / "x.png").exists()

    assert say("workflow", "delete", "portrait")[0] == 0
    assert "There are no workflows" in say("workflow", "list")[1]
    code, _, err = say(*ask)
    assert code == 2
    assert "no workflow “portrait” here" in err


def test_an_input_becomes_an_option_on_the_command_line(
    say: Say, comfyui: ComfyUIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "COMFYUI_URL": comfyui.url})
    assert say("workflow", "add", str(API), "--name", "portrait")[0] == 0
    code, out, err = say("workflow", "set", "portrait", "option", "detail", "3.denoise", "--range", "0..2")
    assert code == 0, err
    assert "--detail: KSampler, node 3, denoise, 0 to 2" in out
    ask = ("generate", "a lighthouse --detail 0.25", "--workflow", "portrait", "--size", "64x64", "--steps", "2", "-q")
    assert say(*ask, "-o", "x")[0] == 0
    assert comfyui.engine.submitted[-1].graph["3"]["inputs"]["denoise"] == 0.25


def test_a_file_that_is_lacking_is_named_and_another_put_in_its_place(
    folder: Path, say: Say, comfyui: ComfyUIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "COMFYUI_URL": comfyui.url})
    content, place = lacking("model")
    (folder / "a.json").write_bytes(content)
    code, _, err = say("workflow", "add", "a.json", "--name", "portrait")
    assert (code, "no model “gone.safetensors”" in err) == (0, True)
    ask = ("generate", "a fox", "--workflow", "portrait", "--size", "64x64", "--steps", "2", "-q", "-o", "x")
    code, _, err = say(*ask)
    assert (code, "no model “gone.safetensors”" in err) == (2, True)
    code, _, err = say("workflow", "set", "portrait", place, "sdxl_tiny")
    assert (code, "gone" in err) == (0, False)
    assert say(*ask)[0] == 0
    assert comfyui.engine.submitted[-1].graph["4"]["inputs"]["ckpt_name"] == "sdxl_tiny.safetensors"


@pytest.mark.parametrize(
    ("argv", "reply"),
    [
        (("add", "nowhere.json"), "nowhere.json cannot be read"),
        (("add", "editor.json"), "No engine here runs workflows"),
        (("show", "portrait"), "no workflow “portrait” here. None has been added yet."),
        (("delete", "portrait"), "no workflow “portrait” here"),
    ],
)
def test_what_cannot_be_done_is_code_2_and_told(folder: Path, say: Say, argv: tuple[str, ...], reply: str) -> None:
    (folder / "editor.json").write_text('{"nodes": [], "links": []}')
    code, _, err = say("workflow", *argv)
    assert code == 2
    assert reply in err


def test_name_of_a_workflow_makes_no_store(folder: Path, say: Say) -> None:
    assert say("generate", "fox --workflow portrait")[0] == 2
    assert not (folder / "data" / "easel.sqlite3").exists()


@pytest.mark.parametrize("name", ["infinite-cfg", "infinite-width"])
def test_a_workflow_with_a_number_that_is_none_is_refused_in_words(
    say: Say, comfyui: ComfyUIServer, folder: Path, name: str
) -> None:
    (folder / ".env").write_text(f"COMFYUI_URL={comfyui.url}\n")
    code, out, err = say("workflow", "add", str(DATA / "hostile" / f"{name}.json"), "--name", "x")
    assert code == 2
    assert "is not a finite number" in out + err
    assert "Traceback" not in out + err
