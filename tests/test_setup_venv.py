"""Setting up by `make` looks first whether it can: room on the disk and a package index, one line each."""

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


ART = ROOT / "requirements-art.txt"


class Terminal:
    """Somebody, or nobody, at the other end, with the answers that come from there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str, is_there: bool = True) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: is_there, raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: is_there, raising=False)
        monkeypatch.setattr("builtins.input", self._ask)

    def _ask(self, question: str) -> str:
        self.asked.append(question)
        return self._answers.pop(0)


@pytest.mark.parametrize(("answer", "wanted"), [("y", True), ("YES ", True), ("", False), ("n", False)])
def test_the_extra_packages_are_offered_once_with_their_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, wanted: bool
) -> None:
    terminal = Terminal(monkeypatch, answer)
    assert setup_venv.wants(tmp_path, ART) is wanted
    assert " MB" in terminal.asked[0]
    assert setup_venv.wants(tmp_path, ART) is False
    assert len(terminal.asked) == 1


def test_nobody_is_asked_where_nobody_can_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, is_there=False)
    assert not setup_venv.wants(tmp_path, ART)
    assert not terminal.asked
    assert setup_venv.wants(tmp_path, ART) is False
    assert Terminal(monkeypatch, "y").asked == []
    assert setup_venv.wants(tmp_path, ART)


def test_extra_packages_that_are_there_are_kept_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch)
    (tmp_path / setup_venv.STAMP_NAME).write_text('{"requirements-art.txt": "of an older version"}')
    assert setup_venv.wants(tmp_path, ART)
    assert not terminal.asked


def test_extra_packages_that_cannot_be_installed_keep_nothing_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(venv: Path, *_: object, **__: object) -> None:
        (venv / setup_venv.UNDER_WAY_NAME).touch()
        raise SetupError("No package index answers.")

    monkeypatch.setattr(setup_venv, "ensure", fail)
    setup_venv.add(tmp_path, [ART], base_python=sys.executable, exact=False)
    assert "No package index answers. Easel starts without them." in capsys.readouterr().err
    assert not (tmp_path / setup_venv.UNDER_WAY_NAME).exists()
