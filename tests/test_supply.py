"""Checks of what comes along: keys in files, licences and holes of packages, hashes of what is installed."""

import json
import re
import subprocess
from email.message import Message
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts import check_audit, check_licences, check_secrets, setup_venv

ROOT = Path(__file__).parent.parent
NAMES = [f"requirements{extra}.txt" for extra in ("", "-dev", "-art", "-bus", "-cpu", "-mcp")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("token = esl_" + "a" * 43, "API key of Easel"),
        ("SECRET_KEY=" + "b" * 43 + "=", "secret key of Easel"),
        ("AKIA" + "A1B2C3D4E5F6G7H8", "AWS Access Key"),
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "Private Key"),
        ("http://me:" + "hunter2@gpu", "Basic Auth Credentials"),
    ],
)
def test_a_key_in_a_file_is_found_with_its_line(text: str, what: str):
    ((line, name, __),) = check_secrets.found_in(f"one\ntwo\n{text}\n", check_secrets.patterns(), "app/x.py")
    assert (line, name) == (3, what)


def test_a_find_fails_unless_it_is_known_and_a_known_one_that_is_gone_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    key = "esl_" + "c" * 43
    ((__, ___, digest),) = check_secrets.found_in(key, check_secrets.patterns())
    known = tmp_path / "known.toml"
    monkeypatch.setattr(check_secrets, "KNOWN", known)
    monkeypatch.setattr(check_secrets, "tracked", lambda: [("docs/x.md", key)])
    known.write_text("known = []")
    assert check_secrets.main() == 1
    out = capsys.readouterr().out
    assert f"docs/x.md:1: API key of Easel ({digest})" in out
    assert key not in out
    known.write_text(f'[[known]]\nfile = "docs/x.md"\ndigest = "{digest}"\nwhy = "a test"\n')
    assert check_secrets.main() == 0
    monkeypatch.setattr(check_secrets, "tracked", lambda: [("docs/x.md", "nothing")])
    assert check_secrets.main() == 1
    assert f"{digest} is nowhere any more" in capsys.readouterr().out


def package(name: str, **about: str) -> Any:
    headers = Message()
    for key, value in about.items():
        headers[key.replace("_", "-")] = value
    return SimpleNamespace(metadata=headers, version="1.0", name=name)


@pytest.mark.parametrize(
    ("about", "is_fine"),
    [
        ({"License_Expression": "Apache-2.0 OR MIT"}, True),
        ({"License": "BSD"}, True),
        ({"License_Expression": "AGPL-3.0-only"}, False),
        ({"Classifier": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"}, False),
        ({"License": "see the file"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_a_licence_that_is_not_known_to_go_with_ours_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], about: dict[str, str], is_fine: bool
):
    there = {"httpx": package("httpx", **about)}

    def distribution(name: str) -> Any:
        if name not in there:
            raise check_licences.PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr(check_licences, "distribution", distribution)
    assert check_licences.main(["--list"]) == (0 if is_fine else 1)
    assert "httpx 1.0: " in capsys.readouterr().out


HOLE = {"name": "httpx", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}]}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            json.dumps({"dependencies": [HOLE | {"vulns": []}]}),
            0,
            "audit: fine, 1 packages",
        ),
        (json.dumps({"dependencies": [HOLE]}), 1, "httpx 0.1: PYSEC-1, mended in 0.2"),
        ("", 0, "cannot be reached, so it was not asked"),
        (subprocess.TimeoutExpired("pip-audit", 60), 0, "cannot be reached, so it was not asked"),
    ],
    ids=["fine", "a hole", "offline", "no answer in time"],
)
def test_known_holes_fail_and_no_network_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str | Exception, code: int, words: str
):
    def run(*_: object, **limits: Any) -> Any:
        assert limits["timeout"] <= 60
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(stdout=answer)

    monkeypatch.setattr(subprocess, "run", run)
    assert check_audit.main() == code
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_everything_that_is_installed_is_pinned_with_its_hashes(name: str):
    text = re.sub(r"\\\n", "", (ROOT / name).read_text())
    lines = [line for line in text.splitlines() if re.match(r"[a-z0-9]", line)]
    assert lines
    assert [line for line in lines if "==" not in line or "--hash=sha256:" not in line] == []


def test_what_has_no_hashes_is_installed_by_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (hashed := tmp_path / "a.txt").write_text("x==1 --hash=sha256:0\n")
    (open_ := tmp_path / "b.txt").write_text("torch==2\n")
    ran: list[list[str]] = []
    monkeypatch.setattr(subprocess, "run", lambda command: ran.append(command) or SimpleNamespace(returncode=0))
    setup_venv._install(tmp_path, [hashed, open_])
    assert [[part for part in command if part.endswith(".txt")] for command in ran] == [[str(hashed)], [str(open_)]]
