"""Prompts to begin with, as data: each is for a subject that people put in, or for its own."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Final

from lazy import dataclass

BUILT_IN: Final = Path(__file__).with_name("starters.json")
PLACE: Final = "{subject}"


@dataclass(frozen=True, kw_only=True)
class Starter:
    """One prompt; `prompt` has a place for the subject, `aspect` is like 3:2."""

    id: str
    name: str
    subject: str
    prompt: str
    negative_prompt: str = ""
    aspect: str = ""

    def words(self, subject: str = "") -> str:
        """Return the prompt for a subject; its own where there is none."""
        return self.prompt.replace(PLACE, subject.strip() or self.subject)


def starters() -> tuple[Starter, ...]:
    """Return all of them, in their order."""
    known = {field.name for field in fields(Starter)}
    entries = json.loads(BUILT_IN.read_text(encoding="utf-8"))
    return tuple(Starter(**{name: str(value) for name, value in entry.items() if name in known}) for entry in entries)
