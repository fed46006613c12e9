"""Find the operation in a reply to a picture: ordered rules over the words, no model.

Most replies to a picture are talk, so that a text is a request only where something in it asks for one: a verb that
changes pictures, a word for a property of them, or a few words that begin as such requests do ("with snow").
"""

import re
from dataclasses import replace
from typing import Final

from generation.errors import RequestRejected
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from generation.wishes.patterns import (
    ABOUT_PEOPLE,
    AGAIN,
    AGAIN_BUT,
    BACKGROUND,
    BLANK,
    COLOUR,
    COURTESY,
    INFO,
    ORDINALS,
    OVERALL,
    PART,
    PICK,
    POLITE,
    QUESTION,
    RATIO,
    SEED,
    SHAPE,
    SIZE,
    STATEMENT,
    STRONG,
    SUPPOSE,
    TALK,
    UPSCALE,
    VARY,
    WEAK,
    WISHED,
    ZOOM,
)
from generation.wishes.spelling import mended
from generation.wishes.wish import Operation, Wish

MAX_CHARS: Final = 400  # longer replies are talk, or a prompt of their own
MAX_WEAK_WORDS: Final = 7  # of a request that only begins like one


def read_reply(text: str) -> Wish | None:
    """Return what a reply to a picture asks for; None where it is talk, or means something else.

    Args:
        text: as it was typed; options of a prompt may stand behind the words.
    """
    if not text.strip() or len(text) > MAX_CHARS:
        return None
    words, options = _parts(text)
    wish = _read(words)
    return replace(wish, options=options) if wish else None


def as_operation(text: str, operation: Operation) -> Wish:
    """Return the wish of a text whose operation was chosen by hand."""
    wish = read_reply(text)
    if wish is not None and wish.operation is operation:
        return wish
    words, options = _parts(text)
    return Wish(operation=operation, words=_polite_off(_without_talk(words)) if words else "", options=options)


def is_talk(text: str) -> bool:
    """Return whether a text is nothing but what people say to each other about a picture: "nice!"."""
    return bool(TALK.match(_parts(text)[0].rstrip(" .!,;?")))


def _parts(text: str) -> tuple[str, Draft]:
    """Return the words of a text as the rules read them, and its options."""
    try:
        parsed = parse_prompt(text)
    except RequestRejected:  # an option that cannot be, which is said where it is drawn
        return mended(_plain(text)), Draft()
    return mended(_plain(parsed.draft.prompt)), replace(parsed.draft, prompt="")


def _plain(text: str) -> str:
    return BLANK.sub(" ", text.casefold().replace("’", "'")).strip()


def _read(text: str) -> Wish | None:
    text = _without_talk(text).rstrip(" .!,;?")
    if not text or TALK.match(text):
        return None
    asked = _polite_off(text)
    for pattern, operation in ((SEED, Operation.SEED), (INFO, Operation.INFO)):
        if pattern.match(text) or pattern.match(asked):
            return Wish(operation=operation)
    if QUESTION.match(text):
        return None
    if re.match(r"(?:i|we|they|he|she|you|u)(?:'?ll|'?m|'?ve|'?re)?\s", asked) and not WISHED.search(asked):
        return None
    if asked == text and STATEMENT.match(text) and not WISHED.search(text):
        return None
    picked = PICK.search(asked)
    if picked is not None:
        asked = " ".join(f"{asked[: picked.start()]} {asked[picked.end() :]}".split())
        asked = _polite_off(asked) if asked else "vary"
    wish = _rule(asked)
    if wish is not None and picked is not None:
        number = picked["number"]
        return replace(wish, pick=int(number) - 1 if number else ORDINALS[picked["ordinal"]])
    return Wish(operation=Operation.EDIT, words=asked) if wish is None and SUPPOSE.match(text) else wish


def _without_talk(text: str) -> str:
    """Leave out sentences before the request that are only talk: "nice! now make it night"."""
    parts = re.split(r"(?<=[!.?;,])\s+", text)
    while len(parts) > 1 and TALK.match(parts[0]):
        parts = parts[1:]
    return " ".join(parts)


def _polite_off(text: str) -> str:
    before = None
    while before != text:
        before = text
        text = COURTESY.sub("", POLITE.sub("", text, count=1)).strip(" ,.!?")
    return text or str(before)


def _rule(text: str) -> Wish | None:
    part = PART.search(text)
    if BACKGROUND.search(text):
        return Wish(operation=Operation.BACKGROUND, words=text)
    if UPSCALE.search(text) and not SIZE.search(text):
        return Wish(operation=Operation.UPSCALE, words=text)
    if again := AGAIN.match(text):
        return Wish(operation=Operation.AGAIN, words=again[1] or "")
    if changed := AGAIN_BUT.match(text):
        return _rule(changed["rest"]) or Wish(operation=Operation.EDIT, words=changed["rest"])
    if SIZE.search(text) or SHAPE.search(text) or (RATIO.search(text) and not part):
        return Wish(operation=Operation.RESIZE, words=text)
    if ZOOM.search(text):
        return Wish(operation=Operation.ZOOM, words=text)
    if VARY.search(text):
        return Wish(operation=Operation.VARY, words=text)
    if COLOUR.search(text) and not (part and (part["add"] or part["give"] or part["gone"])):
        return Wish(operation=Operation.RECOLOUR, words=text)
    if part:
        return _of_part(text, part)
    return _of_whole(text)


def _of_part(text: str, part: re.Match[str]) -> Wish:
    names = part.groupdict()
    gone = next((names[name] for name in ("gone", "away", "less", "no", "old", "not", "many") if names[name]), "")
    wanted = next((names[name] for name in ("new", "add", "give", "is", "have", "size") if names[name]), "")
    if wanted and OVERALL.search(wanted) and not gone:
        return Wish(operation=Operation.EDIT, words=wanted)
    if names["is"]:
        wanted = f"{names['was']} {names['is']}"
    mend = names["mend"] or names["bad"]
    if mend:
        wanted = f"detailed, well-formed {mend}"  # no text: words of a prompt
    return Wish(operation=Operation.INPAINT, words=wanted, unwanted=gone)


def _of_whole(text: str) -> Wish | None:
    is_short = len(text.split()) <= MAX_WEAK_WORDS and not ABOUT_PEOPLE.search(text)
    if STRONG.search(text) and (
        is_short or re.match(r"(?:make|turn|change|render|redraw|draw|paint|same|the same)\b", text)
    ):
        return Wish(operation=Operation.EDIT, words=text)
    return Wish(operation=Operation.EDIT, words=text) if is_short and WEAK.search(text) else None
