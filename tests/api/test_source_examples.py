"""The examples of the systems Easel unites, byte for byte as their documents print them, at the ports they name.

The documents are not ours to copy: the tests read `shared/sources-examples` beside the repository and are skipped
without it. `test_dialect_examples.py` holds clients of our own for the same routes, which always run.
"""

import asyncio
import base64
import io
import json
import os
import shutil
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from PIL import Image

from api.server import WebServer
from api.sockets import bind
from generation.job import Origin
from generation.request import Draft
from tests.api.conftest import png, site_at
from tests.engines import openai_server, replicate_server, stability_server, text_servers
from tests.engines.openai_server import OpenAIServer
from tests.engines.replicate_server import ReplicateServer
from tests.engines.stability_server import StabilityServer
from tests.engines.text_servers import AnthropicServer

ROOT = Path(__file__).parents[2]
SOURCES = next((home / "shared" / "sources-examples" for home in ROOT.parents
                if (home / "shared" / "sources-examples").is_dir()), None)  # fmt: skip
LOCK = Path("/tmp/easel-tests-ports.lock")  # one for all runs of the tests on this machine
PORTS = (3003, 8005)
JOB = Origin(door="api", user_id="local", user_name="You")

pytestmark = [
    pytest.mark.skipif(SOURCES is None, reason="needs shared/sources-examples beside the repository"),
    pytest.mark.skipif(sys.platform != "linux", reason="the examples are for bash"),
]


def text_of(name: str) -> str:
    return (SOURCES / name).read_text()


@asynccontextmanager
async def served(folder: Path, **environ: str):
    """Serve Easel at the ports that the documents name; one test at a time, since there is one of each."""
    fcntl = pytest.importorskip("fcntl")
    with LOCK.open("w") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        listening = []
        try:
            for port in PORTS:
                listening.append(bind("127.0.0.1", port, is_chosen=True))
        except Exception as error:  # whatever it is, it has the port
            for item in listening:
                item.close()
            pytest.skip(f"port {port} of the documents is taken: {error}")
        async with site_at(folder / "easel", MAX_RUNNING_PER_USER="4", **environ) as site:
            server = WebServer(site.app, listening)
            await server.start()
            try:
                yield site
            finally:
                await server.stop()


async def run(*command: str, folder: Path, stdin: str = "", ends: bool = True) -> str:
    """Run a program and return what it wrote; it must end well, unless it goes on for ever."""
    if (program := shutil.which(command[0])) is None:
        pytest.skip(f"needs {command[0]}")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    process = await asyncio.create_subprocess_exec(
        program, *command[1:], cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"NO_PROXY": "*", "no_proxy": "*", "PATH": path, "TERM": "xterm"},
    )  # fmt: skip
    async with asyncio.timeout(120):
        out, errors = await process.communicate(stdin.encode())
    assert not ends or process.returncode == 0, errors.decode()
    return out.decode()


async def shell(name: str, folder: Path) -> str:
    needs("curl", "jq", "base64")
    return await run("bash", "-e", str(SOURCES / name), folder=folder)


def needs(*tools: str) -> None:
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}")


async def ended(site, reported: str) -> list[dict]:
    """Wait for the jobs in the answers that a script printed, one after the other."""
    answers, decoder, text = [], json.JSONDecoder(), reported.strip()
    while text:
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:].lstrip()
    for answer in answers:
        assert answer["status"] in ("queued", "completed"), answer  # completed: the same was drawn before
        await site.ended(answer["id"])
    return [(await site.client.get(f"/jobs/{answer['id']}")).json() for answer in answers]


def picture(job: dict, number: int = 0) -> Image.Image:
    head, _, data = job["result"]["images"][number].partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))


async def test_a_picture_by_curl(tmp_path):
    async with served(tmp_path) as site:
        (job,) = await ended(site, await shell("S4-13.sh", tmp_path))
    assert (job["status"], picture(job).size) == ("completed", (512, 512))
    assert job["request"]["prompt"] == "A serene lake surrounded by mountains at sunset"


async def test_the_state_of_a_job_by_curl_and_in_a_loop_until_it_is_completed(tmp_path):
    async with served(tmp_path) as site:
        for name in ("job_1699363200000_abc123", "job_123"):
            await site.web.services.generation.submit(Draft(prompt="a fox", width=64, height=64), JOB, job_id=name)
        assert json.loads(await shell("S4-14.sh", tmp_path))["id"] == "job_1699363200000_abc123"
        await shell("S4-15.sh", tmp_path)  # ends when it is completed
        assert (await site.client.get("/jobs/job_123")).json()["status"] == "completed"


async def test_the_same_seed_gives_the_same_picture_without_a_content_type(tmp_path):
    async with served(tmp_path) as site:
        (first,) = await ended(site, await shell("S4-16.sh", tmp_path))
        (second,) = await ended(site, await shell("S4-16.sh", tmp_path))
    assert (first["status"], first["result"]["seed"]) == ("completed", 42)
    assert first["result"]["images"] == second["result"]["images"]
    assert first["request"]["steps"] == 30


async def test_a_batch_of_five_seeds_in_a_loop(tmp_path):
    async with served(tmp_path) as site:
        jobs = await ended(site, await shell("S4-17.sh", tmp_path))
    assert [job["result"]["seed"] for job in jobs] == [1, 2, 3, 4, 5]
    assert len({job["result"]["images"][0] for job in jobs}) == 5


async def test_a_picture_from_a_picture(tmp_path):
    (tmp_path / "input.png").write_bytes(png(96, 64, "#804020"))
    async with served(tmp_path) as site:
        (job,) = await ended(site, await shell("S4-18.sh", tmp_path))
    assert (job["status"], job["type"], picture(job).size) == ("completed", "img2img", (96, 64))
    assert job["request"]["strength"] == 0.6


async def test_a_part_of_a_picture_drawn_anew(tmp_path):
    (tmp_path / "image.png").write_bytes(png(96, 96, "#804020"))
    mask = Image.new("L", (96, 96), 0)
    mask.paste(255, (48, 0, 96, 96))
    mask.save(tmp_path / "mask.png")
    async with served(tmp_path) as site:
        (job,) = await ended(site, await shell("S4-19.sh", tmp_path))
    made = picture(job).convert("RGB")
    assert (job["status"], job["type"], made.size) == ("completed", "inpaint", (96, 96))
    assert made.getpixel((4, 48)) == (0x80, 0x40, 0x20)


async def test_a_watch_over_the_queue(tmp_path):
    needs("timeout", "watch", "curl", "jq")
    async with served(tmp_path):
        out = await run("timeout", "2", "bash", str(SOURCES / "S4-20.sh"), folder=tmp_path, ends=False)
    assert "queuedJobs" in out


async def test_the_python_client_that_takes_a_data_url_for_base64_is_served_by_a_switch(tmp_path):
    pytest.importorskip("requests")
    async with served(tmp_path, COMPAT_BASE64="true"):
        await run(sys.executable, str(SOURCES / "S4-28.py"), folder=tmp_path)
    with Image.open(tmp_path / "output.png") as made:
        assert (made.format, made.size) == ("PNG", (512, 512))


async def test_the_javascript_client(tmp_path):
    show = (
        '\ngenerateImage("A beautiful landscape").then((image) => console.log(image));\n'  # the document ends before it
    )
    async with served(tmp_path):
        out = await run("node", "--input-type=module", "-", folder=tmp_path, stdin=text_of("S4-29.js") + show)
    assert out.startswith("data:image/png;base64,")
    assert Image.open(io.BytesIO(base64.b64decode(out.strip().partition(",")[2]))).format == "PNG"


async def test_the_flux_services_script_and_its_curl(tmp_path):
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    async with served(tmp_path):
        await shell("S3-04.sh", tmp_path)
        if socket.socket().connect_ex(("127.0.0.1", 8484)):  # else the script would ask whoever that is
            await shell("S3-03.sh", tmp_path)
    for name in ("dragon.png", "test_output.png"):
        if name == "dragon.png" or (tmp_path / name).exists():
            with Image.open(tmp_path / name) as made:
                assert (made.format, made.size) == ("PNG", (1024, 1024))


def request_of(name: str) -> tuple[str, str, dict[str, str], str]:
    head, _, body = text_of(name).partition("\n\n")
    first, *lines = head.strip().splitlines()
    method, target = first.split()
    return method, target, dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("name", "status", "field"),
    [
        ("S2-04.http", 404, "error"),  # no such provider is connected: said in a sentence
        ("S2-09.http", 200, "enhancedPrompt"),
        ("S2-12.http", 200, "images"),
        ("S2-13.http", 200, "providers"),
        ("S2-14.http", 200, "status"),
    ],
)
async def test_the_image_studios_requests(tmp_path, name, status, field):
    method, target, headers, body = request_of(name)
    async with served(tmp_path), httpx.AsyncClient(base_url="http://localhost:3003", trust_env=False) as client:
        answer = await client.request(method, target, headers=headers, content=body)
    assert (answer.status_code, field in answer.json()) == (status, True), answer.text


PAYING = {"DEFAULT_PROVIDER": "dalle3", "OPENAI_IMAGES_DIALECT": "openai", "OPENAI_IMAGES_PAUSE": "0"}


@asynccontextmanager
async def studio_with_its_providers(folder: Path):
    """Serve Easel with the source's own settings; the services are stand-ins that refuse what is not documented."""
    async with (
        OpenAIServer() as openai, StabilityServer() as stability, ReplicateServer() as replicate,
        AnthropicServer() as words,
    ):  # fmt: skip
        values = dict(line.partition("  #")[0].split("=", 1) for line in text_of("S2-02.env").splitlines()
                      if "=" in line)  # fmt: skip
        keys = (openai_server.KEY, stability_server.KEY, replicate_server.KEY, text_servers.KEY)
        names = ("OPENAI_API_KEY", "STABILITY_API_KEY", "REPLICATE_API_TOKEN", "ANTHROPIC_API_KEY")
        assert {*names} < values.keys()
        places = {
            "OPENAI_BASE_URL": f"{openai.url}/v1", "STABILITY_URL": stability.url, "REPLICATE_URL": replicate.url,
            "ANTHROPIC_BASE_URL": words.url, "IMAGE_STORAGE_PATH": str(folder / "pictures"),
        }  # fmt: skip
        async with served(folder, **values | dict(zip(names, keys, strict=True)) | places | PAYING) as site:
            yield site, words, {"dalle3": openai, "stability": stability, "replicate": replicate}


def matrix_of(can: dict, *rows: str) -> set[tuple[bool, ...]]:
    """Return what the three do of a row of the document's table."""
    return {tuple(can[name][row] for name in ("openai_images", "stability", "replicate")) for row in rows}


async def test_the_image_studios_document_with_its_three_providers(tmp_path):
    async with (
        studio_with_its_providers(tmp_path) as (site, words, servers),
        httpx.AsyncClient(base_url="http://localhost:3003", trust_env=False, timeout=60) as client,
    ):

        async def ask(name: str, **changes: object) -> dict:
            method, target, headers, body = request_of(name)
            if body.strip():
                body = json.dumps(json.loads(body) | changes)
            answer = await client.request(method, target.replace("user123", "api:local"), headers=headers, content=body)
            assert answer.status_code == 200, (name, answer.text)
            return answer.json()

        documented = json.loads(text_of("S2-05.json"))
        for provider, server in servers.items():
            drawn = await ask("S2-04.http", provider=provider)
            assert documented.keys() <= drawn.keys()
            (picture,) = drawn["images"]
            assert documented["images"][0].keys() <= picture.keys()
            assert (drawn["success"], drawn["count"]) == (True, 1)
            assert picture["size"] == ("1216x1216" if provider == "stability" else "1024x1024")  # as it came
            assert len(server.jobs) == 1
        own = {"imageUrl": picture["url"]}
        mask = base64.b64encode(png(64, 64, "white")).decode()
        edited = await ask("S2-06.http", **own, mask=mask)
        assert len(servers["dalle3"].jobs) == 2, edited
        assert (await ask("S2-07.http", **own))["count"] == 4
        for scale, provider in ((2, "stability"), (2, "replicate"), (4, "replicate")):
            small = await client.post("/api/images/generate", json={"prompt": "a fox", "size": "512x512",
                                                                    "provider": "replicate"})  # fmt: skip
            small_url = small.json()["images"][0]["url"]
            large = await ask("S2-08.http", imageUrl=small_url, scale=scale, provider=provider)
            assert large["images"][0]["size"] in {f"{512 * scale}x{512 * scale}"}
        fuller = await ask("S2-09.http")
        assert json.loads(text_of("S2-10.json")).keys() <= fuller.keys()
        assert all((fuller["enhancedPrompt"], fuller["suggestions"], fuller["tags"]))
        words.usual = {"prompt": "a lake", "alt": "A lake.", "tags": ["lake"]}
        seen = await ask("S2-11.http", **own)
        assert (seen["success"], seen["analysis"], seen["tags"]) == (True, "a lake", ["lake"])
        past = await ask("S2-12.http")
        assert len(past["images"]) >= 8
        listed = {item["name"]: item for item in (await ask("S2-13.http"))["providers"]}
        can = {name: item["capabilities"] for name, item in listed.items()}
        assert matrix_of(can, "textToImage", "imageToImage", "inpainting", "variations") == {(True, True, True)}
        assert matrix_of(can, "upscaling", "styleTransfer") <= {(False, True, True), (True, True, True)}
        health = await ask("S2-14.http")
        assert "status" in health
        books = (await client.get("/api/costs")).json()["costs"]  # what S2-15.sql asks for
        spent = {entry["engine"]: (entry["images"], entry["cost_usd"]) for entry in books}
        assert {"openai_images", "stability", "replicate"} <= spent.keys()
        assert all(images and cost > 0 for engine, (images, cost) in spent.items() if engine in listed)
        assert [entry["day"] for entry in books] == sorted((entry["day"] for entry in books), reverse=True)
        assert {entry["user"] for entry in books} == {"You"}
        drawn = await site.easel.database.fetch("SELECT count(*) AS many FROM generated_images WHERE cost_usd > 0")
        assert drawn[0]["many"] == sum(images for engine, (images, __) in spent.items() if engine in listed)
