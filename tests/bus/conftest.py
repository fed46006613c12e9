"""Easel on a real NATS server; without its packages (requirements-bus.txt) these tests are skipped."""

import asyncio
import base64
import io
import json
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.build import Easel, build
from app.bus import open_bus
from config import read_settings
from store.folder import DATABASE_NAME
from tests.api.conftest import draw_small
from tests.easel_process import free_port
from tests.store.ready import lay_cache, lay_database
from tests.waiting import until

SUBJECTS = "ai.vision.imagegen"
WAIT_S = 30


class NatsServer:
    """A server that can be killed and started again at the same port, with the same store."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        self.port = free_port()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "nats.conf"
        self.extra = extra
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    async def start(self) -> None:
        from bus.server import find_server

        store = json.dumps(str(self.folder / "store"))
        self.config.write_text(
            f"listen: 127.0.0.1:{self.port}\njetstream {{ store_dir: {store}, sync_interval: always }}\n{self.extra}\n"
        )
        path = (await asyncio.to_thread(find_server)).path
        with (self.folder / "log").open("ab") as output:
            self._process = subprocess.Popen([path, "-c", str(self.config)], stdout=output, stderr=output)
        await until(self._answers, limit_s=WAIT_S)

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        line = await reader.readline()
        writer.close()
        return line.startswith(b"INFO")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


@pytest.fixture
async def server(tmp_path):
    pytest.importorskip("nats", reason="needs requirements-bus.txt: make test-bus")
    server = NatsServer(tmp_path / "nats")
    await server.start()
    yield server
    server.kill()


@asynccontextmanager
async def easel_on(folder: Path, url: str, **environ: str) -> Any:
    """Build Easel in a folder, on the bus, and start it."""
    values = {
        "DATA_DIR": str(folder), "PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "GRACEFUL_STOP": "0",
        "PUBLIC_URL": "https://easel.example", "NATS_URL": url,
    }  # fmt: skip
    settings = read_settings(folder / "none.env", values | environ)
    await lay_database(settings.storage.data_dir / DATABASE_NAME)
    await lay_cache(settings.storage.media_folder)
    easel = await build(settings)
    try:
        await open_bus(easel)
        await easel.start()
        await draw_small(easel)
        yield easel
    finally:
        await easel.queue.stop()
        await easel.close()


@pytest.fixture
async def easel(tmp_path, server):
    async with easel_on(tmp_path / "data", server.url) as opened:
        yield opened


class Caller:
    """A program on the bus, as any other writes it: nats-py and nothing of ours."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def ask(self, subject: str, /, *, headers: dict[str, str] | None = None, **values: Any) -> dict[str, Any]:
        return await self.send(subject, json.dumps(values).encode(), headers)

    async def send(self, subject: str, data: bytes, headers: dict[str, str] | None = None) -> dict[str, Any]:
        """Ask until somebody listens: Easel may be on its way."""
        import nats.errors

        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    answer = await self.client.request(f"{SUBJECTS}.{subject}", data, timeout=WAIT_S, headers=headers)
                    return json.loads(answer.data)
                except nats.errors.NoRespondersError:
                    await asyncio.sleep(0.05)

    async def insist(self, **values: Any) -> dict[str, Any]:
        """Ask for a picture again and again under the same id, as who waits in vain does."""
        async with asyncio.timeout(2 * WAIT_S):
            while True:
                try:
                    async with asyncio.timeout(3):
                        return await self.ask("request", **values)
                except (TimeoutError, OSError):
                    continue

    async def hear(self, subject: str) -> list[dict[str, Any]]:
        """Collect what is said under a subject from now on."""
        heard: list[dict[str, Any]] = []

        async def note(message: Any) -> None:
            heard.append(json.loads(message.data) | {"message_id": (message.headers or {}).get("Nats-Msg-Id")})

        await self.client.subscribe(f"{SUBJECTS}.{subject}", cb=note)
        await self.client.flush()
        return heard


@asynccontextmanager
async def caller_at(url: str, **options: Any) -> Any:
    import nats

    async def quiet(error: Exception) -> None:
        pass

    client = await nats.connect(
        url, error_cb=quiet, max_reconnect_attempts=-1, reconnect_time_wait=0.1, pending_size=64 * 1024**2, **options
    )
    try:
        yield Caller(client)
    finally:
        await client.close()


@pytest.fixture
async def caller(server):
    async with caller_at(server.url) as opened:
        yield opened


def picture_in(answer: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(answer["image_bytes_b64"], validate=True)))


SMALL = {"width": 64, "height": 64, "num_inference_steps": 4}
__all__ = ["SMALL", "Caller", "Easel", "NatsServer", "caller_at", "easel_on", "picture_in"]
