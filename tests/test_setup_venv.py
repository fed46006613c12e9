"""What `make` sets up looks first whether it can: room on the disk and a package index, one line each."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import setup_venv
from scripts.setup_venv import SetupError, ensure, need_index, need_space

ROOT = Path(__file__).parents[1]
REQUIREMENTS = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pip with an index that does not answer."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")


def test_a_disk_without_room_is_one_line_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=12 * 1024**2))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match=r"need 300 MB, but the disk of .*venv has 12 MB left\. Make room first\."):
        ensure(tmp_path / "venv", REQUIREMENTS[:1], base_python=sys.executable, exact=False)
    assert not (tmp_path / "venv").exists()
    with pytest.raises(SetupError, match="need 900 MB"):
        need_space(tmp_path / "venv", REQUIREMENTS)


def test_without_a_network_it_is_one_line(nowhere: None) -> None:
    with pytest.raises(SetupError, match="no package index answers") as caught:
        need_index(sys.executable, REQUIREMENTS)
    assert "\n" not in str(caught.value)


def test_an_environment_that_is_up_to_date_needs_neither(
    tmp_path: Path, nowhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    venv = tmp_path / "venv"
    monkeypatch.setattr(setup_venv, "need_index", lambda *_: None)
    monkeypatch.setattr(setup_venv, "_create", lambda venv, _: venv.mkdir())
    monkeypatch.setattr(setup_venv, "_install", lambda *_: None)
    ensure(venv, REQUIREMENTS, base_python=sys.executable, exact=False)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setup_venv, "version_of", lambda *_, **__: "3.11")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    ensure(venv, REQUIREMENTS, base_python=sys.executable, exact=False)
