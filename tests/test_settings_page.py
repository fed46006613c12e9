"""Texts about the settings: `.env.example` and docs/settings.md, written from the settings themselves."""

import re
from pathlib import Path

from config import describe, read_settings
from scripts import write_settings
from settings.reading.engines import describe_instance

ROOT = Path(__file__).parent.parent
OURS = [setting for group in describe().values() for setting in group]
EVERY = [*OURS, *describe_instance()]


def test_env_example_shows_every_setting_with_its_default_and_one_line():
    text = (ROOT / ".env.example").read_text()
    lines = text.splitlines()
    for setting in EVERY:
        sign = "" if setting.name == "DISCORD_TOKEN" else "#"
        place = lines.index(f"{sign}{setting.name}={setting.default}")
        assert lines[place - 1] == f"# {setting.meaning}. Allowed: {setting.allowed}."
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))
    assert named == {s.name for s in EVERY} | {"A1111_URL", "A1111_KEY"}


def test_env_example_as_it_stands_says_nothing():
    assert read_settings(ROOT / ".env.example", {}) == read_settings(Path("/nonexistent/.env"), {})


def test_the_settings_page_has_every_setting_in_its_tables():
    text = (ROOT / "docs" / "settings.md").read_text()
    rows = re.findall(r"^\| `([A-Z0-9_]+)`(?: ↻)? \|(.*)\|$", text, re.MULTILINE)
    expected = {
        setting.name: f" {f'`{setting.default}`' if setting.default else ''} | {setting.meaning} | {setting.allowed} "
        for setting in EVERY
    }
    assert dict(rows) == expected
    assert len(rows) == len(expected)


def test_the_settings_page_and_the_example_are_written_from_the_settings():
    text = write_settings.PAGE.read_text(encoding="utf-8")
    assert text == write_settings.page(text), "run python -m scripts.write_settings"
    assert write_settings.EXAMPLE.read_text(encoding="utf-8") == write_settings.example()
