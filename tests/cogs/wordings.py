"""Answers of services of words, with a text of somebody in every place."""

from services.engines.describing import Description
from services.wording.rules import Enhanced


def enhanced(text: str) -> list[Enhanced]:
    by_model = Enhanced(prompt=text, suggestions=(text, text), tags=(text,), source=text, has_prompts=True)
    return [by_model, Enhanced(prompt=text, suggestions=(text,), tags=(), source="rules", notes=(text,))]


def described(text: str) -> Description:
    return Description(text=text, engine=text, notes=(text,))
