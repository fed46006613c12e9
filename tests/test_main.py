"""The process as people start it, against the local Discord. Each start costs a second, so each test does much."""

import asyncio
import contextlib
import errno
import io
import logging
import os
import signal
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import httpx
import pytest
from pydantic import SecretStr

import main
from app import build, doors
from app import engines as app_engines
from app import main as app_main
from backends.probe import Found
from config import Settings
from generation.job import JobStatus, Origin
from generation.request import Draft
from settings.engines import BackendSettings
from store.database import Database, DatabaseTooNew
from store.migrations import easel_steps
from tests.discord_server import DiscordServer
from tests.easel_process import Begin, free_port, processes
from utils.folder_lock import FolderInUse, FolderLock

pytestmark = pytest.mark.xdist_group("processes")  # one process to fork from

MAIN = Path(main.__file__)
ORIGIN = Origin(door="console", user_id="1")
Start = Callable[..., Awaitable[asyncio.subprocess.Process]]


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Start `main.py` in an empty folder; what still runs at the end is killed."""
    started: list[asyncio.subprocess.Process] = []

    async def run(*argv: str, stdin: int = asyncio.subprocess.DEVNULL, **settings: str) -> asyncio.subprocess.Process:
        environ = {"PATH": os.environ["PATH"], "PROBE_LOCAL_PORTS": "false", "WEB": "false", **settings}
        pipe = asyncio.subprocess.PIPE
        started.append(
            await asyncio.create_subprocess_exec(
                sys.executable, str(MAIN), *argv, cwd=tmp_path, env=environ, stdin=stdin, stdout=pipe, stderr=pipe
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    """Run it in the same folder without the second that its imports take."""
    async with processes(tmp_path) as begin:
        yield partial(begin, PROBE_LOCAL_PORTS="false")


def settings_in(folder: Path, **changes: object) -> Settings:
    engines = {"probe_local_ports": False, **changes}
    return Settings().changed(storage={"data_dir": folder}, engines=engines)


async def err_of(process: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(20):
        return (await process.communicate())[1].decode()


async def test_first_start_in_an_empty_folder_makes_a_picture_from_stdin(start: Start, tmp_path: Path):
    process = await start(stdin=asyncio.subprocess.PIPE)
    async with asyncio.timeout(20):
        out, err = await process.communicate("ein roter Fuchs im Schnee, schön --size 64x64\n".encode())
    assert process.returncode == 0, err.decode()
    (picture,) = (tmp_path / "data" / "pictures").iterdir()
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert b"Saved data/pictures/ein-roter-fuchs" in out
    assert (tmp_path / ".env").read_bytes() == MAIN.with_name(".env.example").read_bytes()
    assert b"Traceback" not in err


async def test_bot_starts_refuses_a_second_process_and_stops_in_order(
    start: Start, begin: Begin, discord: DiscordServer, tmp_path: Path
):
    settings = {"DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url}
    bot = await start(**settings)
    await discord.wait_for(lambda: "generate" in discord.commands.names(), 15)
    second, looker = begin(**settings, log="second"), begin("queue", log="looker")
    assert "Another Easel is already running" in await second.said()
    assert second.returncode == 1
    assert await looker.said() == "Nothing waits and nothing runs.\n"
    bot.send_signal(signal.SIGTERM)
    err = await err_of(bot)
    assert bot.returncode == 0, err
    assert "Traceback" not in err
    assert discord.token not in err
    kept = {path.name for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert kept == {"easel.lock", "easel.sqlite3", "secret.key", "cache.sqlite3"}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


async def test_a_wrong_token_is_one_sentence_and_the_end_where_nothing_else_is_served(
    begin: Begin, discord: DiscordServer
):
    wrong = begin(DISCORD_TOKEN="wrong", DISCORD_API_URL=discord.api_url, LOG_LEVEL="error")
    lines = [line for line in (await wrong.said()).splitlines() if " ERROR " in line or "Traceback" in line]
    assert wrong.returncode == 1
    assert len(lines) == 1
    assert "Discord refuses DISCORD_TOKEN." in lines[0]


async def test_a_wrong_token_leaves_the_studio_open(begin: Begin, discord: DiscordServer, tmp_path: Path):
    port = str(free_port())
    easel = begin(DISCORD_TOKEN="wrong", DISCORD_API_URL=discord.api_url, WEB="true", PORT=port)
    state = await _ready_when(port, lambda state: state["discord"] == "refused")
    assert state["status"] == "ready"
    easel.send_signal(signal.SIGTERM)
    assert "Discord refuses DISCORD_TOKEN." in await easel.said()
    assert easel.returncode == 0


async def test_without_a_network_the_studio_serves_and_discord_is_dialled_until_it_answers(
    begin: Begin, tmp_path: Path
):
    port, discord_port = str(free_port()), free_port()
    api_url = f"http://127.0.0.1:{discord_port}/api/v10"
    async with DiscordServer(port=discord_port) as probe:
        token = probe.token
    easel = begin(DISCORD_TOKEN=token, DISCORD_API_URL=api_url, WEB="true", PORT=port)
    await _ready_when(port, lambda state: state["discord"] == "waiting")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert "Discord cannot be reached." in (await client.get("/api/session")).json()["discord"]
        drawn = await client.post("/v1/images/generations", json={"prompt": "a fox", "size": "64x64"})
        assert drawn.status_code == 200
    async with DiscordServer(port=discord_port):
        await _ready_when(port, lambda state: state["discord"] == "connected")
        easel.send_signal(signal.SIGTERM)
        reply = await easel.said()
    assert easel.returncode == 0
    assert "Traceback" not in reply


async def _ready_when(port: str, is_so: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Ask /readyz until it says what is wanted."""
    async with asyncio.timeout(20), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if is_so(state := (await client.get("/readyz")).json()):
                    return state
            await asyncio.sleep(0.05)


async def test_without_the_message_content_intent_slash_commands_still_work(begin: Begin):
    async with DiscordServer(message_content=False) as discord:
        bot = begin(DISCORD_TOKEN=discord.token, DISCORD_API_URL=discord.api_url)
        await discord.wait_for(lambda: "generate" in discord.commands.names(), 15)
        bot.send_signal(signal.SIGINT)
        err = await bot.said()
    assert bot.returncode == 0, err
    assert err.count("Message Content Intent") == 1
    assert "Traceback" not in err


async def test_jobs_of_an_earlier_process_are_taken_up(tmp_path: Path):
    slow = settings_in(tmp_path, fallback_options={"sketch": {"delay_s": "5"}}).changed(queue={"grace_s": 0.0})
    first = await build.build(slow)
    await first.start()
    view = await first.services.generation.submit(Draft(prompt="fox", width=64, height=64), ORIGIN)
    await first.queue.stop()
    await first.close()
    second = await build.build(settings_in(tmp_path))
    await second.start()
    async with asyncio.timeout(10):
        states = [seen.job.status async for seen in second.services.generation.watch(view.job.id)]
    await second.queue.stop()
    await second.close()
    assert states[-1] is JobStatus.DONE


def found(port: int, title: str, *, is_usable: bool) -> Found:
    url = f"http://127.0.0.1:{port}"
    return Found(kind="a1111", url=url, title=title, port=port, is_usable=is_usable, message=f"found {title}")


async def test_what_answers_on_this_machine_is_used_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def probe() -> list[Found]:
        return [found(7860, "Forge", is_usable=True), found(7861, "Automatic1111", is_usable=False)]

    monkeypatch.setattr(app_engines, "probe_local", probe)
    entries, findings = await app_engines.find_engines(settings_in(tmp_path, probe_local_ports=True))
    assert findings == ("found Forge", "found Automatic1111")
    assert [(entry.name, entry.label, entry.is_fallback) for entry in entries] == [
        ("local7860", "Forge", False),
        ("sketch", "sketch", True),
    ]
    for entry in entries:
        await entry.backend.aclose()


async def test_engines_on_this_machine_are_found_beside_those_that_are_set(tmp_path: Path, monkeypatch):
    async def probe() -> list[Found]:
        return [found(port, "Flux", is_usable=True) for port in (7860, 7861, 8188)]

    monkeypatch.setattr(app_engines, "probe_local", probe)
    engines = (
        BackendSettings(name="grid", kind="aipowergrid", url="https://grid.example", key=SecretStr("grid_x")),
        BackendSettings(name="comfyui", kind="comfyui", url="http://localhost:8188/"),
        BackendSettings(name="forge", kind="a1111", url="http://127.0.0.1:7861"),
    )
    settings = settings_in(tmp_path, probe_local_ports=True, configured=engines)
    entries, findings = await app_engines.find_engines(settings)
    assert findings == ("found Flux",)
    assert [(entry.name, entry.is_found) for entry in entries] == [
        ("grid", False), ("comfyui", False), ("forge", False), ("local7860", True), ("sketch", False)
    ]  # fmt: skip
    for entry in entries:
        await entry.backend.aclose()


async def test_a_picture_cache_that_cannot_be_used_does_not_stop_the_start(tmp_path: Path):
    (tmp_path / "media_cache").write_text("in the way")
    easel = await build.build(settings_in(tmp_path))
    await easel.start()
    view = await easel.services.generation.submit(Draft(prompt="fox", width=64, height=64), ORIGIN)
    async with asyncio.timeout(10):
        states = [seen.job.status async for seen in easel.services.generation.watch(view.job.id)]
    await easel.queue.stop()
    await easel.close()
    assert states[-1] is JobStatus.DONE


async def test_a_data_folder_of_a_newer_easel_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    database = await Database.open(tmp_path / "data" / "easel.sqlite3", migrations={"m999_future": "SELECT 1"})
    await database.close()
    with pytest.raises(DatabaseTooNew):
        await build.build(settings_in(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {})
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers[:])
    assert await asyncio.to_thread(main.main, ["queue"]) == 1
    assert "newer version of Easel" in capsys.readouterr().err


def test_a_folder_has_one_holder_at_a_time(tmp_path: Path):
    with FolderLock(tmp_path / "data"), pytest.raises(FolderInUse, match="DATA_DIR"), FolderLock(tmp_path / "data"):
        pass
    with FolderLock(tmp_path / "data"):
        pass


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run `main.main` in an empty folder, with no settings but these."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "PORT": "0"})
    return tmp_path


COMMANDS = [("start",), ("start", "--no-web"), ("queue",), ("key", "list"), ("key", "reset"), ("workflow", "list")]


@pytest.mark.parametrize("argv", COMMANDS, ids=" ".join)
async def test_a_downgrade_is_refused_in_words_by_every_command(
    at_home: Path, argv: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    database = await Database.open(at_home / "data" / "easel.sqlite3", migrations={"m999_future": "SELECT 1"})
    await database.close()
    code = await asyncio.to_thread(_in_thread, argv)
    reply = capsys.readouterr().err
    if argv == ("start", "--no-web"):  # draws beside whatever is there
        return
    assert code == 1
    assert "was written by a newer version of Easel" in reply
    assert "Install that version again" in reply
    assert "Traceback" not in reply


def _in_thread(argv: tuple[str, ...]) -> int:
    with mock.patch("signal.signal"):  # only the main thread may set signals
        return main.main(argv)


async def test_an_upgrade_is_told_on_the_screen_once(at_home: Path, capsys: pytest.CaptureFixture[str]):
    older = {name: script for name, script in easel_steps().items() if name != "014_seals"}
    await (await Database.open(at_home / "data" / "easel.sqlite3", migrations=older)).close()
    for _ in range(2):
        assert await asyncio.to_thread(main.main, ["queue"]) == 0
    reply = capsys.readouterr().err
    assert reply.count("easel.sqlite3 was brought to the form of this version of Easel (014_seals)") == 1


def test_ctrl_c_is_heard_twice_a_second_while_easel_serves(monkeypatch: pytest.MonkeyPatch):
    waits: list[float | None] = []

    def wait(_: object, timeout: float | None = None) -> bool:
        waits.append(timeout)
        if len(waits) == 3:
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr("threading.Event.wait", wait)
    doors._stay()
    assert waits == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("error", "reply"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk that holds DATA_DIR is full."),
        (sqlite3.OperationalError("database or disk is full"), "The disk that holds DATA_DIR is full."),
    ],
    ids=repr,
)
def test_what_a_start_fails_of_is_named(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, reply: str
):
    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(app_main, "jobs_in_store", fail)
    assert main.main(["queue"]) == 1
    assert reply in capsys.readouterr().err


@pytest.mark.parametrize("host", ["300.1.1.1", "203.0.113.7"])
async def test_an_address_that_is_not_of_this_machine_is_named(begin: Begin, host: str):
    easel = begin(WEB="true", PORT="0", WEB_HOST=host)
    reply = await easel.said()
    assert f"WEB_HOST={host}: must be an address of this machine" in reply
    assert "Traceback" not in reply
    assert easel.returncode == 2


def test_a_disk_that_is_nearly_full_is_told_at_the_start(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=3 * 1024**2))
    monkeypatch.setattr(app_main, "_start", lambda *_, **__: 0)
    assert main.main([]) == 0
    assert "has only 3 MB left" in capsys.readouterr().err
