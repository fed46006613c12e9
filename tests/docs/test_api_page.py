"""Every curl of docs/api.md as it is printed, in a shell, against an Easel that listens."""

import asyncio
import base64
import json
import os
import re
import shutil
import sys
from contextlib import asynccontextmanager, nullcontext

import pytest

from api.server import WebServer
from api.sockets import bind
from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities, ModelInfo
from generation.job import Origin
from generation.request import Draft, Mode
from tests.api.conftest import SMALL, held, png, site_at
from tests.docs import ROOT, of
from tests.fakes import FakeBackend

HERE = Origin(door="api", user_id="local", user_name="You")
COMPARED = ["gpu1", "grid"]
JOB = "job_1795240000000_0123456789ab"
HELD = rf"/jobs/({JOB}|ID)/cancel"  # of a job that still runs
BODIES = {  # what the page says of files that it does not print
    "inpaint.json": {"prompt": "a hat", "image": "PHOTO", "mask": "MASK", "inpaintingStrength": 0.8},
    "style.json": {"contentImage": "PHOTO", "styleImage": "PHOTO"},
    "edit.json": {"imageUrl": "PHOTO", "prompt": "a hat", "mask": "MASK", "editType": "inpaint"},
}
COMMANDS = [
    command
    for block in of("docs/api.md", "bash")
    for command in block.commands
    if command.startswith(("curl", "python"))
]

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the page is for bash"),
    pytest.mark.skipif(not all(map(shutil.which, ("bash", "curl", "base64"))), reason="needs bash, curl and base64"),
]


class Able(FakeBackend):
    """An engine that knows the page's model, and what a picture shows."""

    async def capabilities(self):
        models = (ModelInfo(name="flux-dev", title="flux-dev"), ModelInfo(name="flux-schnell", title="flux-schnell"))
        return Capabilities(modes=frozenset({Mode.TXT2IMG}), models=models, supports_describe=True)

    async def describe(self, image):
        return "a blue square"


@asynccontextmanager
async def listening(folder, **environ):
    async with site_at(folder / "easel", **environ) as site:
        server = WebServer(site.app, [socket := bind("127.0.0.1", 0, is_chosen=True)])
        await server.start()
        try:
            yield site, f"http://127.0.0.1:{socket.getsockname()[1]}"
        finally:
            await server.stop()


def lay_files(folder):
    photo, mask = png(64, 64), png(64, 64, "#ffffff")
    (folder / "photo.png").write_bytes(photo)
    (folder / "mask.png").write_bytes(mask)
    urls = {name: f"data:image/png;base64,{base64.b64encode(data).decode()}"
            for name, data in (("PHOTO", photo), ("MASK", mask))}  # fmt: skip
    for name, body in BODIES.items():
        (folder / name).write_text(json.dumps({field: urls.get(str(value), value) for field, value in body.items()}))


async def filled(command, site):
    """Put the ids of real things in the places of the page's."""
    if JOB in command:
        await site.web.services.generation.submit(Draft(prompt="a fox", **SMALL), HERE, job_id=JOB)
        return command
    if "/api/jobs/ID" in command:
        answer = await site.client.post("/api/jobs", json={"prompt": "a red fox", "steps": 4} | SMALL)
        job_id = answer.json()["jobs"][0]["id"]
        if "/preview" in command:
            await has_preview(site, job_id)
        return command.replace("ID", job_id)
    if "/comparisons/ID" in command:
        comparison = await site.client.post("/api/comparisons", json={"prompt": "a fox", "engines": COMPARED} | SMALL)
        command = command.replace("ID", comparison.json()["id"])
    if "/collections/ID" in command:
        collection = (await site.client.post("/api/collections", json={"name": "Foxes"})).json()
        command = command.replace("/collections/ID", f"/collections/{collection['id']}")
    if "ID" in command or "<id>" in command:
        picture = (await site.draw())["images"][0]["id"]
        command = command.replace("<id>", picture).replace("/ID", f"/{picture}").replace('"ID"', f'"{picture}"')
    return command


async def has_preview(site, job_id):
    async with asyncio.timeout(20):
        async for view in site.web.services.generation.watch(job_id):
            if view.progress and view.progress.preview:
                return


async def bash(command, folder, base):
    """Run it as typed; curl says on stderr what the server answered, whatever becomes of its output."""
    script = f'curl() {{ command curl -sS -w "%{{stderr}}%{{http_code}}\\n" "$@"; }}\n{command}'
    path = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": path, "BASE": base, "EASEL_URL": base, "NO_PROXY": "*", "HOME": str(folder)},
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, errors = await process.communicate()
    return out, errors.decode(), process.returncode


@pytest.mark.parametrize("command", COMMANDS)
async def test_each_command_does_what_it_says(command, tmp_path):
    lay_files(tmp_path)
    if "jq" in command and not shutil.which("jq"):
        pytest.skip("needs jq")
    async with listening(tmp_path, SKETCH_DELAY_S="5" if "/preview" in command else "0") as (site, base):
        if re.search("describe|analyze|load-model", command):
            site.easel.registry.add(Entry(config=BackendConfig(name="able", kind="a1111"), backend=Able("able")))
            await site.easel.registry.refresh("able")
        if "comparisons" in command:
            for name in COMPARED:
                site.easel.registry.add(Entry(config=BackendConfig(name=name, kind="a1111"), backend=FakeBackend(name)))
                await site.easel.registry.refresh(name)
        command = command.replace("scripts/", f"{ROOT}/scripts/")
        with held(site) if re.search(HELD, command) else nullcontext():
            out, errors, code = await bash(await filled(command, site), tmp_path, base)
        for job in (await site.client.get("/api/jobs?scope=active")).json()["jobs"]:
            await site.client.post(f"/api/jobs/{job['id']}/cancel")
    assert code == 0, errors
    statuses = [int(line) for line in errors.split() if line.isdigit()]
    assert all(200 <= status < 300 for status in statuses), (errors, out)
    assert statuses or command.startswith("python"), errors
    files = [path for name in ("fox.png", "fox.webp", "pictures.zip", "test_output.png") if name in command
             for path in [tmp_path / name]]  # fmt: skip
    assert all(path.stat().st_size > 100 for path in files)
