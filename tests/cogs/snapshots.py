"""Texts people see, held against text files in tests/data/snapshots. `UPDATE_SNAPSHOTS=1 pytest` writes them again."""

from __future__ import annotations

import os
from pathlib import Path

from cogs.cards import Card, Menu

FOLDER = Path(__file__).parents[1] / "data" / "snapshots"


def check_snapshot(name: str, text: str) -> None:
    """Compare with the stored text, so that a change of wording shows up in review."""
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(text + "\n", encoding="utf-8")
    assert text + "\n" == path.read_text(encoding="utf-8")


def drawn(card: Card) -> str:
    """Draw a card as text: content, files with their alt text, and rows of controls."""
    lines = [card.content]
    lines += [f"[{picture.filename}: {picture.alt_text}]" for picture in card.pictures]
    for row in card.rows:
        if isinstance(row, Menu):
            choices = ", ".join(f"{'*' if item.is_default else ''}{item.label}" for item in row.choices)
            lines.append(f"< {row.placeholder} v >  {choices}")
        else:
            shown = (" ".join(filter(None, (item.emoji, item.label))) for item in row)
            lines.append(" ".join(f"( {text} )" for text in shown))
    return "\n".join(lines)
