"""The command line with an engine that charges: it draws there when it is named, and says what it cost."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import parse, run
from services.money.books import BookEntry
from tests.engines.openai_server import KEY, OpenAIServer
from tests.engines_faults.engines import ENGINES, KEYS
from utils.threads import run_in_thread

ROOT = Path(__file__).parents[1]


def generate(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {"DATA_DIR": str(folder / "data"), "PROBE_LOCAL_PORTS": "false", "PATH": "/usr/bin:/bin"} | environ
    return subprocess.run(  # our own program
        [sys.executable, str(ROOT / "main.py"), "generate", "a red fox", *words, "-o", str(folder / "fox.png")],
        cwd=folder, env=given, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "kind", "price"),
    [
        ("dalle3", "openai_images", "$0.0"), ("stability", "stability", "$0.03"), ("replicate", "replicate", "$0.003"),
        ("bfl", "bfl", "$0.03"), ("fal", "fal", "$0.01"),
    ],
)  # fmt: skip
async def test_a_picture_is_drawn_by_the_service_that_is_named(
    tmp_path: Path, word: str, kind: str, price: str
) -> None:
    engine, key = ENGINES[kind], KEYS[kind]
    async with engine.server() as server:
        url = "OPENAI_BASE_URL" if word == "dalle3" else f"{kind.upper()}_URL"
        settings = {f"{kind.upper()}_KEY": key, url: server.url}
        settings |= {"OPENAI_IMAGES_DIALECT": "openai"} if word == "dalle3" else {}
        done = await run_in_thread(lambda: generate(tmp_path, "--backend", word, "--size", "1024x1024", **settings))
        assert done.returncode == 0, done.stderr
        assert (tmp_path / "fox.png").stat().st_size > 100
        assert f"note: this costs about {price}" in done.stderr
        assert "It cost $0.0" in done.stdout
        assert engine.taken(server) == 1
        assert key not in done.stdout + done.stderr


async def test_a_price_is_named_first_and_agreed_to_by_an_option(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        settings = {
            "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": server.url, "OPENAI_IMAGES_DIALECT": "openai",
            "CONFIRM_ABOVE_USD": "0.01",
        }  # fmt: skip
        words = ("--backend", "dalle3", "--size", "1024x1024")
        asked = await run_in_thread(lambda: generate(tmp_path, *words, **settings))
        assert asked.returncode == 1
        assert "note: this costs about $0.0" in asked.stderr
        assert "is drawn only when you agree." in asked.stderr
        assert "Add --max-cost 0.0" in asked.stderr
        assert server.submitted == []
        done = await run_in_thread(lambda: generate(tmp_path, *words, "--max-cost", "$0.5", **settings))
        assert done.returncode == 0, done.stderr
        assert len(server.submitted) == 1


def test_what_was_spent_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    books = [
        BookEntry(day="2026-01-02", user_key="discord:5", lane="openai_images", jobs=2, images=3, cost_usd=0.12),
        BookEntry(day="2026-01-01", user_key="api:local", lane="stability", jobs=1, images=1, cost_usd=0.5),
    ]
    assert run(parse(["cost"]), books=books) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:3]] == [
        ["2026-01-02", "discord:5", "openai_images", "3", "$0.12"],
        ["2026-01-01", "api:local", "stability", "1", "$0.50"],
    ]
    assert lines[3] == "together: $0.62"
    assert run(parse(["cost"])) == 0
    assert capsys.readouterr().out == "Nothing was spent.\n"
