"""`python main.py doctor` asks every engine that is set, those at a public address too."""

import shutil
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.fernet import Fernet

import main
from app import build, checkup
from backends.base import BackendConfig
from backends.diagnose import Diagnosis
from config import Settings
from console import doctor
from console.doctor import Check, packages_of
from settings.engines import BackendSettings
from store.folder import PartMissing
from tests.engines.gradio_app import GradioApp
from tests.engines.grid_server import GridServer
from tests.engines.horde_server import HordeServer
from utils.folder_lock import FolderLock


def settings_in(folder: Path, *engines: BackendSettings, **changes: object) -> Settings:
    given: dict[str, Any] = {"web": {"is_on": False}, **changes}
    given["storage"] = {"data_dir": folder, **given.get("storage", {})}
    return Settings().changed(engines={"probe_local_ports": False, "configured": engines}, **given)


async def test_each_engine_is_tested_by_its_own_api(tmp_path: Path) -> None:
    async with HordeServer() as horde, GridServer() as grid, GradioApp(auth="mia:right") as app:
        engines = (
            BackendSettings(name="horde", kind="ai_horde", url=horde.url),
            BackendSettings(name="grid", kind="aipowergrid", url=grid.url, key="grid_wrong"),
            BackendSettings(name="flux", kind="gradio_flux", url=app.url, key="mia:right"),
        )
        found = {item.name: item for item in await checkup.checks(settings_in(tmp_path, *engines))}
    assert (found["horde"].is_ok, found["horde"].message) == (True, "Connection OK: AI Horde 5.1.5, 2 models.")
    assert (found["grid"].is_ok, found["grid"].message) == (False, "The server refuses the key (401).")
    assert found["flux"].is_ok
    assert "grid_wrong" not in str(found)


async def test_one_engine_is_tested_alone_step_by_step(tmp_path: Path) -> None:
    async with HordeServer() as horde, GridServer() as grid:
        engines = (
            BackendSettings(name="horde", kind="ai_horde", url=horde.url),
            BackendSettings(name="grid", kind="aipowergrid", url=grid.url, key="grid_wrong"),
        )
        settings = settings_in(tmp_path, *engines)
        good, bad = [await checkup.engine_checks(settings, name) for name in ("HORDE", "aipowergrid")]
        inside, nothing = [await checkup.engine_checks(settings, name) for name in ("sketch", "nothing")]
    assert good[-1].message == "Connection OK: AI Horde 5.1.5, 2 models."
    assert len(good) > 3
    assert all(check.is_ok for check in good)
    assert [check.is_ok for check in bad][-2:] == [False, False]
    assert bad[-1].message == "The server refuses the key (401)."
    assert "grid_wrong" not in str(bad)
    assert inside[0].is_ok
    assert (nothing[0].is_ok, nothing[0].hint) == (False, "There are: horde, grid, sketch.")


async def test_one_without_an_address_is_asked_at_its_public_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def diagnose(config: BackendConfig) -> Diagnosis:
        asked.append(config.kind)
        return Diagnosis(steps=(), is_ok=True, message="Connection OK.")

    monkeypatch.setattr(checkup, "diagnose", diagnose)
    engines = [BackendSettings(name=kind, kind=kind, key="grid_x") for kind in ("ai_horde", "aipowergrid", "sketch")]
    await checkup.checks(settings_in(tmp_path, *engines))
    assert asked == ["ai_horde", "aipowergrid"]


async def test_networks_that_are_not_installed_are_named_with_how_to_get_them(tmp_path: Path) -> None:
    check = (await verdicts(settings_in(tmp_path)))["neural networks"]
    assert check.is_ok
    assert "not installed" in check.message
    assert "make run ART=1" in check.message


async def verdicts(settings: Settings) -> dict[str, Check]:
    return {check.name: check for check in await checkup.checks(settings)}


async def test_a_port_that_is_taken_is_found_unless_another_will_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = (await verdicts(settings_in(tmp_path, web={"port": port})))["PORT"]
        assert not found.is_ok
        assert f"PORT={port} is in use by " in found.message
        assert "set PORT" in found.hint
        free = settings_in(tmp_path, web={"port": port})
        free.web.model_fields_set.discard("port")
        assert (await verdicts(free))["studio and API"].is_ok
        with FolderLock(tmp_path):
            assert (await verdicts(settings_in(tmp_path, web={"port": port})))["studio and API"].is_ok


@pytest.mark.parametrize("host", ["300.1.1.1", "no-such-host.invalid", "203.0.113.7", "::zz"])
async def test_an_address_that_is_not_of_this_machine_is_found(tmp_path: Path, host: str) -> None:
    found = (await verdicts(settings_in(tmp_path, web={"port": 0, "host": host})))["WEB_HOST"]
    assert (found.is_ok, found.message) == (False, f"WEB_HOST={host} is not an address of this machine.")
    assert "127.0.0.1" in found.hint


@pytest.mark.parametrize("key", ["short", "x" * 44, "ä" * 43 + "="])
async def test_a_secret_key_that_is_none_is_found_and_not_shown(tmp_path: Path, key: str) -> None:
    found = (await verdicts(settings_in(tmp_path, storage={"secret_key": key})))["SECRET_KEY"]
    assert not found.is_ok
    assert "44 URL-safe base64 characters" in found.message
    assert key not in found.message


async def test_a_right_secret_key_is_fine(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, storage={"secret_key": Fernet.generate_key().decode()})
    assert (await verdicts(settings))["SECRET_KEY"].is_ok


async def test_a_lost_key_and_a_lost_database_are_found_with_what_to_put_back(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    easel = await build.build(settings)
    await easel.cache.put(b"picture", media_type="image/png", kind="output", job_id="j")
    await easel.close()
    (tmp_path / "secret.key").rename(tmp_path / "kept")
    found = (await verdicts(settings))["data folder"]
    assert (found.is_ok, "Put secret.key back" in found.hint) == (False, True)
    with pytest.raises(PartMissing):
        await build.build(settings)
    assert not (tmp_path / "secret.key").exists()
    (tmp_path / "kept").rename(tmp_path / "secret.key")
    (tmp_path / "easel.sqlite3").unlink()
    found = (await verdicts(settings))["data folder"]
    assert (found.is_ok, "Put easel.sqlite3 back" in found.hint) == (False, True)
    with pytest.raises(PartMissing):
        await build.build(settings)
    assert not (tmp_path / "easel.sqlite3").exists()


async def test_a_database_of_a_newer_easel_is_not_blamed_on_the_disk(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    easel = await build.build(settings)
    await easel.database.write("INSERT INTO migrations (name, applied_at) VALUES ('9999_future', 0)")
    await easel.close()
    found = (await verdicts(settings))["database"]
    assert (found.is_ok, found.hint) == (False, "")
    assert found.message.endswith("Install that version again, or use another data folder.")


async def test_a_damaged_database_is_named_with_what_to_put_back(tmp_path: Path) -> None:
    (tmp_path / "easel.sqlite3").write_bytes(b"not a database at all" * 100)
    found = (await verdicts(settings_in(tmp_path)))["database"]
    assert (found.is_ok, "put easel.sqlite3 back from your backup" in found.hint) == (False, True)


async def test_a_full_disk_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 1024**2))
    found = (await verdicts(settings_in(tmp_path)))["disk of the data folder"]
    assert not found.is_ok
    assert "has only 3 MB left" in found.message


@pytest.mark.parametrize("line", ["PORT 8484", "A1111_URL: http://127.0.0.1:7860"])
def test_a_line_of_the_settings_that_cannot_be_read_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "PORT": "0"})
    (tmp_path / ".env").write_text(f"{line}\n")
    assert main.main(["doctor"]) == 1
    assert "✖ settings: Line 1 of .env cannot be read" in capsys.readouterr().out


REQUIREMENTS = """
# What Easel needs to run.

nextcord==2.6.0 ; python_version < "3.12"     # Discord
nextcord>=3.2,<4 ; python_version >= "3.12"
setuptools<82 ; python_version < "3.12"       # for nextcord; python_version is a marker
python-multipart>=0.0.20                      # files in forms
"""


@pytest.mark.parametrize(
    ("python", "needed"),
    [
        ((3, 11), ["nextcord", "setuptools", "python-multipart"]),
        ((3, 12), ["nextcord", "python-multipart"]),
        ((3, 14), ["nextcord", "python-multipart"]),
    ],
)
def test_the_packages_are_those_of_the_requirements(python: tuple[int, int], needed: list[str]) -> None:
    assert packages_of(REQUIREMENTS, python) == needed


def test_every_package_that_easel_asks_for_is_looked_for() -> None:
    lines = doctor.REQUIREMENTS.read_text("utf-8").splitlines()
    names = {line.split(">")[0].split("=")[0].split("<")[0] for line in lines if line and not line.startswith("#")}
    found = {name for python in ((3, 11), (3, 14)) for name in packages_of("\n".join(lines), python)}
    assert found == names >= {"fastapi", "uvicorn", "pydantic"}


def test_a_package_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "requirements.in").write_text("httpx>=0.28\nno-such-package>=1\n")
    monkeypatch.setattr(doctor, "REQUIREMENTS", tmp_path / "requirements.in")
    found = doctor._packages()
    assert (found.is_ok, found.message) == (False, "no-such-package missing.")
    (tmp_path / "requirements.in").unlink()
    assert not doctor._packages().is_ok
