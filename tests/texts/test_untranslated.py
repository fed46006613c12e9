"""Through a catalog that translates everything, nothing that people read stays English: Discord, API and console."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import main
from cogs.cards import Card, Menu
from generation.errors import RequestRejected
from tests.api.conftest import Site
from tests.cogs.test_foreign_text import BUILDERS, Written
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import own
from tests.fakes import FakeBackend
from tests.texts.pseudo import TRANSLATED, PseudoCatalog, untranslated
from texts.text import _, reading

NAMES = ("zqx", "away", "again")  # what others typed, in the entries of BUILDERS
TYPED = ("fox", "nonsense", "models", "steps", "stpes", "sketch", "art", "data", "media", "cache")
NOTHING = re.compile("(?!)")


def shown(written: Written) -> list[str]:
    """Return all texts of a message: its words, files, buttons and menus."""
    if isinstance(written, list):
        return [text for each in written for text in shown(each)]
    if isinstance(written, Menu):
        return [written.placeholder]  # its choices are names
    if not isinstance(written, Card):
        return [written]
    return [written.content, *(picture.alt_text for picture in written.pictures)]


def labels(written: Written) -> list[str]:
    """Return what stands on the buttons of a message."""
    if isinstance(written, list):
        return [text for each in written for text in labels(each)]
    rows = written.rows if isinstance(written, Card) else ()
    return [button.label for row in rows if not isinstance(row, Menu) for button in row]


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: f"{build.__module__}.{build.__name__}")
def test_message_in_discord_is_translated(build: Callable[..., Any]) -> None:
    with reading(PseudoCatalog()):
        written = BUILDERS[build]("zqx")
        texts, buttons = shown(written), labels(written)
    assert {text: words for text in texts if (words := untranslated(text, NAMES))} == {}
    assert [text for text in buttons if untranslated(text, NAMES, NOTHING)] == []


def sentences(answer: Any) -> list[str]:
    """Return what an answer of the API says to people."""
    if isinstance(answer, list):
        return [text for item in answer for text in sentences(item)]
    if not isinstance(answer, dict):
        return []
    found = [text for name, value in answer.items() if name not in SAID for text in sentences(value)]
    for name in SAID:
        value = answer.get(name)
        found += [value] if isinstance(value, str) else sentences(value)
        found += [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
    return found


SAID = ("error", "hint", "notes", "message")
WRONG: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/api/jobs/none", None),
    ("GET", "/api/nothing", None),
    ("PATCH", "/api/jobs", None),
    ("POST", "/api/jobs", {"prompt": "fox", "steps": 9000}),
    ("POST", "/api/jobs", {"prompt": "fox", "steps": "many"}),
    ("POST", "/api/jobs", {"prompt": "fox", "size": 1}),
    ("POST", "/api/jobs", {"prompt": ""}),
    ("POST", "/api/jobs", {"prompt": "fox", "styles": ["none"]}),
    ("POST", "/api/jobs", {"prompt": "fox", "backend": "none"}),
    ("POST", "/api/jobs", {"prompt": "fox", "workflow": "none"}),
    ("POST", "/api/jobs", {"prompt": "fox", "mode": "inpaint"}),
    ("POST", "/api/jobs", {"prompt": "fox", "model": "none", "sampler": "none"}),
    ("POST", "/api/backends", {"type": "none", "url": "ftp://x"}),
    ("POST", "/api/backends", {"type": "a1111", "url": "http://user:password@x"}),
    ("DELETE", "/api/backends/none", None),
    ("GET", "/api/media/none", None),
    ("GET", "/api/gallery?cursor=x", None),
    ("POST", "/v1/images/generations", {"prompt": "fox", "quality": "none"}),
    ("POST", "/v1/images/generations", {}),
)


@pytest.mark.parametrize(("method", "path", "body"), WRONG, ids=lambda value: str(value)[:40])
async def test_refusal_of_the_api_is_translated(site: Site, method: str, path: str, body: Any) -> None:
    with reading(PseudoCatalog()):
        answer = (await site.client.request(method, path, json=body)).json()
    reply = sentences(answer)
    assert {text: words for text in reply if (words := untranslated(text, ("none", "fox", "many")))} == {}


async def test_job_made_in_english_is_read_in_the_language_of_whoever_asks(site: Site) -> None:
    job = await site.draw(steps=9, sampler="euler", clip_skip=2, text="a fox --stpes 3")
    with reading(PseudoCatalog()):
        notes = (await site.client.get(f"/api/jobs/{job['id']}")).json()["notes"]
    assert len(notes) == len(job["notes"]) > 0
    assert [note for note in notes if untranslated(note)] == []
    assert job["notes"] == [note.replace("⟦", "").replace("⟧", "") for note in notes]


def test_console_is_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", {"PROBE_LOCAL_PORTS": "false", "WEB": "false", "SKETCH_DELAY_S": "0"})
    monkeypatch.setattr("sys.stdin", io.StringIO("help\nmodels\nnonsense!\na fox --size 64x64 --steps 2000\nquit\n"))
    with reading(PseudoCatalog()):
        for argv in ([], ["doctor"], ["models"], ["queue"], ["key", "list"], ["generate", "fox", "--steps", "9000"]):
            main.main(argv)
    out = "".join(capsys.readouterr())
    assert "⟦" in out
    lines = flat(out).splitlines()
    left = {line: words for line in lines if (words := untranslated(line, TYPED))}
    assert left == {}, "\n".join(left)


def flat(text: str) -> str:
    """Return a text without what is translated: a sentence may have several lines."""
    while TRANSLATED.search(text):
        text = TRANSLATED.sub(" ", text)
    return text


async def test_discord_is_translated_from_the_queue_to_the_picture(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    engine.fail = [RequestRejected(_("It cannot do this."), hint=_("Try less."))]  # made in English
    with reading(PseudoCatalog()):
        easel = await start(engine)
        await easel.dream("!dream a fox --steps 7 --stpes 3")
        await easel.dream("!dream a fox --seed 7")
        refused = await easel.slash("a fox --steps 9000")
        pages = [
            await discord.user("mia").slash(discord.channel, name) for name in ("help", "queue", "status", "models")
        ]
    read = [text for message in own(discord.channel) for text in message.history]
    read += [refused.original.content, *(page.original.content for page in pages)]
    assert {text: words for text in read if (words := untranslated(text, ("fox", "fake", "euler")))} == {}
