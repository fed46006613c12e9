"""Through a catalog that translates everything, nothing that people read stays English: Discord, API and console."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from cogs.cards import Card, Menu
from tests.cogs.test_foreign_text import BUILDERS, Written
from tests.texts.pseudo import PseudoCatalog, untranslated
from texts.text import reading

NAMES = ("zqx", "away", "again")  # what others typed, in the entries of BUILDERS
NOTHING = re.compile("(?!)")


def shown(written: Written) -> list[str]:
    """Return all texts of a message: its words, files, buttons and menus."""
    if isinstance(written, list):
        return [text for one in written for text in shown(one)]
    if isinstance(written, Menu):
        return [written.placeholder]  # its choices are names
    if not isinstance(written, Card):
        return [written]
    return [written.content, *(picture.alt_text for picture in written.pictures)]


def labels(written: Written) -> list[str]:
    """Return what stands on the buttons of a message."""
    if isinstance(written, list):
        return [text for one in written for text in labels(one)]
    rows = written.rows if isinstance(written, Card) else ()
    return [button.label for row in rows if not isinstance(row, Menu) for button in row]


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: f"{build.__module__}.{build.__name__}")
def test_message_in_discord_is_translated(build: Callable[..., Any]) -> None:
    with reading(PseudoCatalog()):
        written = BUILDERS[build]("zqx")
        texts, buttons = shown(written), labels(written)
    assert {text: words for text in texts if (words := untranslated(text, NAMES))} == {}
    assert [text for text in buttons if untranslated(text, NAMES, NOTHING)] == []
