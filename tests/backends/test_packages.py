"""An engine that comes with Easel as a package: found where it lies, by its entry point; missed in one sentence."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.base import Instead
from app.build import build
from backends import kinds
from backends.packages import PACKAGES, entry_points_in
from config import read_settings
from generation.errors import BackendUnavailable
from generation.job import Origin
from generation.request import Draft, SourceImage
from tests.api.conftest import png, site_at

NO_ENGINE = "There is no engine here yet: connect one, or ask whoever runs Easel to set one."
HOW = "set A1111_URL in .env, or start Automatic1111 or Forge on this machine"
GROUP = kinds.ENTRY_POINT_GROUP


def lay(folder: Path, name: str, text: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder / name


def names_in(folder: Path) -> list[str]:
    return [point.name for point in entry_points_in(folder, GROUP)]


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return what is added to the path is taken away again."""
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The folder of the packages is not there."""
    monkeypatch.setattr(kinds, "PACKAGES", tmp_path / "packages")
    monkeypatch.setattr(kinds, "_kinds", {})
    kinds._load.cache_clear()
    yield
    kinds._load.cache_clear()


def test_every_package_names_engines_for_easel() -> None:
    assert names_in(PACKAGES)
    assert len(names_in(PACKAGES)) == len([folder for folder in PACKAGES.iterdir() if folder.is_dir()])


def test_a_package_is_found_where_it_lies_by_what_its_project_names(tmp_path: Path) -> None:
    folder = lay(tmp_path, "one", f'[project.entry-points."{GROUP}"]\nacme_here = "acme_here:KIND"\n')
    (folder / "acme_here.py").write_text("KIND = 'found'\n")
    (point,) = entry_points_in(tmp_path, GROUP)
    assert point.load() == "found"
    assert sys.path[-1] == str(folder), "what is installed under its name goes before it"
    assert names_in(tmp_path) == ["acme_here"]
    assert sys.path.count(str(folder)) == 1


@pytest.mark.parametrize("text", ["", "[project]\nname = 'x'\n", '[project.entry-points."other"]\nx = "x:X"\n'])
def test_a_package_that_names_no_engine_is_not_put_on_the_path(tmp_path: Path, text: str) -> None:
    folder = lay(tmp_path, "one", text)
    assert names_in(tmp_path) == []
    assert str(folder) not in sys.path


@pytest.mark.parametrize(
    "text",
    ["[project", "project = 3\n", "[project]\nentry-points = ['x']\n", f"[project.entry-points]\n'{GROUP}' = 5\n"],
)
def test_a_project_file_that_cannot_be_read_keeps_no_other_package_away(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    lay(tmp_path, "bad", text)
    lay(tmp_path, "good", f'[project.entry-points."{GROUP}"]\nacme = "acme:KIND"\n')
    with caplog.at_level(logging.ERROR):
        assert names_in(tmp_path) == ["acme"]
    (record,) = caplog.records
    assert record.getMessage().startswith("the package bad cannot be read: ")


def test_where_there_are_no_packages_the_other_engines_are_there(without_packages: None) -> None:
    assert {"a1111", "comfyui"} <= {*kinds.kind_names()}
    assert not any(kind.is_fallback and not kind.fills for kind in kinds.known_kinds()), "none that draws by itself"


async def test_without_any_engine_every_way_to_a_picture_says_so_in_one_sentence(tmp_path: Path) -> None:
    settings = read_settings(tmp_path / "none.env", {"DATA_DIR": str(tmp_path / "data"), "PROVENANCE": "off"})
    easel = await build(settings, Instead(entries=()))
    origin, services = Origin(door="api", user_id="1"), easel.services
    picture = SourceImage(media_id="x", data=png(64, 64))
    try:
        for ask in (
            services.generation.submit(Draft(prompt="a red fox"), origin),
            services.generation.submit(Draft(prompt="a red fox", backend="gpu"), origin),
            services.wording.seeing.describe(picture, origin),
            services.compare.start(Draft(prompt="a red fox"), origin, ("gpu",)),
        ):
            with pytest.raises(BackendUnavailable) as refused:
                await ask
            assert refused.value.user_message == NO_ENGINE
        assert easel.findings == (f"no engine yet: {HOW}",)
    finally:
        await easel.close()


async def test_without_any_engine_programs_read_that_it_is_not_available(
    without_packages: None, tmp_path: Path
) -> None:
    asks = {
        "/api/jobs": {"prompt": "a red fox"},
        "/v1/images/generations": {"prompt": "a red fox", "model": "gpt-image-1"},
    }
    async with site_at(tmp_path) as site:
        for path, body in asks.items():
            answer = await site.client.post(path, json=body)
            assert (answer.status_code, NO_ENGINE in answer.text) == (503, True), (path, answer.text)
        assert (await site.client.get("/readyz")).json()["status"] == "no engine answers"
        assert (await site.client.get("/api/engines")).json()["engines"] == []
