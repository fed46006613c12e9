"""`python main.py doctor` asks every engine that is set, those at a public address too."""

from pathlib import Path

import pytest

import main
from backends.base import BackendConfig
from backends.diagnose import Diagnosis
from config import BackendSettings, Settings
from tests.engines.gradio_app import GradioApp
from tests.engines.grid_server import GridServer
from tests.engines.horde_server import HordeServer


def settings_in(folder: Path, *engines: BackendSettings) -> Settings:
    settings = Settings.model_validate({"data_dir": folder, "probe_local_ports": False})
    return settings.model_copy(update={"engines": engines})


async def test_each_engine_is_tested_by_its_own_api(tmp_path: Path) -> None:
    async with HordeServer() as horde, GridServer() as grid, GradioApp(auth="mia:right") as app:
        engines = (
            BackendSettings(name="horde", kind="ai_horde", url=horde.url),
            BackendSettings(name="grid", kind="aipowergrid", url=grid.url, key="grid_wrong"),
            BackendSettings(name="flux", kind="gradio_flux", url=app.url, key="mia:right"),
        )
        found = {one.name: one for one in await main.checks(settings_in(tmp_path, *engines))}
    assert (found["horde"].is_ok, found["horde"].message) == (True, "Connection OK: AI Horde 5.1.5, 2 models.")
    assert (found["grid"].is_ok, found["grid"].message) == (False, "The server refuses the key (401).")
    assert found["flux"].is_ok
    assert "grid_wrong" not in str(found)


async def test_one_without_an_address_is_asked_at_its_public_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def diagnose(config: BackendConfig) -> Diagnosis:
        asked.append(config.kind)
        return Diagnosis(steps=(), is_ok=True, message="Connection OK.")

    monkeypatch.setattr(main, "diagnose", diagnose)
    engines = [BackendSettings(name=kind, kind=kind, key="grid_x") for kind in ("ai_horde", "aipowergrid", "sketch")]
    await main.checks(settings_in(tmp_path, *engines))
    assert asked == ["ai_horde", "aipowergrid"]
