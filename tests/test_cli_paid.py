"""The command line with an engine that charges: it draws there when it is named, and says what it cost."""

import subprocess
import sys
from pathlib import Path

from tests.engines.openai_server import KEY, OpenAIServer
from utils.threads import run_in_thread

ROOT = Path(__file__).parents[1]


def generate(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {"DATA_DIR": str(folder / "data"), "PROBE_LOCAL_PORTS": "false", "PATH": "/usr/bin:/bin"} | environ
    return subprocess.run(  # our own program
        [sys.executable, str(ROOT / "main.py"), "generate", "a red fox", *words, "-o", str(folder / "fox.png")],
        cwd=folder, env=given, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


async def test_a_picture_is_drawn_by_the_service_that_is_named(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        settings = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url, "OPENAI_IMAGES_DIALECT": "openai"}
        done = await run_in_thread(lambda: generate(tmp_path, "--backend", "dalle3", "--size", "1024x1024", **settings))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "fox.png").stat().st_size > 100
        assert server.submitted[0]["model"] == "gpt-image-2.6-flare"
        assert KEY not in done.stdout + done.stderr
