"""`make screenshots`: each kind of message has a scene, every scene can be played, and a picture is 390 pixels wide."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nextcord
import pytest
from PIL import Image
from playwright.async_api import async_playwright

from backends import kinds
from cogs import command_sync, pacing, spender
from generation.job import JobStatus
from scripts.alike_messages import ALIKE
from scripts.discord_page import STYLE, markdown
from scripts.draw_messages import IN_BOTH_STYLES, WIDTH, draw, play
from scripts.message_scenes import SCENES, PaintingEngine
from tests.kinds import with_backend
from tests.read_once import commands_are_read_once as commands_are_read_once
from tests.studio import chromium

COMMANDS = Path(__file__).parents[1] / "docs" / "commands.md"
STATES = {
    "queued": "queued", "running": "running", "done": "picture", "failed": "failed-engine", "cancelled": "cancelled",
    "expired": "failed-engine",
}  # fmt: skip


def commands() -> set[str]:
    """Return what people can choose in Discord: slash commands, and those in the menu of a message."""
    text = COMMANDS.read_text()
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `/")]
    menu = next(line for line in text.splitlines() if line.startswith("In the *Apps* menu"))
    return {name for row in rows for name in re.findall(r"`/([^`]+)`", row)} | set(re.findall(r"\*([^*]+)\*", menu)[1:])


def test_each_command_has_a_scene_or_is_like_one() -> None:
    shown = {name for scene in SCENES.values() for name in scene.shows}
    assert commands() - shown - set(ALIKE) == set(), "a scene in scripts/message_scenes.py is missing"
    assert (shown | set(ALIKE)) - commands() == set(), "no such command"
    assert set(ALIKE.values()) <= set(SCENES)
    assert not shown & set(ALIKE)


def test_each_state_of_a_job_has_a_scene() -> None:
    assert {status.value for status in JobStatus} == set(STATES)
    assert set(STATES.values()) | set(IN_BOTH_STYLES) <= set(SCENES)


@pytest.fixture
def stage_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "SOON_S", 0.02)
    monkeypatch.setattr(spender, "GAP_S", 0.05)
    monkeypatch.setattr(command_sync, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(nextcord.http.Route, "BASE", nextcord.http.Route.BASE)
    kinds.known_kinds()  # loaded first: what is put in an empty table is taken out of it for good
    monkeypatch.setitem(kinds._kinds, "a1111", with_backend("a1111", PaintingEngine.of))


@pytest.mark.usefixtures("stage_set")
@pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float':DeprecationWarning")
async def test_every_scene_can_be_played(capsys: pytest.CaptureFixture[str]) -> None:
    pages = await play(list(SCENES), "classic")
    assert set(pages) == set(SCENES), capsys.readouterr().err
    layouts = await play(IN_BOTH_STYLES, "v2")
    assert set(layouts) == set(IN_BOTH_STYLES), capsys.readouterr().err
    assert all("class=c" in page for page in layouts.values())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**a fox** by <@7>", "<strong>a fox</strong> by <span class=at>@mia</span>"),
        (r"dreamshaper\_8 \*no\*", "dreamshaper_8 *no*"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("-# small\nlarge", "<small>small</small>large"),
        ("```\n!dream **x**\n```", "<pre>!dream **x**</pre>"),
        ("[Watch it](<https://a.example>)", "<a>Watch it</a>"),
        ("~~gone~~ `code`", "<s>gone</s> <code>code</code>"),
    ],
)
def test_markdown_is_drawn_as_discord_does(text: str, shown: str) -> None:
    message: Any = SimpleNamespace(mentions=[])
    assert markdown(text, message) == shown


async def test_a_message_is_drawn_as_wide_as_a_phone(tmp_path: Path) -> None:
    chromium.need_both()
    page = f"<style>{STYLE}</style><div class=m>{'a very long word ' * 40}</div>"
    async with async_playwright() as playwright:
        browser = await chromium.launch(playwright)
        await draw(browser, {"long": page}, tmp_path)
        await browser.close()
    picture = Image.open(io.BytesIO((tmp_path / "long.png").read_bytes()))
    assert picture.width == WIDTH
    assert picture.height > 100
