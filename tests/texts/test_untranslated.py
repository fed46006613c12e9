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

NAMES = ("zqx", "euler", "dreamshaper", "gpu")  # what others typed


def shown(written: Written) -> list[str]:
    """Return all texts of a message: its words, files, buttons and menus."""
    if isinstance(written, list):
        return [text for one in written for text in shown(one)]
    if isinstance(written, Menu):
        return [written.placeholder, *(choice.label for choice in written.choices)]
    if not isinstance(written, Card):
        return [written]
    texts = [written.content, *(picture.alt_text for picture in written.pictures)]
    for row in written.rows:
        texts += shown(row) if isinstance(row, Menu) else [button.label for button in row]
    return texts


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: f"{build.__module__}.{build.__name__}")
def test_message_in_discord_is_translated(build: Callable[..., Any]) -> None:
    with reading(PseudoCatalog()):
        texts = shown(BUILDERS[build]("zqx"))
    assert {text: words for text in texts if (words := untranslated(text, NAMES))} == {}
