"""The command line in this process, with the real engine that is always there."""

import io
import logging
import os
import signal
import sqlite3
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import main
from api.caller import LOCAL
from app import cli
from app.cli import BackupCommand, Command, KeyCommand, WorkflowCommand
from backends import kinds
from backends.art.backend import ArtBackend
from backends.kind import CheckKind
from backends.kinds import kind_of
from console.drawing import ORIGIN
from constants import VERSION
from tests.backends.art.fake_child import FakeChild
from tests.fakes import FakeCheck

Type = Callable[..., int]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to start in, and no settings but those of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "WEB": "false"})
    root, on_term = logging.getLogger(), signal.getsignal(signal.SIGTERM)
    handlers, level = root.handlers[:], root.level
    yield tmp_path
    signal.signal(signal.SIGTERM, on_term)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """Start without a token, with these lines as stdin."""

    def start(lines: str) -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        return main.main([])

    return start


@pytest.mark.parametrize(
    ("argv", "command"),
    [
        ([], Command(name="start")),
        (["generate", "a red fox", "--size", "768x512", "-o", "fox.png"],
         Command(name="generate", text="a red fox --size 768x512", output=Path("fox.png"))),
        (["generate", "--output=out/x", "fox", "-q"],
         Command(name="generate", text="fox", output=Path("out/x"), is_quiet=True)),
        (["generate", "--no-web", "-1", "--", "fox"], Command(name="generate", text="--no-web -1 -- fox")),
        (["generate", "fox", "--image", "a.png", "-i", "b.png"],
         Command(name="generate", text="fox", images=(Path("a.png"), Path("b.png")))),
        (["start", "--no-web"], Command(name="start", no_web=True)),
        (["--no-discord"], Command(name="start", no_discord=True)),
        (["--version"], Command(name="version")),
        (["queue"], Command(name="queue")),
        (["key", "create", "ci"], Command(name="key", key=KeyCommand(action="create", name="ci"))),
        (["workflow", "add", "my_portrait.json"],
         Command(name="workflow",
                 workflow=WorkflowCommand(action="add", file=Path("my_portrait.json"), name="my portrait"))),
        (["workflow", "set", "portrait", "prompt", "6.text"],
         Command(name="workflow",
                 workflow=WorkflowCommand(action="set", name="portrait", field="prompt", place="6.text"))),
        (["backup", "e.tar.gz", "--with-key"],
         Command(name="backup", backup=BackupCommand(action="backup", path=Path("e.tar.gz"), with_key=True))),
        (["restore", "e.tar.gz"],
         Command(name="restore", backup=BackupCommand(action="restore", path=Path("e.tar.gz")))),
    ],
)  # fmt: skip
def test_arguments_are_read(argv: list[str], command: Command):
    assert cli.parse(argv) == command


@pytest.mark.parametrize(
    ("argv", "reply"),
    [
        (["genrate", "x"], "There is no command genrate. Did you mean generate?"),
        (["--no-wbe"], "There is no option --no-wbe. Did you mean --no-web?"),
        (["a red fox"], 'To draw it: python main.py generate "a red fox"'),
        (["generate", "fox", "-o"], "-o needs a value. Write: python main.py generate PROMPT"),
        (["generate", "fox", "--image"], "-i needs a value. Write: python main.py generate PROMPT"),
        (["models", "x"], "There is no command x."),
        (["key", "lost"], "There is no command lost. Did you mean list?"),
        (["workflow"], "Say what to do: add, list, show, set, delete."),
        (["workflow", "show"], "NAME is missing. Write: python main.py workflow show NAME"),
        (["workflow", "add", "a.json", "b.json"], "workflow add takes nothing more, but there is: b.json"),
        (["workflow", "add", "a.json", "--name"], "--name needs a value"),
    ],
)
def test_nonsense_gets_a_helpful_line_and_code_2(argv: list[str], reply: str, capsys: pytest.CaptureFixture[str]):
    assert main.main(argv) == 2
    assert reply in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "reply"),
    [
        (["generate", "fox", "-h"], "usage: python main.py generate PROMPT"),
        (["doctor", "--help"], "Check settings, folders, engines, and say what to do."),
        (["workflow", "set", "-h"], "NODE.INPUT"),
        (["key", "--help"], "create"),
        (["help"], "python main.py COMMAND --help"),
        (["-h"], "--no-discord"),
    ],
)
def test_every_command_tells_of_itself(argv: list[str], reply: str, capsys: pytest.CaptureFixture[str]):
    assert main.main(argv) == 0
    assert reply in capsys.readouterr().out


def test_help_and_version_need_no_settings(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("os.environ", {"LOG_LEVEL": "loud"})
    assert main.main(["help"]) == 0
    assert main.main(["--version"]) == 0
    out = capsys.readouterr().out
    assert "check settings, folders" in out
    assert "--no-web" in out
    assert VERSION in out


def test_generate_saves_a_real_picture(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main.main(["generate", "a red fox", "--size", "128x64", "--seed", "7", "-o", "out/fox.png"]) == 0
    with Image.open(folder / "out" / "fox.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (128, 64))
        assert "Seed: 7" in picture.info["parameters"]
    out, err = capsys.readouterr()
    assert out.startswith("Saved out/fox.png  (128×64, seed 7, ")
    assert "not by an AI model" in out
    assert "drawing" in err
    assert [path.name for path in folder.iterdir()] == ["out"], "generate leaves nothing else behind"


def test_several_pictures_get_numbers(folder: Path):
    assert main.main(["generate", "fox --batch 2 --repeat 2 --size 64x64 --steps 2", "-o", "fox", "-q"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["fox-1.png", "fox-2.png", "fox-3.png", "fox-4.png"]


def test_without_a_name_the_file_says_what_is_in_it(folder: Path, capsys: pytest.CaptureFixture[str]):
    for _ in range(2):
        assert main.main(["generate", "A red fox! --seed 7 --size 64x64 --steps 2", "--quiet"]) == 0
    out, err = capsys.readouterr()
    first, second = out.split()
    assert first.startswith("data/pictures/a-red-fox-7-")
    assert second == first.replace(".png", "-2.png")
    assert (folder / second).exists()
    assert err == ""
    assert stat.S_IMODE((folder / "data").stat().st_mode) == 0o700


SAVING = 1 if os.access("/proc", os.W_OK) else 2


@pytest.mark.parametrize(
    ("argv", "code", "reply"),
    [
        (["fox", "--steps", "abc"], 2, "Steps cannot be “abc”"),
        ([], 2, "Say what you would like to see"),
        (["fox", "--backend", "nix"], 2, "There is no engine “nix” here. Available: sketch."),
        # root may write anywhere, as far as the system tells before the picture is drawn
        (["fox", "--size", "64x64", "--steps", "1", "-o", "/proc/none/fox.png"], SAVING, "cannot be saved"),
    ],
)
def test_the_exit_code_says_whose_fault_it_was(
    argv: list[str], code: int, reply: str, capsys: pytest.CaptureFixture[str]
):
    assert main.main(["generate", *argv]) == code
    assert reply in capsys.readouterr().err


def test_an_engine_that_does_not_answer_is_code_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.environ", {"A1111_URL": "http://127.0.0.1:9"})
    assert main.main(["generate", "fox"]) == 3
    assert "a1111 is not running there" in capsys.readouterr().err


def test_a_bad_setting_is_code_2_and_named(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.environ", {"BACKENDS": "gpu1", "GPU1_KIND": "a111"})
    assert main.main(["generate", "fox"]) == 2
    reply = capsys.readouterr().err
    assert "GPU1_KIND=a111: must be one of a1111, ai_horde, aipowergrid, art, bfl, comfyui, embedded, " in reply
    assert ", openai_images, " in reply
    monkeypatch.setattr("os.environ", {"A1111_URL": "http://8.8.8.8:7860"})
    assert main.main(["models"]) == 2
    assert "ALLOW_INSECURE_HTTP" in capsys.readouterr().err
    monkeypatch.setattr("os.environ", {"SECRET_KEY": "hush"})
    assert main.main(["models"]) == 2
    err = capsys.readouterr().err
    assert "SECRET_KEY=***: must be 44 URL-safe base64 characters" in err
    assert "hush" not in err


def test_a_damaged_key_file_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "easel.sqlite3").touch()
    (tmp_path / "secret.key").touch()
    monkeypatch.setattr("os.environ", {"DATA_DIR": str(tmp_path)})
    assert main.main(["queue"]) == 1
    err = capsys.readouterr().err
    assert "The key file secret.key in" in err
    assert "is damaged: it is not 44 base64 characters. Put secret.key back from your backup." in err
    assert ".env" not in err, "it is no setting"
    assert main.main(["key", "reset"]) == 0, "as the message says"


def test_models_lists_the_engines(capsys: pytest.CaptureFixture[str]):
    assert main.main(["models"]) == 0
    assert "sketch (sketch): sketch: drawn by rules" in capsys.readouterr().out


def test_queue_without_a_store_makes_none(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main.main(["queue"]) == 0
    assert capsys.readouterr().out == "Nothing waits and nothing runs.\n"
    assert not list(folder.iterdir())


def test_doctor_is_content_with_a_fresh_folder(capsys: pytest.CaptureFixture[str]):
    assert main.main(["doctor"]) == 0
    assert "All is well." in capsys.readouterr().out


def test_doctor_names_each_fault_and_the_next_step(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    token = "Bot not-a-token"
    monkeypatch.setattr("os.environ", {"DISCORD_TOKEN": token, "A1111_URL": "http://127.0.0.1:9"})
    (folder / "data").mkdir(mode=0o755)
    (folder / "data" / "easel.sqlite3").write_bytes(b"not a database at all" * 100)
    assert main.main(["doctor"]) == 1
    out = capsys.readouterr().out
    for reply in ("✖ DISCORD_TOKEN: It does not look", "✖ a1111: Nothing listens on port 9", "✖ database: It cannot be",
                 "chmod 700 data"):  # fmt: skip
        assert reply in out
    assert token not in out


def test_console_draws_each_line(folder: Path, console: Callable[[str], int], capsys: pytest.CaptureFixture[str]):
    lines = "a red fox --size 64x64\n!dream a dog --size 64x64\n/generate a cat --size 64x64\n"
    assert console(lines) == 0
    names = sorted(path.name.split("-2")[0] for path in (folder / "data" / "pictures").iterdir())
    assert [name.rsplit("-", 1)[0] if name[-1].isdigit() else name for name in names] == ["a-cat", "a-dog", "a-red-fox"]
    out, err = capsys.readouterr()
    assert out.count("Saved data/pictures/") == 3
    assert "I made .env from .env.example" in err
    assert "DISCORD_TOKEN=" in err
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600


def test_console_asks_for_no_token_where_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(os.environ, "DISCORD_TOKEN", "a.b.c")
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main.main(["--no-discord"]) == 0
    err = capsys.readouterr().err
    assert "Drawing with sketch" in err
    assert "make a bot" not in err


def test_console_helps_with_nonsense_and_goes_on(console: Callable[[str], int], capsys: pytest.CaptureFixture[str]):
    assert console("\n!!!\n/nope\nfox --steps x\nhelp\nmodels\nqueue\ncancel\nquit\nnever reached --size 64x64\n") == 0
    out, err = capsys.readouterr()
    assert "That does not look like a picture" in err
    assert "There is no command /nope here" in err
    assert "Steps cannot be “x”" in err
    assert "--negative ugly, blurry" in out
    assert "sketch (sketch)" in out
    assert "Saved" not in out


def test_the_person_at_the_console_is_the_one_in_the_browser_of_this_machine():
    assert (ORIGIN.user_key, ORIGIN.user_name) == (LOCAL.user_key, LOCAL.name)


def test_console_keeps_the_env_file_that_is_there(folder: Path, console: Callable[[str], int]):
    (folder / ".env").write_text("PROBE_LOCAL_PORTS=false\nWEB=false\n")
    assert console("") == 0
    assert (folder / ".env").read_text() == "PROBE_LOCAL_PORTS=false\nWEB=false\n"


def test_generate_leaves_the_jobs_of_the_bot_alone(folder: Path):
    (folder / "data").mkdir()
    path = folder / "data" / "easel.sqlite3"
    sqlite3.connect(path).close()
    assert main.main(["generate", "fox --size 64x64 --steps 1", "-q"]) == 0
    assert path.stat().st_size == 0


def test_keys_live_in_the_data_folder(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main.main(["key", "create", "ci", "--scopes", "read"]) == 0
    token = capsys.readouterr().out.strip()
    assert token.startswith("esl_")
    assert main.main(["key", "list"]) == 0
    assert "ci" in capsys.readouterr().out
    assert token.encode() not in b"".join(path.read_bytes() for path in (folder / "data").iterdir())


def test_names_of_others_do_not_steer_the_terminal(capsys):
    from console.text import say, tell

    say("model \x1b[2J\x1b]0;title\x07evil\u202etxt.exe \udcc4\x9b31m")
    tell("note\x1b[31m\r\x08")
    out, err = capsys.readouterr()
    assert out == "model eviltxt.exe \ufffd\n"
    assert err == "note  \n"


@pytest.fixture
def picture_check(monkeypatch: pytest.MonkeyPatch) -> FakeCheck:
    """The check of finished pictures is installed, and takes the first for not safe for work."""
    check = FakeCheck(0.97)
    kind = CheckKind(make=lambda: check, is_there=lambda: True, absent_hint="")
    for place in ("config.picture_check", "app.build.picture_check"):
        monkeypatch.setattr(place, lambda: kind)
    return check


def test_a_picture_that_is_held_back_is_told_in_words_and_not_saved(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, picture_check: FakeCheck
):
    monkeypatch.setattr("os.environ", {**os.environ, "ENABLE_NSFW_FILTER": "true"})
    argv = ["generate", "fox", "--size", "64x64", "--steps", "1", "-o", "fox.png"]
    assert main.main(argv) != 0
    assert "The picture was held back: the picture check takes what it shows for" in capsys.readouterr().err
    assert not (folder / "fox.png").exists()
    assert picture_check.is_closed
    assert main.main(argv) == 0
    assert (folder / "fox.png").exists()


def test_without_its_packages_a_picture_check_keeps_easel_from_starting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("os.environ", {**os.environ, "ENABLE_NSFW_FILTER": "true"})
    assert main.main(["generate", "fox"]) == 2
    assert "`make run ART=1` installs it" in capsys.readouterr().err


def test_a_picture_is_restyled_from_the_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    child = FakeChild()
    art = kind_of("art")
    assert art
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: True)
    there = replace(art, make=lambda config: ArtBackend(child=child), is_there=lambda: True)
    monkeypatch.setitem(kinds._kinds, "art", there)
    for name, colour in (("fox.png", "red"), ("sea.png", "navy")):
        Image.new("RGB", (48, 32), colour).save(folder / name)
    argv = ["generate", "--image", "fox.png", "--restyle", "--style", "painting 5", "--strength", "0.5", "-o", "p.png"]
    assert main.main(argv) == 0
    assert main.main(["generate", "-i", "fox.png", "-i", "sea.png", "--restyle", "-o", "q.png"]) == 0
    assert [(order["do"], order["style"], order["strength"]) for order in child.orders] == [
        ("restyle", "painting 5", 0.5),
        ("restyle", "painting 1", 1.0),
    ]
    assert [len(blobs) for blobs in child.blobs] == [1, 2]
    with Image.open(folder / "p.png") as restyled:
        assert restyled.size == (48, 32)
    assert "art" in capsys.readouterr().out
    assert main.main(["generate", "--restyle"]) == 2
    assert "needs a picture" in capsys.readouterr().err


def test_a_new_secret_key_is_made_or_where_the_owner_keeps_it_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setattr("os.environ", {"DATA_DIR": str(tmp_path)})
    assert main.main(["key", "renew"]) == 0
    assert "secret.key.old" in capsys.readouterr().err
    monkeypatch.setattr("os.environ", {"DATA_DIR": str(tmp_path), "SECRET_KEY": (tmp_path / "secret.key").read_text()})
    assert main.main(["key", "renew"]) == 0
    out, err = capsys.readouterr()
    assert len(out.strip()) == 44
    assert "put this key and a comma in front of its value" in err
