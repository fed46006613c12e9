"""`backup` and `restore` from the command line: what is shown, and what is left alone."""

import shutil
from pathlib import Path

import pytest

import main
from tests.test_cli import folder as folder
from utils.folder_lock import FolderLock


def test_a_backup_is_written_and_put_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    assert main.main(["backup", "easel.tar.gz"]) == 1
    assert "There is no database in" in capsys.readouterr().err
    main.main(["key", "create", "ci"])
    assert main.main(["backup", "easel.tar.gz"]) == 0
    shown = capsys.readouterr().out
    assert "easel.tar.gz: " in shown
    assert "keep secret.key (or SECRET_KEY) at another place" in shown
    assert main.main(["restore", "easel.tar.gz"]) == 1
    assert "has data already" in capsys.readouterr().err
    monkeypatch.setenv("DATA_DIR", str(folder / "elsewhere"))
    assert main.main(["restore", "easel.tar.gz"]) == 0
    shown = capsys.readouterr().out
    assert "Put secret.key of the old machine into DATA_DIR" in shown
    assert "Stop the Easel that the backup is of" in shown
    assert main.main(["key", "list"]) == 1
    assert "The key file secret.key is missing" in capsys.readouterr().err
    shutil.copy(folder / "data" / "secret.key", folder / "elsewhere")
    assert main.main(["key", "list"]) == 0
    assert "ci" in capsys.readouterr().out


def test_nothing_is_put_back_where_easel_is_running(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("DATA_DIR", str(folder / "data"))
    main.main(["key", "create", "ci"])
    main.main(["backup", "easel.tar.gz"])
    with FolderLock(folder / "data"):
        assert main.main(["restore", "easel.tar.gz", "--replace"]) == 1
    assert "Another Easel is already running" in capsys.readouterr().err
    assert not [*(folder / "data").glob("before-restore-*")]
