"""An engine that another package brings is as much an engine as those that come with Easel; nothing else knows it."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from app import checkup
from backends import kinds
from backends.probe import probe_local
from backends.quality import RULES, read_answers
from config import read_settings
from scripts.check_quality import problems
from services.engines.connections import connectable_types, label_for
from tests.api.conftest import png, site_at
from tests.backends.products import answer
from tests.net.servers import serve
from tests.test_config import problems_of

ROOT = Path(__file__).parent.parent
PLUGIN = Path(__file__).parent / "plugin"
ALL_BUT_PREVIEW = "\n".join(f'[{rule.name}]\nexempt = "x"' for rule in RULES if rule.name != "preview")


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package: its folder is on the path, with what a package manager leaves beside it."""
    monkeypatch.syspath_prepend(PLUGIN)
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds._load.cache_clear()
    yield
    kinds._load.cache_clear()


@pytest.fixture
async def acme() -> AsyncIterator[tuple[str, list[str]]]:
    """An Acme server: its address, and what it was asked."""
    asked: list[str] = []

    async def draw(request: web.Request) -> web.Response:
        asked.append(request.query_string)
        return web.Response(body=png(64, 64), content_type="image/png")

    routes = {"/about": answer({"acme": "3.1"}), "/models": answer([{"name": "gloss-xl"}]), "/draw": draw}
    async with serve(routes) as port:
        yield f"http://127.0.0.1:{port}", asked


@pytest.mark.usefixtures("plugin")
def test_its_address_alone_makes_an_engine(tmp_path: Path) -> None:
    (engine,) = read_settings(tmp_path / "none.env", {"ACME_URL": "http://127.0.0.1:7777"}).engines.configured
    assert (engine.name, engine.kind) == ("acme", "acme")
    (engine,) = read_settings(
        tmp_path / "none.env", {"BACKENDS": "a", "A_KIND": "acme_pro", "A_URL": "http://h"}
    ).engines.configured
    assert engine.kind == "acme"


@pytest.mark.usefixtures("plugin")
def test_its_options_are_checked_like_settings(tmp_path: Path) -> None:
    problem = problems_of(ACME_URL="http://127.0.0.1:7777", ACME_GLOSS="lots")["ACME_GLOSS"]
    assert str(problem) == "ACME_GLOSS=lots: must be a whole number, 1 to 9"
    env = tmp_path / ".env"
    env.write_text("ACME_URL=http://127.0.0.1:7777\nACME_GLOS=3\n")
    expected = "ACME_GLOS in .env is not a setting of an acme engine. Did you mean ACME_GLOSS?"
    assert read_settings(env, {}).warnings == (expected,)


@pytest.mark.usefixtures("plugin")
def test_people_may_connect_one() -> None:
    assert {"acme", "acme_pro", "forge"} <= {*connectable_types()}
    assert label_for("Mia", "acme_pro") == "Mia's Acme Pro"


@pytest.mark.usefixtures("plugin")
async def test_the_doctor_tests_it_layer_by_layer(acme, tmp_path: Path) -> None:
    url, _ = acme
    settings = read_settings(tmp_path / "none.env", {"ACME_URL": url, "DATA_DIR": str(tmp_path)})
    settings = settings.changed(engines={"probe_local_ports": False})
    found = {check.name: check for check in await checkup.checks(settings)}
    assert (found["acme"].is_ok, found["acme"].message) == (True, "Connection OK: Acme 3.1, 1 model.")


@pytest.mark.usefixtures("plugin")
async def test_it_is_found_on_this_machine(acme) -> None:
    port = int(acme[0].rsplit(":", 1)[1])
    (found,) = await probe_local((port,))
    assert (found.kind, found.is_usable, found.message) == ("acme", True, f"found Acme 3.1 at {port}")
    assert 7777 in kinds.usual_ports()


@pytest.mark.usefixtures("plugin")
async def test_the_studio_offers_it_connects_it_and_draws_on_it(acme, tmp_path: Path) -> None:
    url, asked = acme
    async with site_at(tmp_path) as site:
        offered = {kind["kind"]: kind for kind in (await site.client.get("/api/kinds")).json()["kinds"]}
        assert (offered["acme"]["title"], offered["acme"]["needs_url"]) == ("Acme Easel", True)
        made = await site.client.post("/api/engines", json={"kind": "acme", "url": url})
        assert made.status_code == 201, made.text
        engine = made.json()
        assert (engine["label"], engine["kind_title"], engine["grade"]) == ("Acme", "Acme Easel", "")
        job = await site.draw(backend=engine["name"])
    assert (job["status"], job["engine"]) == ("done", "Acme")
    assert asked == ["gloss=1&seed=5"]


@pytest.mark.usefixtures("plugin")
def test_its_package_answers_for_its_grade(monkeypatch: pytest.MonkeyPatch) -> None:
    path = PLUGIN / "acme_easel" / "quality.toml"
    assert kinds.grade_of_kind("acme") == "", "the contract is still to do"
    assert all(item.endswith("needs tests, exempt or todo") for item in problems(path.parent))
    for text, grade in ((ALL_BUT_PREVIEW, "silver"), ("[contract]\ndone = 1", "")):
        monkeypatch.setattr("backends.kinds.answers_of", lambda package, text=text: read_answers(text))
        kinds._grade_in.cache_clear()
        assert kinds.grade_of_kind("acme") == grade
    kinds._grade_in.cache_clear()


@pytest.mark.usefixtures("plugin")
def test_a_package_that_fails_keeps_no_engine_away(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert {"acme", "sketch"} <= {*kinds.kind_names()}
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "the engine acme_broken of another package could not be loaded: No module named 'acme_gone'",
        "the engine acme_odd of another package is no EngineKind: acme_easel:AcmeBackend",
    ]


async def test_a_process_of_its_own_draws_on_it(acme, tmp_path: Path) -> None:
    url, asked = acme
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PLUGIN), "PROBE_LOCAL_PORTS": "false", "WEB": "false",
               "ACME_URL": url, "ACME_GLOSS": "7"}  # fmt: skip
    command = (sys.executable, str(ROOT / "main.py"), "generate", "a red fox --seed 3", "-o", "fox.png")
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    reply, _ = await process.communicate()
    assert process.returncode == 0, reply.decode()
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
    assert asked == ["gloss=7&seed=3"]
