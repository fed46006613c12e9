"""Nothing that a page tells people to type is left untried: settings are read, programs run, shapes compared."""

import re
import time
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from config import read_settings
from tests.docs import ROOT, Block, blocks, of
from utils.webhook_signatures import signature_of

WINDOWS = "Windows only; the same three commands as in the README"
ELSEWHERE = {  # what other programs read or run
    "docs/architecture.md:   app/": "a drawing: below",
    "docs/backends/a1111.md: cd /workspace/stable-diffusion-webui": "starts AUTOMATIC1111 on its own machine",
    "docs/backends/a1111.md: curl http://localhost:7860": "asks AUTOMATIC1111 itself",
    "docs/backends/comfyui.md: location /api/v2/": "is for nginx",
    "docs/bus.md: nats request": "for the `nats` tool; tests/bus asks the same",
    "docs/deploy.md: cp .env.example .env": "for Docker; tests/test_deploy.py reads compose.yaml",
    "docs/deploy.md: kubectl": "for kubectl; the manifests are read by tests/test_deploy.py",
    "docs/deploy.md: sudo": "for systemd; the unit is read by tests/test_deploy.py",
    "docs/troubleshooting.md: py -m venv": WINDOWS,
    "docs/discord-setup.md: https://discord.com": "tests/test_discord_page.py",
}  # fmt: skip
SETTINGS = [block for block in blocks() if block.is_settings and block.text.strip()]


def is_run(block: Block) -> bool:
    """Return by its first word whether a test of this room runs it."""
    first = block.text.split(maxsplit=1)[0]
    if block.language in ("json", "python", "toml"):
        return True  # each is named in a test below
    return block.is_settings or first in ("curl", "python", "make") or first.startswith(("BASE=", "python3"))


def test_every_block_of_code_is_run_or_is_for_another_program():
    left = [str(block) for block in blocks() if not is_run(block) and not str(block).startswith(tuple(ELSEWHERE))]
    assert left == []
    for begins in ELSEWHERE:
        assert any(str(block).startswith(begins) for block in blocks()), begins


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_the_settings_that_a_page_prints_are_taken(block, tmp_path):
    text = block.text.replace("/etc/easel/", f"{tmp_path}/")
    for file in re.findall(rf"{re.escape(str(tmp_path))}/\S+", text):
        Path(file).touch()
    (tmp_path / ".env").write_text(text)
    settings = read_settings(tmp_path / ".env", {})
    assert settings.warnings == ()
    names = re.findall(r"^(\w+)_(?:URL|KIND)=|^(AI_HORDE)_KEY=", text, re.MULTILINE)
    words = {"text_engine"} if settings.text.url else set()  # no engine that draws
    assert {name.lower() for pair in names for name in pair if name} <= words | {
        each.name for each in settings.engines.configured
    }


def test_the_commands_of_make_are_there():
    targets = re.findall(r"^([\w-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for block in of("README.md", "sh", begins="make"):
        for command in block.commands:
            assert command.split()[1] in targets


def test_windows_gets_the_same_commands():
    (here,), (there,) = of("README.md", "sh", begins="python3"), of("docs/troubleshooting.md", "bat")
    as_here = there.text.replace(".venv\\Scripts\\", ".venv/bin/").replace("py -m", "python3 -m")
    assert as_here == here.text
    assert (ROOT / "requirements.txt").is_file()


def test_the_entry_point_of_a_plug_in_is_that_of_the_one_we_install():
    (block,) = of("CONTRIBUTING.md", "toml")
    installed = ConfigParser()
    installed.read(ROOT / "tests" / "plugin" / "acme_easel-1.0.dist-info" / "entry_points.txt")
    for group, entries in tomllib.loads(block.text)["project"]["entry-points"].items():
        assert entries.items() <= dict(installed[group]).items()


def test_the_check_of_a_signature_takes_what_easel_signs_and_nothing_else():
    (block,) = of("docs/webhooks.md", "python")
    program: dict = {}
    exec(block.text, program)
    is_genuine, body, now = program["is_genuine"], b'{"id": "1"}', time.time()
    assert is_genuine(signature_of(body, "s3cret", now), body, "s3cret")
    assert not is_genuine(signature_of(body, "s3cret", now), body + b" ", "s3cret")
    assert not is_genuine(signature_of(body, "other", now), body, "s3cret")
    assert not is_genuine(signature_of(body, "s3cret", now - 301), body, "s3cret")


def test_the_drawing_of_the_layers_has_every_room_of_the_table():
    (drawing,) = of("docs/architecture.md", "text")
    page = (ROOT / "docs" / "architecture.md").read_text()
    table = page.partition("| room |")[2].partition("\n\n")[0]
    rooms = {name for line in table.splitlines()[2:] for name in re.findall(r"`([\w./]+)`", line.split("|")[1])}
    assert len(rooms) > 12
    assert {room for room in rooms if room not in drawing.text} == set()
