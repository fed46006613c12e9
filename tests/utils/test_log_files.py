"""The log in a folder: the same lines as shown, without secrets, in files that end."""

import json
import logging
import stat
import threading
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from app.source import SettingsSource
from utils.logger import LogFile, setup_logging


@pytest.fixture(autouse=True)
def after() -> Iterator[None]:
    root, level = logging.getLogger(), logging.getLogger().level
    before = list(root.handlers)
    yield
    for handler in set(root.handlers) - set(before):
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def end() -> None:
    """Write what is left, as the end of a process does."""
    setup_logging("INFO", "text", [], StringIO())


def test_the_file_gets_the_lines_without_secrets_and_is_its_owners(tmp_path: Path):
    shown = StringIO()
    file = LogFile(path=tmp_path / "easel.log", most_bytes=10_000, kept=2)
    setup_logging("INFO", "json", ["hush"], shown, file=file, shown="ERROR")
    try:
        raise ValueError("with hush in it")
    except ValueError:
        logging.getLogger("test").exception("failed for %s", "hush", extra={"job": "3f9a"})
    logging.getLogger("test").info("only there")
    end()
    lines = (tmp_path / "easel.log").read_text().splitlines()
    assert shown.getvalue().splitlines() == lines[:1]
    first = json.loads(lines[0])
    assert first["message"] == "failed for ***"
    assert first["job"] == "3f9a"
    assert "ValueError: with *** in it" in first["exception"]
    assert json.loads(lines[1])["message"] == "only there"
    assert stat.S_IMODE((tmp_path / "easel.log").stat().st_mode) == 0o600


def test_full_files_are_renamed_and_only_some_are_kept(tmp_path: Path):
    setup_logging("INFO", "text", [], StringIO(), file=LogFile(path=tmp_path / "easel.log", most_bytes=500, kept=2))
    for number in range(60):
        logging.getLogger("test").info("line %d", number)
    end()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["easel.log", "easel.log.1", "easel.log.2"]
    assert all(path.stat().st_size <= 500 for path in tmp_path.iterdir())
    assert (tmp_path / "easel.log").read_text().endswith("line 59\n")


def test_nobody_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    setup_logging("INFO", "text", [], StringIO(), file=LogFile(path=tmp_path / "easel.log", most_bytes=500, kept=2))
    (handler,) = (item for item in logging.getLogger().handlers if hasattr(item, "_target"))
    slow = threading.Event()
    monkeypatch.setattr(type(handler._target), "shouldRollover", lambda *_: slow.wait() and False)
    logging.getLogger("test").info("said while the disk hangs")
    assert not (tmp_path / "easel.log").read_text()
    slow.set()
    end()
    assert "said while the disk hangs" in (tmp_path / "easel.log").read_text()


def test_a_file_that_cannot_be_written_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    setup_logging("INFO", "text", [], StringIO(), file=LogFile(path=tmp_path / "easel.log", most_bytes=500, kept=2))
    (handler,) = (item for item in logging.getLogger().handlers if hasattr(item, "_target"))
    handler._target.stream.close()
    for __ in range(3):
        logging.getLogger("test").info("lost")
    end()
    assert capsys.readouterr().err.count("The log file cannot be written") == 1


def test_the_folder_is_inside_the_data_folder_and_a_bad_one_changes_nothing(tmp_path: Path):
    environ = {"DATA_DIR": str(tmp_path / "data"), "LOG_DIR": "logs"}
    source = SettingsSource(tmp_path / "none", environ)
    source.set_logging(source.read())
    assert (tmp_path / "data" / "logs" / "easel.log").exists()
    before = list(logging.getLogger().handlers)
    (tmp_path / "data" / "taken").touch()
    environ["LOG_DIR"] = "taken"
    with pytest.raises(OSError, match="taken"):
        source.set_logging(source.read())
    assert logging.getLogger().handlers == before
    source.keeps_log = False
    source.set_logging(source.read())  # a command that only looks writes none
