"""Clients of our own for the routes of the systems Easel unites: bash, Python and JavaScript against a real port.

The systems' own examples, as they stand, are in `test_source_examples.py`.
"""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from api.server import WebServer
from api.sockets import bind
from tests import tools
from tests.api.conftest import png, site_at

ROOT = Path(__file__).parents[2]
EXAMPLES = Path(__file__).with_name("examples")


@contextlib.asynccontextmanager
async def served(folder):
    """Serve Easel on a free port; the address."""
    async with site_at(folder, MAX_RUNNING_PER_USER="4") as site:
        server = WebServer(site.app, [bind("127.0.0.1", 0, is_chosen=True)])
        await server.start()
        try:
            yield f"http://localhost:{server.ports[0]}"
        finally:
            await server.stop()


def needs(*names):
    faults = [fault for name in names if (fault := tools.fault(name, "--version"))]
    return pytest.mark.skipif(bool(faults), reason="; ".join(faults))


async def run(*command, folder, base):
    """Run a program in a folder and return what it printed; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=os.environ | {"BASE": base, "NO_PROXY": "*", "no_proxy": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@needs("bash", "curl", "jq", "base64")
@pytest.mark.parametrize("name", ["poll", "seeds", "img2img", "inpaint", "flux"])
async def test_the_shell_examples_work(tmp_path, name):
    (tmp_path / "photo.png").write_bytes(png(64, 64))
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (16, 16, 48, 48))
    mask.save(tmp_path / "mask.png")
    async with served(tmp_path / "easel") as base:
        await run("bash", "-euo", "pipefail", str(EXAMPLES / f"{name}.sh"), folder=tmp_path, base=base)
    made = sorted(tmp_path.glob("output*.png"))
    assert len(made) == (3 if name == "seeds" else 1)
    for path in made:
        with Image.open(path) as picture:
            assert picture.size == (64, 64)


async def test_the_python_client_works(tmp_path):
    async with served(tmp_path / "easel") as base:
        out = await run(sys.executable, str(EXAMPLES / "client.py"), folder=tmp_path, base=base)
    assert "completed" in out
    assert (tmp_path / "output.png").exists()


@needs("node")
async def test_the_javascript_client_works(tmp_path):
    async with served(tmp_path / "easel") as base:
        out = await run("node", str(EXAMPLES / "client.mjs"), folder=tmp_path, base=base)
    assert "completed" in out
    assert "data:image/png;base64," in out


async def test_the_script_of_the_flux_service_works(tmp_path):
    script = str(ROOT / "scripts" / "test_image_gen.py")
    async with served(tmp_path / "easel") as base:
        small = ("--width", "64", "--height", "64", "--url", base)
        out = await run(sys.executable, script, "a red fox", *small, folder=tmp_path, base=base)
    assert "64x64, sketch" in out
    assert (tmp_path / "test_output.png").exists()
